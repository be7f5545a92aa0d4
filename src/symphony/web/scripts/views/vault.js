// A vault: unlock and lock it, see how long it stays open, change and delete it.

import { get, post, put, remove } from "../api.js";
import { button } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { closeDialogs, openDialog } from "../components/dialog.js";
import { editInDialog } from "../components/edit.js";
import { form } from "../components/form.js";
import { invalidField, objectDetails, objectField } from "../components/json_object.js";
import { announce, attempt, isExpected } from "../components/notices.js";
import { code, foreign, h, replaceContent, visible } from "../dom.js";
import { clock } from "../format.js";
import { go, href, replaceQuery } from "../router.js";
import { may } from "../session.js";
import { texts } from "../texts.js";
import { forgetSession, keepSession, onForget, sessionOf } from "../vault_sessions.js";
import { withMetadata, workspaceOptions } from "./repo_fields.js";
import { entriesPanel } from "./vault_entries.js";

const words = texts.vault;
const OPEN_FOR = "900"; // seconds, unless the reader chooses another time

export async function vaultView({ ids: [id], query, signal }) {
  const path = `/vaults/${id}`;
  const { data: vault } = await get(path, { signal, exact: true });
  const { data: workspace } = await get(`/workspaces/${vault.workspace_id}`, { signal });
  const body = h("div", {});
  const show = ({ movesFocus = false } = {}) => {
    replaceContent(body, content(vault, show, onLocked, signal, movesFocus));
    // What had the focus has just been removed, for example "Lock now".
    if (document.activeElement === document.body) body.querySelector("[autofocus]")?.focus();
  };
  const onLocked = () => {
    forgetSession(vault.id);
    vault.is_locked = true;
    closeDialogs(); // what is in them is a secret, too
    show();
  };
  onForget(() => {
    closeDialogs();
    show();
    announce(words.forgotten);
  }, signal);
  signal.addEventListener("abort", () => body.replaceChildren());
  const isNew = query.has("new");
  if (isNew) replaceQuery({});
  show({ movesFocus: isNew });
  return {
    title: visible(vault.name),
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["vaults"]) }, texts.vaults.title), " › ", h("a", { href: href(["workspaces", workspace.id]) }, foreign(workspace.name))),
      h("div", { class: "title-row" }, h("h1", {}, foreign(vault.name)), may("write") && vaultActions(vault)),
      h("p", { class: "hint" }, words.protections[vault.protection], " ", words.foundAt, " ", code(vault.path), " ", passphraseButton(vault, onLocked)),
      objectDetails(vault.metadata, texts.metadata),
      body,
    ],
  };
}

function content(vault, show, onLocked, signal, movesFocus) {
  if (!may("secrets")) return h("p", { class: "panel" }, words.noScope);
  if (vault.protection === "none") {
    return vault.is_locked
      ? stateLine(true, button(words.unlock, attempt(async () => {
          await post(`/vaults/${vault.id}/unlock`);
          vault.is_locked = false;
          show({ movesFocus: true });
        }), { class: "primary", autofocus: true }))
      : [stateLine(false, lockButton(vault, onLocked)), entriesPanel(vault, {}, onLocked, signal, movesFocus)];
  }
  const open = sessionOf(vault.id);
  if (open === null) return [stateLine(true), unlockForm(vault, show)];
  return [
    stateLine(false, countdown(open.until, onLocked, signal), " ", lockButton(vault, onLocked)),
    entriesPanel(vault, { "Vault-Session": open.session }, onLocked, signal, movesFocus),
  ];
}

function stateLine(isLocked, ...more) {
  const { locked, unlocked } = texts.workspace;
  return h("p", {}, h("span", { class: isLocked ? "tag" : "tag warning" }, isLocked ? locked : unlocked), " ", more);
}

function unlockForm(vault, show) {
  return form({
    fields: [
      { name: "passphrase", label: words.passphrase, type: "password", autocomplete: "off", required: true, autofocus: true },
      { name: "ttl_seconds", label: words.duration, type: "select", value: OPEN_FOR, options: words.durations },
    ],
    submit: words.unlock,
    onSubmit: async ({ passphrase, ttl_seconds: ttl }) => {
      await unlock(vault.id, passphrase, ttl);
      show({ movesFocus: true });
    },
  }).element;
}

async function unlock(id, passphrase, ttl) {
  const { data } = await post(`/vaults/${id}/unlock`, { passphrase, ttl_seconds: Number(ttl) });
  keepSession(id, data.session, data.unlocked_until);
}

/** Unlock a vault that was just created, so that nobody types its passphrase twice. */
async function unlockNew({ id, protection }, { passphrase }) {
  if (protection === "none" || !may("secrets")) return;
  try {
    await unlock(id, passphrase, OPEN_FOR);
  } catch (error) {
    if (!isExpected(error)) throw error; // the vault exists; its page asks for the passphrase
  }
}

