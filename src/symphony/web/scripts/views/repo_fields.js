// The fields of a repo, for creating and changing one.

import { texts } from "../texts.js";

const words = texts.repo;

/** `workspaces` ([id, name]) lets the reader move the repo. */
export function repoFields({ name, path, remote_url: remote, workspace_id: workspace }, workspaces = null) {
  return [
    { name: "name", label: texts.nameLabel, value: name ?? "", required: true, autocomplete: "off" },
    { name: "path", label: words.path, value: path ?? "", hint: words.pathHint, required: true, spellcheck: "false", autocomplete: "off" },
    { name: "remote_url", label: words.remote, value: remote ?? "", hint: words.remoteHint, isOptional: true, spellcheck: "false", autocomplete: "off" },
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
