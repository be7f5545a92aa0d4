// What is left to do in each repo of a workspace, as it is known without another inspection.

import { get } from "../api.js";
import { currentReader } from "../session.js";
import { texts } from "../texts.js";
import { prepare } from "./model.js";
import { workOf } from "./words.js";

/** Return {text, isAtRisk} by the ids of the repos; one of which that is not known is left out. */
export async function repoStates(workspaceId, repos, signal) {
  const { data: board } = await get(`/user-profiles/${currentReader().id}/attention`, {
    query: { fresh: false, workspace_id: workspaceId },
    signal,
  });
  const items = new Map(prepare(board, new Map()).map((item) => [item.id, item]));
  // The board does not say which repos were never inspected.
  const quiet = board.unobserved === 0 ? { text: texts.workspace.nothingToDo, isAtRisk: false } : null;
  const states = repos.map(({ id }) => [id, items.has(id) ? stateOf(items.get(id)) : quiet]);
  return new Map(states.filter(([, state]) => state !== null));
}

function stateOf({ checkouts, at_risk: atRisk }) {
  const work = new Set(checkouts.flatMap(workOf));
  return { text: [...work].join(" · "), isAtRisk: atRisk === true };
}