/** Return the path that is proposed for a new vault: its name, as far as it can be part of a path. */
function pathFor(name) {
  const part = name.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "");
  return words.pathOf(part);
}

function lockButton(vault, onLocked) {
  return button(words.lock, attempt(async () => {
    onLocked(); // first what is on the page, whether or not the service answers
    await post(`/vaults/${vault.id}/lock`);
    announce(words.lockedNow);
  }));
}

/** The time until the session expires. Screen readers are not told every second. */
function countdown(until, onExpired, signal) {
  const element = h("span", { role: "timer", "aria-live": "off" });
  const tick = () => {
    const left = (until - Date.now()) / 1000;
    element.textContent = words.locksIn(clock(left));
    if (left > 0) return;
    clearInterval(interval);
    if (!element.isConnected) return;
    onExpired();
    announce(words.expired);
  };
  const interval = setInterval(tick, 1000);
  signal.addEventListener("abort", () => clearInterval(interval));
  tick();
  return element;
}

function vaultActions(vault) {
  const path = `/vaults/${vault.id}`;
  return [
    button(texts.edit, attempt(async () => {
      const workspaces = await workspaceOptions();
      const changed = await editInDialog({
        title: words.edit,
        path,
        fieldsOf: (state) => vaultFields(state, workspaces),
        toBody: withMetadata,
      });
      if (!changed) return;
      announce(words.saved);
      dispatchEvent(new HashChangeEvent("hashchange"));
    })),
    button(texts.delete, attempt(async () => {
      const workspaces = await workspaceOptions();
      const isDeleted = await deleteSeen({
        seen: vault,
        load: () => get(path, { exact: true }),
        fieldsOf: (state) => vaultFields(state, workspaces),
        question: ({ name }) => ({ title: words.deleteTitle(visible(name)), text: [words.deleteText], agree: words.delete }),
        request: (ifMatch) => remove(path, { query: { force: true }, ifMatch }),
      });
      if (!isDeleted) return;
      forgetSession(vault.id);
      announce(words.deleted);
      go(["workspaces", vault.workspace_id]);
    }), { class: "danger" }),
  ];
}

function passphraseButton(vault, onLocked) {
  const isOffered = vault.protection === "passphrase" && may("secrets") && may("write");
  return isOffered && button(words.changePassphrase, () => changePassphrase(vault, onLocked), { class: "small" });
}

/** Change the passphrase, which locks the vault: the service ends all its sessions. */
function changePassphrase(vault, onLocked) {
  const passphrase = { type: "password", required: true, autocomplete: "new-password" };
  let dirty = () => false;
  return openDialog({
    title: words.changePassphrase,
    isDirty: () => dirty(),
    content: (close, giveUp) => {
      const made = form({
        above: h("p", {}, words.changePassphraseText),
        fields: [
          { ...passphrase, name: "passphrase", label: words.oldPassphrase, autocomplete: "off" },
          { ...passphrase, name: "new", label: words.newPassphrase, hint: words.newPassphraseHint },
          { ...passphrase, name: "again", label: words.again },
        ],
        submit: words.changePassphrase,
        onCancel: giveUp,
        onSubmit: async (values) => {
          if (values.new !== values.again) throw invalidField("again", words.different);
          await put(`/vaults/${vault.id}/passphrase`, { old: values.passphrase, new: values.new });
          close(true);
          onLocked();
          announce(words.passphraseChanged);
        },
      });
      dirty = made.isDirty;
      return made.element;
    },
  });
}

function vaultFields({ name, path, workspace_id: workspace, metadata }, workspaces) {
  return [
    { name: "name", label: texts.nameLabel, value: name, required: true, autocomplete: "off" },
    { name: "path", label: words.path, value: path, required: true, spellcheck: "false", autocomplete: "off" },
    { name: "workspace_id", label: texts.repo.workspace, type: "select", value: workspace, options: workspaces },
    objectField({ name: "metadata", label: texts.metadata, value: metadata }),
  ];
}

/** Return the fields of a new vault, and what becomes of them. The reader begins with the passphrase if a name is proposed. */
export function newVault({ name = "" } = {}) {
  const path = { name: "path", label: words.path, hint: words.pathHint, value: pathFor(name), follows: { name: "name", as: pathFor } };
  const passphrase = { name: "passphrase", label: words.passphrase, type: "password", autocomplete: "new-password", hint: words.passphraseHint };
  return {
    fields: [
      { name: "name", label: texts.nameLabel, value: name, required: true, autocomplete: "off" },
      { ...passphrase, isOptional: true, autofocus: name !== "" },
      { ...path, folded: texts.options, required: true, spellcheck: "false", autocomplete: "off" },
    ],
    toBody: ({ passphrase, ...others }) =>
      passphrase === "" ? others : { ...others, protection: "passphrase", passphrase },
    onCreated: unlockNew,
  };
}
