// How many repos have nothing to do, which the board itself does not contain.

import { Problem, get } from "../api.js";

/** Return the number of repos of each workspace, by its id, or null when one of them no longer exists. */
export async function repoCounts(workspaces, signal) {
  try {
    const stats = await Promise.all(
      [...workspaces.keys()].map((id) => get(`/workspaces/${id}/stats`, { signal })),
    );
    return new Map(stats.map(({ data }) => [data.workspace_id, data.repo_count]));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/**
 * Return {count, all} of the repos that were inspected and have nothing to do, in one workspace or in
 * all; or null where that is not known. `counts` are from before the board was computed, so a repo that
 * was added meanwhile is not among them.
 */
export function quietRepos({ items, unobserved }, counts, workspace) {
  if (!counts || (workspace && unobserved > 0)) return null;
  const ids = workspace ? [workspace] : [...counts.keys()];
  const all = ids.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0);
  const busy = items.filter((item) => item.kind === "repo" && ids.includes(item.workspace_id));
  const count = all - busy.length - unobserved;
  return count > 0 ? { count, all } : null;
}
