// Workspaces, and the import of a folder into one.

import { count, numbers } from "./counting.js";

export const workspaces = {
  workspaces: {
    title: "Workspaces",
    create: "Create workspace",
    first: "Projects",
    intro: "Each workspace contains repos, and vaults for secrets.",
    none: "You have no workspace yet. Create one to add repositories to it.",
    description: "Description",
    type: "Type",
    settings: "Settings",
    types: { general: "General", client: "Client", personal: "Personal", research: "Research" },
    states: {
      risk: (value) => `${numbers.format(value)} at risk`,
      unknown: (value) => `${numbers.format(value)} possibly at risk`,
      unfinished: (value) => `${numbers.format(value)} unfinished`,
    },
    counts: (repos, vaults) => `${count(repos, "repo", "repos")}, ${count(vaults, "vault", "vaults")}`,
  },
  workspace: {
    repos: "Repos",
    vaults: "Vaults",
    importFolder: "Import a folder",
    addRepo: "Add repo",
    noRepos: "No repos yet. Import a folder to add many at once.",
    stateHint: "What is left to do is that of the last inspection. The board inspects again.",
    nothingToDo: "Nothing to do",
    search: "Search by name or path",
    edit: "Edit workspace",
    saved: "The workspace has been saved.",
    added: (name) => `${name} has been added.`,
    deleteTitle: (name) => `Delete the workspace ${name}?`,
    deleteContents: (repos, vaults) =>
      repos + vaults === 0
        ? "It is empty."
        : `With it, ${count(repos, "repo", "repos")} and ${count(vaults, "vault", "vaults")} are deleted here, and all entries of the vaults. They cannot be restored.`,
    deleteHint: "Directories on disks stay as they are.",
    delete: "Delete workspace",
    deleted: "The workspace has been deleted.",
    locked: "Locked",
    unlocked: "Unlocked",
    noVaults: "No vaults yet. A vault keeps secrets, encrypted.",
  },
  import: {
    title: "Import a folder",
    intro: "Symphony searches a folder of the computer that it runs on for git repositories. Nothing in the folder is changed.",
    root: "Folder",
    rootHint: "An absolute path, or one that begins with ~/.",
    depth: "How deep to search",
    depthHint: "0 for the folder itself, up to 20 levels of folders in folders.",
    search: "Search",
    searching: "Searching …",
    nothing: "No git repositories were found there. Check the folder, or search deeper.",
    found: (value) => `Found ${count(value, "repository", "repositories")}`,
    truncated: "There is more than could be found in the time. Search a folder further below.",
    all: "All",
    chosen: (chosen, all) => `${numbers.format(chosen)} of ${numbers.format(all)} chosen.`,
    tooMany: (limit) => `One import has at most ${limit}.`,
    submit: (value) => `Import ${count(value, "repo", "repos")}`,
    done: (value) => `${count(value, "repo has", "repos have")} been imported.`,
    refused: "Nothing was imported. Change the choice and try again.",
    noName: "A folder that cannot be imported",
    registered: "Already here",
    kinds: { worktree: "Linked worktree", submodule: "Submodule", bare: "Bare" },
  },
};
