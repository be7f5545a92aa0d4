// How many repos have nothing to do, which the board itself does not contain. They are counted after the
// board is shown, and only where the number is looked at.

import { Problem, get, requestEach } from "../api.js";
import { currentReader } from "../session.js";

/** Return the id of the newest repo, or null when there is none. */
export async function newestRepo(signal) {
  const query = { sort: "-created_at", limit: 1 };
  const { data } = await get(`/user-profiles/${currentReader().id}/repos`, { query, signal });
  return data.items[0]?.id ?? null;
}

/**
 * Return the number of repos of each workspace by its id, or null when that says nothing about a board
 * before which `newest` was the newest repo: another one was added since, or a workspace no longer exists.
 */
export async function repoCounts(workspaceIds, newest, signal) {
  try {
    const stats = await requestEach(workspaceIds, (id) => get(`/workspaces/${id}/stats`, { signal }));
    if ((await newestRepo(signal)) !== newest) return null;
    return new Map(stats.map(({ data }) => [data.workspace_id, data.repo_count]));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/**
 * Return {count, all} of the repos that were inspected and have nothing to do, in the given workspaces;
 * or null where that is not known. The board does not say in which workspace its `unobserved` are.
 */
export function quietRepos({ items, unobserved }, counts, workspaceIds, { isAll }) {
  if (!workspaceIds.every((id) => counts.has(id)) || (!isAll && unobserved > 0)) return null;
  const all = workspaceIds.reduce((sum, id) => sum + counts.get(id), 0);
  const busy = items.filter((item) => item.kind === "repo" && workspaceIds.includes(item.workspace_id));
  const count = all - busy.length - unobserved;
  return count > 0 ? { count, all } : null;
}
