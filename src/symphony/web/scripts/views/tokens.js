// The API tokens: list, create, rotate, revoke. A token itself is shown once, when it is created.

import { list, remove } from "../api.js";
import { button } from "../components/button.js";
import { confirm } from "../components/dialog.js";
import { createInDialog } from "../components/edit.js";
import { announce, attempt } from "../components/notices.js";
import { foreign, h, visible } from "../dom.js";
import { moment, when } from "../format.js";
import { continueWithSuccessor, currentReader, may } from "../session.js";
import { texts } from "../texts.js";
import { forgetSessions } from "../vault_sessions.js";
import { showSecret } from "./secret.js";

const words = texts.tokens;
const SCOPES = ["read", "write", "secrets"];
const DAY = 86_400_000; // milliseconds

export async function tokensView({ signal }) {
  const [tokens, workspaces] = await Promise.all([
    list("/api-tokens", { query: { sort: "name" }, signal }),
    list(`/user-profiles/${currentReader().id}/workspaces`, { query: { sort: "name" }, signal }),
  ]);
  const names = new Map(workspaces.map(({ id, name }) => [id, name]));
  return {
    title: words.title,
    content: [
      h("div", { class: "title-row" }, h("h1", {}, words.title), may("write") && button(words.create, attempt(() => create(workspaces)), { class: "primary" })),
      h("p", {}, words.intro),
      tokens.length === 0
        ? h("p", { class: "panel" }, words.none)
        : h("ul", { class: "rows" }, tokens.map((each) => tokenRow(each, names))),
    ],
  };
}

async function create(workspaces) {
  const token = await createInDialog({
    title: words.create,
    fields: [
      { name: "name", label: texts.nameLabel, hint: words.nameHint, required: true, autocomplete: "off" },
      { name: "scopes", label: words.scopes, type: "checks", value: ["read"], options: SCOPES.map((each) => [each, each, words.scopeHelp[each]]) },
      workspaces.length > 0 && { name: "workspace_ids", label: words.workspaces, type: "checks", options: workspaces.map(({ id, name }) => [id, foreign(name)]) },
      { name: "days", label: words.expiry, type: "select", value: "90", options: words.expiries },
    ].filter(Boolean),
    submit: words.create,
    path: "/api-tokens",
    isSecret: true, // its creation cannot be repeated
    toBody: ({ name, scopes, workspace_ids: ids = [], days }) => ({
      name,
      scopes,
      workspace_ids: ids.length > 0 ? ids : null,
      expires_at: expiryIn(days),
    }),
  });
  if (!token) return;
  dispatchEvent(new HashChangeEvent("hashchange"));
  await showSecret({ title: words.createdTitle(visible(token.name)), text: words.createdText, secret: token.token });
}

const expiryIn = (days) => (days === "" ? null : new Date(Date.now() + Number(days) * DAY).toISOString());

/** Replace a token by a successor, beside which it stays valid for a while. */
async function rotate({ id, name, expires_at: expiry }) {
  let overlap = 0;
  const sameLifetime = ["", expiry === null ? words.neverAgain : words.sameLifetime];
  const successor = await createInDialog({
    title: words.rotateTitle(visible(name)),
    above: h("p", {}, words.rotateText),
    fields: [
      { name: "overlap", label: words.overlap, type: "select", value: "3600", options: words.overlaps, hint: words.overlapHint },
      { name: "days", label: words.newExpiry, type: "select", value: "", options: [sameLifetime, ...words.expiries.filter(([days]) => days !== "")] },
    ],
    submit: words.rotate,
    path: `/api-tokens/${id}/rotate`,
    isSecret: true,
    toBody: (values) => {
      overlap = Number(values.overlap);
      return { overlap_seconds: overlap, expires_at: expiryIn(values.days) };
    },
  });
  if (!successor) return;
  if (currentReader().tokenId === id) {
    // The page itself uses the old token, which opened the vaults as well.
    continueWithSuccessor(successor);
    forgetSessions();
  }
  dispatchEvent(new HashChangeEvent("hashchange"));
  const end = Math.min(Date.now() + overlap * 1000, expiry === null ? Infinity : Date.parse(expiry));
  await showSecret({
    title: words.createdTitle(visible(name)),
    text: words.rotatedText,
    secret: successor.token,
    below: h("p", {}, end > Date.now() ? [words.oldUntil, " ", moment(end)] : words.oldEnded, "."),
  });
}

function tokenRow(token, workspaceNames) {
  const isExpired = token.expires_at !== null && Date.parse(token.expires_at) <= Date.now();
  const name = visible(token.name);
  return h(
    "li",
    {},
    h("strong", { tabindex: "-1", "data-row": true }, foreign(token.name)),
    h("span", {}, token.scopes.map((each) => [h("span", { class: "tag" }, each), " "])),
    h("span", {}, token.workspace_ids === null ? words.allWorkspaces : token.workspace_ids.length === 0 ? words.noWorkspaces : [words.only, " ", token.workspace_ids.map((id, index) => [index > 0 && ", ", foreign(workspaceNames.get(id) ?? id)])]),
    h("span", {}, token.expires_at === null ? words.never : [isExpired ? words.expired : words.expires, " ", when(token.expires_at)]),
    h("span", {}, token.last_used_at === null ? words.unused : [words.used, " ", when(token.last_used_at)]),
    may("write") &&
      h("span", { class: "row-actions" }, button(words.rotate, () => rotate(token), { class: "small", "aria-label": `${words.rotate}: ${name}` }), button(words.revoke, attempt(async () => {
        const agreed = await confirm({ title: words.revokeTitle(name), text: words.revokeText, agree: words.revoke });
        if (!agreed) return;
        await remove(`/api-tokens/${token.id}`);
        announce(words.revoked);
        dispatchEvent(new HashChangeEvent("hashchange"));
      }), { class: "small danger", "aria-label": `${words.revoke}: ${name}` })),
  );
}
