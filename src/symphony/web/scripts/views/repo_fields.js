// The fields of a repo, for creating and changing one.

import { list } from "../api.js";
import { objectField, parseObject } from "../components/json_object.js";
import { visible } from "../dom.js";
import { currentReader } from "../session.js";
import { texts } from "../texts.js";

const words = texts.repo;

/** Return [id, name] of each workspace, to which a repo or vault can be moved. */
export async function workspaceOptions() {
  const path = `/user-profiles/${currentReader().id}/workspaces`;
  return (await list(path, { query: { sort: "name" } })).map(({ id, name }) => [id, visible(name)]);
}

/** `workspaces` ([id, name]) lets the reader move the repo. Its metadata are a field only when it exists. */
export function repoFields({ name, path, remote_url: remote, workspace_id: workspace, metadata }, workspaces = null) {
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
    metadata && objectField({ name: "metadata", label: texts.metadata, value: metadata }),
  ].filter(Boolean);
}

export function repoBody({ remote_url: remote, ...others }) {
  return { ...withMetadata(others), remote_url: remote === "" ? null : remote };
}

/** Return the fields of a repo or vault with the object that was typed as its metadata, if it was shown. */
export function withMetadata({ metadata, ...others }) {
  return metadata === undefined ? others : { ...others, metadata: parseObject("metadata", metadata) };
}
