// The workspaces: list and create.

import { get, list, requestEach } from "../api.js";
import { workspaceStates } from "../board/workspace_states.js";
import { button } from "../components/button.js";
import { createInDialog } from "../components/edit.js";
import { objectField, parseObject } from "../components/json_object.js";
import { isExpected } from "../components/notices.js";
import { foreign, h, replaceContent } from "../dom.js";
import { go, href, replaceQuery } from "../router.js";
import { currentReader, may } from "../session.js";
import { texts } from "../texts.js";

const words = texts.workspaces;

export async function workspacesView({ query, signal }) {
  const path = `/user-profiles/${currentReader().id}/workspaces`;
  const workspaces = await list(path, { query: { sort: "name" }, signal });
  const mayCreate = may("write") && !currentReader().isConfined;
  if (query.has("create")) {
    replaceQuery({});
    if (mayCreate) setTimeout(() => create(path));
  }
  return {
    title: words.title,
    content: [
      h(
        "div",
        { class: "title-row" },
        h("h1", {}, words.title),
        mayCreate && button(words.create, () => create(path), { class: "primary" }),
      ),
      h("p", {}, words.intro),
      workspaces.length === 0
        ? h("p", { class: "panel" }, words.none)
        : cards(workspaces, signal),
    ],
  };
}

async function create(path) {
  const workspace = await createInDialog({
    title: words.create,
    fields: workspaceFields({}),
    submit: words.create,
    path,
    toBody: workspaceBody,
  });
  if (workspace) go(["workspaces", workspace.id]);
}

/** The fields of a workspace; its settings only when it exists, since programs write them. */
export function workspaceFields({ name, description, workspace_type: type, settings }) {
  return [
    { name: "name", label: texts.nameLabel, value: name ?? "", required: true, autocomplete: "off" },
    { name: "description", label: words.description, type: "textarea", value: description ?? "", isOptional: true },
    {
      name: "workspace_type",
      label: words.type,
      type: "select",
      value: type ?? "general",
      options: Object.entries(words.types),
    },
    settings && objectField({ name: "settings", label: words.settings, value: settings }),
  ].filter(Boolean);
}

export function workspaceBody({ description, settings, ...others }) {
  return {
    ...others,
    description: description === "" ? null : description,
    ...(settings !== undefined && { settings: parseObject("settings", settings) }),
  };
}

function cards(workspaces, signal) {
  const isOurs = (error) => !signal.aborted && !isExpected(error);
  const stateOf = workspaceStates(signal).catch((error) => {
    if (isOurs(error)) throw error;
    return () => null; // the workspaces are listed all the same
  });
  const all = workspaces.map((workspace) => ({ workspace, state: h("p", {}, "…"), counts: h("span", {}) }));
  requestEach(all, async ({ workspace: { id }, state, counts }) => {
    try {
      const { data } = await get(`/workspaces/${id}/stats`, { signal });
      replaceContent(counts, " · ", words.counts(data.repo_count, data.vault_count));
      replaceContent(state, (await stateOf)(id, data.repo_count));
    } catch (error) {
      if (isOurs(error)) throw error;
      replaceContent(state); // it was deleted meanwhile, or the page was left
    }
  });
  return h("ul", { class: "cards" }, all.map(card));
}

function card({ workspace, state, counts }) {
  return h(
    "li",
    { class: "panel" },
    h("h2", {}, h("a", { href: href(["workspaces", workspace.id]), "data-row": true }, foreign(workspace.name))),
    state,
    workspace.description && h("p", { class: "description" }, foreign(workspace.description)),
    h("p", { class: "hint" }, words.types[workspace.workspace_type], counts),
  );
}
