// How to begin, for a reader without repos.

import { get } from "../api.js";
import { firstCommands } from "../components/terminal.js";
import { h } from "../dom.js";
import { href } from "../router.js";
import { currentReader, may } from "../session.js";
import { texts } from "../texts.js";

const words = texts.firstSteps;

/** Return what a reader without repos does first, or null when there are repos. */
export async function firstSteps(workspaces, { inspection }, signal) {
  const { data } = await get(`/user-profiles/${currentReader().id}/repos`, {
    query: { limit: 1 },
    signal,
  });
  if (data.items.length > 0 || !may("write")) return null;
  const workspace = workspaces[0];
  const inspects = inspection === "enabled";
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
        { class: workspace ? "done" : "" },
        workspace ? words.hasWorkspace : h("a", { class: "button primary", href: href(["workspaces"], { create: "1" }) }, words.createWorkspace),
        h("p", { class: "hint" }, words.workspaceHint),
      ),
      h(
        "li",
        {},
        workspace
          ? h("a", { class: "button primary", href: inspects ? href(["workspaces", workspace.id, "import"]) : href(["workspaces", workspace.id]) }, inspects ? words.importFolder : words.addRepos)
          : inspects ? words.importFolder : words.addRepos,
        h("p", { class: "hint" }, inspects ? words.importHint : words.disabledHint),
      ),
      h("li", {}, words.terminal, h("p", { class: "hint" }, words.terminalHint), firstCommands()),
      h("li", {}, words.comeBack, h("p", { class: "hint" }, words.comeBackHint)),
    ),
  );
}
