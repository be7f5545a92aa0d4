// All vaults, in all workspaces. A reader without one creates the first on the page itself.

import { list, requestEach } from "../api.js";
import { button } from "../components/button.js";
import { closeDialogs } from "../components/dialog.js";
import { createInDialog, creation } from "../components/edit.js";
import { form } from "../components/form.js";
import { announce } from "../components/notices.js";
import { foreign, h, visible } from "../dom.js";
import { go, href } from "../router.js";
import { currentReader, may } from "../session.js";
import { texts } from "../texts.js";
import { onForget } from "../vault_sessions.js";
import { workspaceFor } from "./first_steps.js";
import { newVault } from "./vault.js";

const words = texts.vaults;

export async function vaultsView({ signal }) {
  const path = `/user-profiles/${currentReader().id}/workspaces`;
  const workspaces = await list(path, { query: { sort: "name" }, signal });
  const vaultsOf = ({ id }) => list(`/workspaces/${id}/vaults`, { query: { sort: "name" }, signal });
  const vaults = (await requestEach(workspaces, vaultsOf)).flat();
  const names = new Map(workspaces.map(({ id, name }) => [id, name]));
  const mayCreate = may("write") && (workspaces.length > 0 || !currentReader().isConfined);
  const isFirst = mayCreate && vaults.length === 0;
  return {
    title: words.title,
    content: [
      h(
        "div",
        { class: "title-row" },
        h("h1", {}, words.title),
        mayCreate && !isFirst && button(words.add, () => addVault(workspaces), { class: "primary" }),
      ),
      h("p", {}, words.intro),
      isFirst && firstVault(workspaces, signal),
      !mayCreate && vaults.length === 0 && h("p", { class: "panel" }, words.none),
      vaults.length > 0 && h("ul", { class: "rows" }, vaults.map((each) => vaultRow(each, names))),
    ],
  };
}

/** The row of a vault; with the names of workspaces, it says in which one the vault is. */
export function vaultRow({ id, name, is_locked: isLocked, workspace_id: workspace }, names = null) {
  const { locked, unlocked } = texts.workspace;
  return h(
    "li",
    {},
    h("a", { href: href(["vaults", id]), "data-row": true }, foreign(name)),
    h("span", { class: isLocked ? "tag" : "tag warning" }, isLocked ? locked : unlocked),
    names && h("a", { href: href(["workspaces", workspace]) }, foreign(names.get(workspace))),
  );
}

function firstVault(workspaces, signal) {
  const { fields, ...others } = definition(workspaces, { name: words.firstName });
  const create = creation(others);
  const made = form({ fields, submit: words.add, onSubmit: async (values) => open(await create(values)) });
  onForget(() => made.fill({ passphrase: "" }), signal);
  return h("section", { class: "panel" }, h("h2", {}, words.first), made.element);
}

/** Let the reader create a vault, in one of the workspaces. */
export async function addVault(workspaces) {
  const above = h("p", {}, words.intro);
  const isClosed = new AbortController();
  onForget(closeDialogs, isClosed.signal);
  const vault = await createInDialog({ title: words.add, above, submit: words.add, ...definition(workspaces) });
  isClosed.abort();
  if (vault) open(vault);
}

function open({ id }) {
  announce(texts.vault.created);
  go(["vaults", id], { new: "1" });
}

/** What a form needs for a new vault. The reader chooses where it is if there are several workspaces. */
function definition(workspaces, proposed) {
  const { fields, toBody, onCreated } = newVault(proposed);
  const options = workspaces.map(({ id, name }) => [id, visible(name)]);
  const choice = { name: "workspace_id", label: texts.repo.workspace, type: "select", value: workspaces[0]?.id, options };
  const first = workspaceFor(workspaces);
  return {
    fields: workspaces.length > 1 ? fields.toSpliced(-1, 0, choice) : fields, // before the folded ones
    path: async ({ workspace_id: id }) => `/workspaces/${id ?? (await first())}/vaults`,
    toBody: ({ workspace_id: id, ...values }) => toBody(values),
    onCreated,
  };
}
