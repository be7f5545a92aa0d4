// Signing in and up, with a password or an API token; and signing in again in the middle of work.

import { Problem, SignedOut, describeService } from "../api.js";
import { button } from "../components/button.js";
import { openDialog } from "../components/dialog.js";
import { form } from "../components/form.js";
import { h, replaceContent } from "../dom.js";
import { currentRoute } from "../router.js";
import * as session from "../session.js";
import { texts } from "../texts.js";

const words = texts.signIn;
const RECENT_REQUIRED = "recent-sign-in-required";
const USERNAME = {
  name: "username",
  autocomplete: "username",
  autocapitalize: "none",
  spellcheck: "false",
  maxlength: "254",
};
const PASSWORD = { name: "password", label: words.password, type: "password" };

/** The address at which a new reader can begin: /#/sign-up. */
export const SIGN_UP = "sign-up";

/** The page for readers who are not signed in; `onDone` is called when they are. */
export function signInPage(onDone) {
  const main = h("main", { id: "main", class: "sign-in", tabindex: "-1" });
  const show = (panel) => {
    replaceContent(main, h("p", { class: "brand" }, texts.name), panel);
    document.title = `${main.querySelector("h1").textContent} · ${texts.name}`;
    main.querySelector("input")?.focus();
  };
  const panels = {
    signIn: () => signInPanel(onDone, panels, show),
    signUp: () => signUpPanel(onDone, panels, show),
    token: () => tokenPanel(onDone, panels, show),
  };
  show(panels.signIn());
  if (currentRoute().path[0] === SIGN_UP) {
    isSignUpOpen().then((isOpen) => isOpen && show(panels.signUp()));
  }
  return main;
}

function signInPanel(onDone, panels, show) {
  const signUp = h("p", { hidden: true }, `${words.noAccount} `, button(words.signUp, () => show(panels.signUp())));
  isSignUpOpen().then((isOpen) => (signUp.hidden = !isOpen));
  const { element } = form({
    fields: [
      { ...USERNAME, label: words.login, required: true },
      { ...PASSWORD, autocomplete: "current-password", required: true },
    ],
    submit: words.submit,
    onSubmit: async ({ username, password }) => onDone(await session.signIn(username, password)),
  });
  return h(
    "section",
    {},
    h("h1", {}, words.title),
    h("p", {}, words.intro),
    element,
    signUp,
    h("p", {}, link(words.useToken, () => show(panels.token()))),
  );
}

async function isSignUpOpen() {
  try {
    return (await describeService()).registration === "open";
  } catch {
    return false; // the form says what is wrong when it is sent
  }
}

function signUpPanel(onDone, panels, show) {
  const { element } = form({
    fields: [
      { ...USERNAME, label: words.username, hint: words.usernameHint, maxlength: "64", required: true },
      { name: "email", label: words.email, type: "email", autocomplete: "email", hint: words.emailHint, required: true },
      { ...PASSWORD, autocomplete: "new-password", hint: words.passwordHint, required: true },
    ],
    submit: words.signUp,
    onSubmit: async (values) => onDone(await session.signUp(values)),
  });
  return h(
    "section",
    {},
    h("h1", {}, words.signUpTitle),
    element,
    h("p", { class: "hint" }, words.firstProfile),
    h("p", {}, `${words.hasAccount} `, link(words.submit, () => show(panels.signIn()))),
  );
}

function tokenPanel(onDone, panels, show) {
  const { element } = form({
    fields: [{ ...TOKEN, hint: words.tokenHint }],
    submit: words.submit,
    onSubmit: async ({ token }) => onDone(await session.signInWithToken(token.trim())),
  });
  return h(
    "section",
    {},
    h("h1", {}, words.tokenTitle),
    element,
    h("p", {}, link(words.usePassword, () => show(panels.signIn()))),
  );
}

const TOKEN = {
  name: "token",
  label: words.token,
  type: "password",
  autocomplete: "off",
  spellcheck: "false",
  required: true,
};

function link(text, onclick) {
  return button(text, onclick, { class: "link" });
}

/** Ask the reader to sign in again; what is on the page stays. Throws: SignedOut. */
export async function askToSignInAgain(reader) {
  const isDone = await openDialog({
    title: words.againTitle,
    content: (close, giveUp) =>
      form({
        above: [h("p", {}, words.againText)],
        fields: reader.withToken
          ? [{ ...TOKEN, autofocus: true }]
          : [
              { ...USERNAME, label: words.username, value: reader.name, readonly: true },
              { ...PASSWORD, autocomplete: "current-password", required: true, autofocus: true },
            ],
        submit: words.submit,
        onCancel: giveUp,
        onSubmit: async ({ password, token }) => {
          await (reader.withToken
            ? session.resumeWithToken(token.trim())
            : session.resume(password));
          close(true);
        },
      }).element,
  });
  if (!isDone) throw new SignedOut();
}

/**
 * Make a request that the service accepts shortly after a sign-in only. `request` gets options: none at
 * first, and a new token after the reader has given the password. Nothing else uses that token.
 * Throws: what `request` throws; a Problem with the code recent-sign-in-required when the reader cancels.
 */
export async function withRecentSignIn(username, request) {
  try {
    return await request({});
  } catch (error) {
    if (!requiresRecentSignIn(error)) throw error;
  }
  const token = await openDialog({
    title: words.confirmTitle,
    content: (close, giveUp) =>
      form({
        above: [h("p", {}, words.confirmText)],
        fields: [
          { ...USERNAME, label: words.username, value: username, readonly: true },
          { ...PASSWORD, autocomplete: "current-password", required: true, autofocus: true },
        ],
        submit: words.confirm,
        onCancel: giveUp,
        onSubmit: async ({ password }) => close(await session.recentToken(username, password)),
      }).element,
  });
  if (token === undefined) throw new Problem(403, { code: RECENT_REQUIRED });
  return request({ token });
}

function requiresRecentSignIn(error) {
  if (!(error instanceof Problem)) return false;
  const isMissing = ({ pointer, code }) => pointer === "/current_password" && code === "missing";
  return error.code === RECENT_REQUIRED || (error.errors.length > 0 && error.errors.every(isMissing));
}
