// The reader's own profile: name, e-mail address, password, preferences, and its deletion.

import { get, list, patch, remove } from "../api.js";
import { button } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { openDialog } from "../components/dialog.js";
import { editInDialog } from "../components/edit.js";
import { form } from "../components/form.js";
import { invalidField, objectField, objectPanel, parseObject } from "../components/json_object.js";
import { announce, attempt, isExpected } from "../components/notices.js";
import { foreign, h, replaceContent, visible } from "../dom.js";
import { moment } from "../format.js";
import { href } from "../router.js";
import * as session from "../session.js";
import { texts } from "../texts.js";
import { forgetSessions } from "../vault_sessions.js";
import { withRecentSignIn } from "./sign_in.js";

const words = texts.profile;

export async function profileView({ signal }) {
  const { data: profile } = await get("/user-profiles/me", { signal, exact: true });
  const may = session.may("write");
  const remaining = h("div", {});
  return {
    title: words.title,
    content: [
      h("div", { class: "title-row" }, h("h1", {}, words.title), may && button(texts.edit, attempt(() => edit(profile)))),
      h(
        "dl",
        { class: "facts" },
        [
          [words.username, foreign(profile.username)],
          [words.email, foreign(profile.email)],
          [words.since, moment(profile.created_at)],
        ].map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
      ),
      section(words.password, may && button(words.changePassword, () => changePassword(profile))),
      h("p", {}, words.passwordHint),
      section(words.preferences, may && button(words.editPreferences, attempt(() => editPreferences(profile)))),
      h("p", { class: "hint" }, words.preferencesHint),
      objectPanel(profile.preferences, words.preferences),
      may && [
        section(words.deleteHeading, button(words.delete, attempt(() => deleteProfile(profile, remaining)), { class: "danger" })),
        h("p", {}, words.deleteHint),
        remaining,
      ],
    ],
  };
}

const section = (title, actions) => h("div", { class: "title-row" }, h("h2", {}, title), actions);

const pathOf = ({ id }) => `/user-profiles/${id}`;

async function edit(profile) {
  const changed = await editInDialog({
    title: words.edit,
    path: pathOf(profile),
    fieldsOf: namesOf,
    // The name or address of an account is more than a token may change.
    request: (path, body, options) =>
      withRecentSignIn(profile.username, (fresh) => patch(path, body, { ...options, ...fresh })),
  });
  if (!changed) return;
  session.rename(changed.username);
  reload();
}

function namesOf({ username, email }) {
  return [
    { name: "username", label: words.username, value: username, hint: texts.signIn.usernameHint, required: true, maxlength: "64", autocomplete: "username", autocapitalize: "none", spellcheck: "false" },
    { name: "email", label: words.email, type: "email", value: email, hint: texts.signIn.emailHint, required: true, autocomplete: "email" },
  ];
}

const preferencesOf = ({ preferences }) => [
  objectField({ name: "preferences", label: words.preferences, value: preferences }),
];

async function editPreferences(profile) {
  const changed = await editInDialog({
    title: words.editPreferences,
    path: pathOf(profile),
    fieldsOf: preferencesOf,
    toBody: ({ preferences }) => ({ preferences: parseObject("preferences", preferences) }),
  });
  if (changed) reload();
}

function reload() {
  announce(words.saved);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function changePassword(profile) {
  let dirty = () => false;
  return openDialog({
    title: words.changePassword,
    isDirty: () => dirty(),
    content: (close, giveUp) => {
      const password = { type: "password", required: true };
      const made = form({
        fields: [
          // Which account it is, for password managers.
          { name: "username", label: words.username, value: profile.username, readonly: true, autocomplete: "username" },
          { ...password, name: "current_password", label: words.currentPassword, autocomplete: "current-password", autofocus: true },
          { ...password, name: "password", label: words.newPassword, autocomplete: "new-password", hint: texts.signIn.passwordHint },
          { ...password, name: "again", label: words.again, autocomplete: "new-password" },
          { name: "tokens", label: words.tokens, type: "checks", options: [["revoke", words.revokeTokens, words.revokeHint]] },
        ],
        submit: words.changePassword,
        onCancel: giveUp,
        onSubmit: async (values) => {
          await savePassword(profile, values);
          close(true);
          announce(words.passwordChanged);
        },
      });
      dirty = made.isDirty;
      return made.element;
    },
  });
}

async function savePassword({ id, username }, { current_password, password, again, tokens }) {
  if (password !== again) throw invalidField("again", words.different);
  const isRevoked = tokens.includes("revoke");
  const body = { current_password, password, ...(isRevoked && { revoke_api_tokens: true }) };
  await patch(pathOf({ id }), body);
  forgetSessions(); // which ended with the tokens that opened them
  if (session.currentReader().withToken && !isRevoked) return;
  try {
    await session.signIn(username, password);
  } catch (error) {
    if (!isExpected(error)) throw error; // the next request asks for the new password
  }
}

async function deleteProfile(profile, place) {
  replaceContent(place);
  if (await showRemaining(profile, place)) return;
  try {
    const isDeleted = await deleteSeen({
      seen: profile,
      load: () => get("/user-profiles/me", { exact: true }),
      fieldsOf: (state) => [...namesOf(state), ...preferencesOf(state)],
      question: ({ username }) => ({
        title: words.deleteTitle(visible(username)),
        text: words.deleteText,
        agree: words.delete,
        typed: { text: username, label: words.typeName(username), mismatch: words.typedOther },
      }),
      request: (ifMatch) =>
        withRecentSignIn(profile.username, (fresh) => remove(pathOf(profile), { ifMatch, ...fresh })),
    });
    if (!isDeleted) return;
  } catch (error) {
    // A workspace that was created meanwhile.
    if (error.code === "user-has-workspaces" && (await showRemaining(profile, place))) return;
    throw error;
  }
  await openDialog({
    title: words.deleted,
    canClose: false,
    content: (close) => [
      h("p", {}, words.deletedText),
      h("div", { class: "actions" }, button(texts.close, () => close(true), { class: "primary", autofocus: true })),
    ],
  });
  session.signOut();
}

/** Say which workspaces have to be deleted before; returns whether there are any. */
async function showRemaining(profile, place) {
  const workspaces = await list(`${pathOf(profile)}/workspaces`, { query: { sort: "name" } });
  if (workspaces.length === 0) return false;
  replaceContent(
    place,
    h(
      "div",
      { class: "panel warning", role: "alert" },
      h("p", {}, words.hasWorkspaces),
      h("ul", {}, workspaces.map(({ id, name }) => h("li", {}, h("a", { href: href(["workspaces", id]) }, foreign(name))))),
    ),
  );
  return true;
}
