// What is left to do in each workspace, as it is known without another inspection.

import { get } from "../api.js";
import { h } from "../dom.js";
import { href } from "../router.js";
import { currentReader } from "../session.js";
import { texts } from "../texts.js";
import { prepare } from "./model.js";

const words = texts.workspaces.states;
const LOOKS = { risk: "tag danger", unknown: "tag warning", unfinished: "tag" };

/**
 * Return a function of a workspace's id and its number of repos, which returns links to what is left to do
 * there; nothing where that is not known.
 */
export async function workspaceStates(signal) {
  const query = { fresh: false };
  const { data: board } = await get(`/user-profiles/${currentReader().id}/attention`, { query, signal });
  const sizes = new Map(); // of each section of a workspace
  for (const { kind, workspace_id: id, section } of prepare(board, new Map())) {
    if (kind === "repo") sizes.set(id + section, (sizes.get(id + section) ?? 0) + 1);
  }
  return (id, repos) => {
    const found = Object.keys(LOOKS).filter((section) => sizes.has(id + section));
    // The board does not say where the repos are that were never inspected.
    if (found.length === 0) return repos > 0 && board.unobserved === 0 && h("span", { class: "tag" }, texts.workspace.nothingToDo);
    const link = (section) =>
      h("a", { class: LOOKS[section], href: href(["board"], { workspace: id }) }, words[section](sizes.get(id + section)));
    return found.map((section) => [link(section), " "]);
  };
}
