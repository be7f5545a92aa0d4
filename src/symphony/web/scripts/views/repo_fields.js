// The fields of a repo, for creating and changing one.

import { list } from "../api.js";
import { visible } from "../dom.js";
import { currentReader } from "../session.js";
import { texts } from "../texts.js";

const words = texts.repo;

/** Return [id, name] of each workspace, to which a repo or vault can be moved. */
export async function workspaceOptions() {
  const path = `/user-profiles/${currentReader().id}/workspaces`;
  return (await list(path, { query: { sort: "name" } })).map(({ id, name }) => [id, visible(name)]);
}

/** `workspaces` ([id, name]) lets the reader move the repo. */
export function repoFields({ name, path, remote_url: remote, workspace_id: workspace }, workspaces = null) {
  return [
    { name: "name", label: texts.nameLabel, value: name ?? "", required: true, autocomplete: "off" },
    { name: "path", label: words.path, value: path ?? "", hint: words.pathHint, required: true, spellcheck: "false", autocomplete: "off" },
    { name: "remote_url", label: words.remote, value: remote ?? "", hint: words.remoteHint, spellcheck: "false", autocomplete: "off" },
    workspaces && {
      name: "workspace_id",
      label: words.workspace,
      type: "select",
      value: workspace,
      options: workspaces,
    },
  ].filter(Boolean);
}

export function repoBody({ remote_url: remote, ...others }) {
  return { ...others, remote_url: remote === "" ? null : remote };
}
