// How to begin, for a reader without repos.

import { get, newIdempotencyKey, post } from "../api.js";
import { button } from "../components/button.js";
import { attempt } from "../components/notices.js";
import { firstCommands } from "../components/terminal.js";
import { h } from "../dom.js";
import { go, href } from "../router.js";
import { currentReader, may } from "../session.js";
import { texts } from "../texts.js";

const words = texts.firstSteps;

/** Return what a reader without repos does first, or null when there are repos. */
export async function firstSteps(workspaces, { inspection }, signal) {
  const { data } = await get(`/user-profiles/${currentReader().id}/repos`, {
    query: { limit: 1 },
    signal,
  });
  const workspace = workspaces[0];
  const mayBegin = may("write") && (workspace || !currentReader().isConfined);
  if (data.items.length > 0 || !mayBegin) return null;
  const inspects = inspection === "enabled";
  const label = inspects ? words.importFolder : words.addRepos;
  const next = (id) => (inspects ? ["workspaces", id, "import"] : ["workspaces", id]);
  const key = newIdempotencyKey(); // pressed twice, the button creates one workspace
  return h(
    "section",
    { class: "panel first-steps" },
    h("h2", {}, words.title),
    h("p", {}, words.intro),
    h(
      "ol",
      {},
      h(
        "li",
        {},
        workspace
          ? h("a", { class: "button primary", href: href(next(workspace.id)) }, label)
          : button(label, attempt(async () => go(next(await firstWorkspace(key)))), { class: "primary" }),
        h("p", { class: "hint" }, inspects ? words.importHint : words.disabledHint),
        !workspace && [
          h("p", { class: "hint" }, words.first(texts.workspaces.first)),
          h("p", { class: "hint" }, words.own, " ", h("a", { href: href(["workspaces"], { create: "1" }) }, texts.workspaces.create)),
        ],
      ),
      h("li", {}, words.comeBack, h("p", { class: "hint" }, words.comeBackHint)),
    ),
    h(
      "details",
      { open: !inspects },
      h("summary", {}, inspects ? words.terminalElsewhere : words.terminal),
      h("p", { class: "hint" }, words.terminalHint),
      firstCommands(),
    ),
  );
}

/** Create the workspace for a reader who has none, and return its id. */
async function firstWorkspace(key) {
  const path = `/user-profiles/${currentReader().id}/workspaces`;
  return (await post(path, { name: texts.workspaces.first }, { key })).data.id;
}
