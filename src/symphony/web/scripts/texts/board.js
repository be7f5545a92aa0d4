// The board and the reasons on it.

import { count, numbers } from "./counting.js";

/** Return which branches are meant, such as " on main, retry and 3 more". */
export function on(branches) {
  const more = branches.length > 3 ? ` and ${branches.length - 3} more` : "";
  const word = branches.length === 1 ? "branch" : "branches";
  return branches.length === 0 ? "" : ` on ${word} ${branches.slice(0, 3).join(", ")}${more}`;
}

export const board = {
  reasons: {
    conflict: "Conflict or unfinished operation",
    dirty: "Uncommitted changes",
    worktree: "Uncommitted changes in a linked worktree",
    unpushed: "Commits that are not pushed",
    detached: "Commits on no branch",
    "no-remote": "No remote",
    stashed: "Stashed changes",
    "at-risk": "Work in a submodule or in hidden files",
    diverged: "Diverged from its upstream",
    behind: "Behind its upstream",
    missing: "Nothing exists at the path",
    unreadable: "Could not be read completely",
    stale: "Unfinished for more than 30 days",
    unseen: "A machine has not reported for 7 days",
    unlocked: "Unlocked",
    "token-expiring": "Expires within 14 days",
  },
  board: {
    title: "Board",
    refresh: "Refresh",
    looking: "Inspecting every repository …",
    seenNow: "All of this was seen just now.",
    oldest: "Some of this was last seen",
    notRefreshed: "This is what was known before.",
    disabled: "This service inspects no directories itself; it shows what machines have reported.",
    unobserved: (value) => `${count(value, "repo has", "repos have")} never been inspected.`,
    nothing: "Nothing needs attention.",
    noMatch: "No item matches these filters.",
    clear: "Remove all filters",
    shown: (shown, all) => (shown === all ? count(all, "item", "items") : `${numbers.format(shown)} of ${count(all, "item", "items")}`),
    quiet: (quiet, all) => `${numbers.format(quiet)} of ${count(all, "repo", "repos")}: nothing to do`,
    items: (value) => count(value, "item", "items"),
    filters: "Filters",
    search: "Search",
    searchHint: "Name, branch or path",
    workspace: "Workspace",
    machine: "Machine",
    reason: "Reason",
    sort: "Order",
    all: "All",
    server: "The computer that runs Symphony",
    unknownChoice: "Unknown",
    sorts: { risk: "At risk first", since: "Oldest work first", name: "By name", workspace: "By workspace", seen: "Longest not seen first" },
    seen: "Seen",
    unfinishedFor: "Unfinished for",
    checkedOut: "checked out:",
    atRisk: "At risk",
    riskUnknown: "Risk unknown",
    kinds: { vault: "Vault", "api-token": "API token" },
    sections: {
      risk: { title: "At risk", text: "This exists in one place only: it would be lost if the disk that it is on died now." },
      unknown: { title: "Possibly at risk", text: "Not everything could be checked. Open a repo to see why." },
      unfinished: { title: "Unfinished, but safe", text: "Nothing here would be lost: it is on a remote as well." },
      vaults: { title: "Unlocked vaults", text: "Each of your tokens with the scope secrets can read them." },
      tokens: { title: "API tokens that expire soon", text: "Programs that use them stop working then." },
    },
    work: {
      conflicted: (value) => count(value, "file in conflict", "files in conflict"),
      staged: (value) => count(value, "staged file", "staged files"),
      modified: (value) => count(value, "modified file", "modified files"),
      untracked: (value) => count(value, "untracked file", "untracked files"),
      unpushed: (value, branches) => `${count(value, "commit", "commits")} not pushed${on(branches)}`,
      stashes: (value) => count(value, "stash", "stashes"),
      behind: (value) => `${count(value, "commit", "commits")} behind`,
    },
  },
};
