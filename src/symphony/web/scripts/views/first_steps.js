// How to begin, for a reader without repos.

import { newIdempotencyKey, post } from "../api.js";
import { button } from "../components/button.js";
import { attempt } from "../components/notices.js";
import { firstCommands } from "../components/terminal.js";
import { foreign, h } from "../dom.js";
import { go, href } from "../router.js";
import { currentReader, may } from "../session.js";
import { texts } from "../texts.js";
import { folderSearch } from "./import.js";

const words = texts.firstSteps;

/** Return what a reader without repos does first; nothing for one who may not. */
export function firstSteps(workspaces, { inspection }, signal) {
  const [workspace] = workspaces;
  if (!may("write") || (!workspace && currentReader().isConfined)) return null;
  const inspects = inspection === "enabled";
  const target = workspaceFor(workspaces);
  return h(
    "section",
    { class: "panel first-steps" },
    h("h2", {}, words.title),
    h("p", {}, inspects ? words.intro : words.disabledHint),
    inspects
      ? folderSearch(target, signal)
      : button(words.addRepos, attempt(async () => go(["workspaces", await target()])), { class: "primary" }),
    h("p", { class: "hint" }, destination(workspaces)),
    h(
      "details",
      { open: !inspects },
      h("summary", {}, inspects ? words.terminalElsewhere : words.terminal),
      h("p", { class: "hint" }, words.terminalHint),
      firstCommands(),
    ),
  );
}

/** Say into which workspace the repos go, and how the reader gets another one. */
function destination([workspace, ...others]) {
  if (workspace === undefined) {
    const own = h("a", { href: href(["workspaces"], { create: "1" }) }, texts.workspaces.create);
    return [words.first(texts.workspaces.first), " ", words.own, " ", own];
  }
  const link = h("a", { href: href(["workspaces", workspace.id]) }, foreign(workspace.name));
  return [words.into, " ", link, others.length > 0 && [". ", h("a", { href: href(["workspaces"]) }, words.other)]];
}

/**
 * Return a function that resolves with the id of the first workspace, which it creates for a reader who
 * has none. Called twice, it creates one.
 */
export function workspaceFor([workspace]) {
  const key = newIdempotencyKey();
  const path = `/user-profiles/${currentReader().id}/workspaces`;
  return async () => (workspace ??= (await post(path, { name: texts.workspaces.first }, { key })).data).id;
}
