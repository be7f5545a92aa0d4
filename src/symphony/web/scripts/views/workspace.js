// A workspace: its repos and vaults; change and delete it, add and import repos.

import { get, list, remove } from "../api.js";
import { repoStates } from "../board/repo_states.js";
import { button } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { createInDialog, editInDialog } from "../components/edit.js";
import { growingList } from "../components/growing_list.js";
import { objectDetails } from "../components/json_object.js";
import { announce, attempt } from "../components/notices.js";
import { code, foreign, h, visible } from "../dom.js";
import { go, href, replaceQuery } from "../router.js";
import { may } from "../session.js";
import { texts } from "../texts.js";
import { repoBody, repoFields } from "./repo_fields.js";
import { addVault, vaultRow } from "./vaults.js";
import { workspaceBody, workspaceFields } from "./workspaces.js";

const words = texts.workspace;

export async function workspaceView({ ids: [id], query, signal }) {
  const path = `/workspaces/${id}`;
  const [{ data: workspace }, repos, vaults] = await Promise.all([
    get(path, { signal, exact: true }),
    list(`${path}/repos`, { query: { sort: "name" }, signal }),
    list(`${path}/vaults`, { query: { sort: "name" }, signal }),
  ]);
  return {
    title: visible(workspace.name),
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["workspaces"]) }, texts.workspaces.title)),
      h("div", { class: "title-row" }, h("h1", {}, foreign(workspace.name)), may("write") && workspaceActions(workspace)),
      workspace.description && h("p", { class: "description" }, foreign(workspace.description)),
      objectDetails(workspace.settings, texts.workspaces.settings),
      h(
        "div",
        { class: "title-row" },
        h("h2", {}, words.repos),
        may("write") && [
          h("a", { class: "button primary", href: href(["workspaces", id, "import"]) }, words.importFolder),
          button(words.addRepo, () => addRepo(id)),
        ],
      ),
      repos.length === 0 ? h("p", { class: "panel" }, words.noRepos) : repoList(id, repos, query, signal),
      h("div", { class: "title-row" }, h("h2", {}, words.vaults), may("write") && button(texts.vaults.add, () => addVault([workspace]))),
      vaults.length === 0
        ? h("p", { class: "panel" }, words.noVaults)
        : h("ul", { class: "rows" }, vaults.map((each) => vaultRow(each))),
    ],
  };
}

function workspaceActions(workspace) {
  const path = `/workspaces/${workspace.id}`;
  return [
    button(texts.edit, attempt(async () => {
      const changed = await editInDialog({
        title: words.edit,
        path,
        fieldsOf: workspaceFields,
        toBody: workspaceBody,
      });
      if (changed) reload(words.saved);
    })),
    button(texts.delete, attempt(async () => {
      let force;
      const isDeleted = await deleteSeen({
        seen: workspace,
        load: () => get(path, { exact: true }),
        fieldsOf: workspaceFields,
        question: async ({ name }) => {
          const { repo_count: repos, vault_count: vaults } = (await get(`${path}/stats`)).data;
          force = repos + vaults > 0 || undefined;
          return {
            title: words.deleteTitle(visible(name)),
            text: [words.deleteContents(repos, vaults), words.deleteHint],
            agree: words.delete,
          };
        },
        request: (ifMatch) => remove(path, { query: { force }, ifMatch }),
      });
      if (!isDeleted) return;
      announce(words.deleted);
      go(["workspaces"]);
    }), { class: "danger" }),
  ];
}

function reload(text) {
  announce(text);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

async function addRepo(id) {
  const repo = await createInDialog({
    title: words.addRepo,
    fields: repoFields({}),
    submit: words.addRepo,
    path: `/workspaces/${id}/repos`,
    toBody: repoBody,
  });
  if (repo) reload(words.added(visible(repo.name)));
}

function repoList(id, repos, query, signal) {
  let states = new Map();
  const rows = growingList((repo) => repoRow(repo, states.get(repo.id)), { class: "rows in-columns" });
  const update = (q, options) => {
    const text = q.toLowerCase();
    rows.show(repos.filter(({ name, path }) => `${name}\n${path}`.toLowerCase().includes(text)), options);
  };
  update(query.get("q") ?? "");
  const search = h("input", {
    type: "search",
    value: query.get("q") ?? "",
    "aria-label": words.search,
    placeholder: words.search,
    oninput: ({ target }) => {
      replaceQuery({ q: target.value });
      update(target.value);
    },
  });
  repoStates(id, repos, signal).then(
    (found) => {
      states = found;
      update(search.value, { isSame: true });
    },
    () => {}, // the repos are listed without their states
  );
  return [h("p", { class: "hint" }, words.stateHint), repos.length > 10 && search, rows.element];
}

function repoRow({ id, name, path, remote_url: remote }, state) {
  return h(
    "li",
    {},
    h("a", { href: href(["repos", id]), "data-row": true }, foreign(name)),
    h("span", { class: "state" }, state && h("span", { class: state.isAtRisk ? "tag danger" : "tag" }, state.text)),
    h("span", {}, code(path), remote && [" ", h("span", { class: "hint" }, foreign(remote))]),
  );
}
