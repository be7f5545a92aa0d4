// A vault: unlock and lock it, see how long it stays open, change and delete it.

import { get, post, put, remove } from "../api.js";
import { button } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { openDialog } from "../components/dialog.js";
import { editInDialog } from "../components/edit.js";
import { form } from "../components/form.js";
import { invalidField, objectDetails, objectField } from "../components/json_object.js";
import { announce, attempt } from "../components/notices.js";
import { code, foreign, h, replaceContent, visible } from "../dom.js";
import { clock } from "../format.js";
import { go, href } from "../router.js";
import { may } from "../session.js";
import { texts } from "../texts.js";
import { forgetSession, keepSession, onForget, sessionOf } from "../vault_sessions.js";
import { withMetadata, workspaceOptions } from "./repo_fields.js";
import { entriesPanel } from "./vault_entries.js";

const words = texts.vault;

export async function vaultView({ ids: [id], signal }) {
  const path = `/vaults/${id}`;
  const { data: vault } = await get(path, { signal, exact: true });
  const { data: workspace } = await get(`/workspaces/${vault.workspace_id}`, { signal });
  const body = h("div", {});
  const show = () => replaceContent(body, content(vault, show, onLocked, signal));
  const onLocked = () => {
    forgetSession(vault.id);
    vault.is_locked = true;
    closeDialogs();
    show();
  };
  onForget(() => {
    closeDialogs();
    show();
    announce(words.forgotten);
  }, signal);
  signal.addEventListener("abort", () => body.replaceChildren());
  show();
  return {
    title: visible(vault.name),
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["workspaces"]) }, texts.workspaces.title), " › ", h("a", { href: href(["workspaces", workspace.id]) }, foreign(workspace.name))),
      h("div", { class: "title-row" }, h("h1", {}, foreign(vault.name)), may("write") && vaultActions(vault)),
      h("p", { class: "hint" }, words.protections[vault.protection], " ", code(vault.path), " ", passphraseButton(vault, onLocked)),
      objectDetails(vault.metadata, texts.metadata),
      body,
    ],
  };
}

function content(vault, show, onLocked, signal) {
  if (!may("secrets")) return h("p", { class: "panel" }, words.noScope);
  if (vault.protection === "none") {
    return vault.is_locked
      ? h("p", {}, words.locked, " ", button(words.unlock, attempt(async () => {
          await post(`/vaults/${vault.id}/unlock`);
          vault.is_locked = false;
          show();
        }), { class: "primary" }))
      : [h("p", {}, lockButton(vault, onLocked)), entriesPanel(vault, {}, onLocked, signal)];
  }
  const open = sessionOf(vault.id);
  if (open === null) return unlockForm(vault, show);
  return [
    h("p", {}, countdown(open.until, onLocked, signal), " ", lockButton(vault, onLocked)),
    entriesPanel(vault, { "Vault-Session": open.session }, onLocked, signal),
  ];
}

function unlockForm(vault, show) {
  return form({
    fields: [
      { name: "passphrase", label: words.passphrase, type: "password", autocomplete: "off", required: true },
      { name: "ttl_seconds", label: words.duration, type: "select", value: "900", options: words.durations },
    ],
    submit: words.unlock,
    onSubmit: async ({ passphrase, ttl_seconds: ttl }) => {
      const body = { passphrase, ttl_seconds: Number(ttl) };
      const { data } = await post(`/vaults/${vault.id}/unlock`, body);
      keepSession(vault.id, data.session, data.unlocked_until);
      show();
    },
  }).element;
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

/** What is in an open dialog is a secret, too. */
function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
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

/** The fields of a new vault, and the body that they become. */
export const NEW_VAULT = {
  fields: [
    { name: "name", label: texts.nameLabel, required: true, autocomplete: "off" },
    { name: "path", label: words.path, hint: words.pathHint, required: true, spellcheck: "false", autocomplete: "off" },
    { name: "passphrase", label: words.passphrase, type: "password", autocomplete: "new-password", hint: words.passphraseHint },
  ],
  toBody: ({ passphrase, ...others }) =>
    passphrase === "" ? others : { ...others, protection: "passphrase", passphrase },
};
