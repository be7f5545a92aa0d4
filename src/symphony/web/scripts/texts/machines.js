// Machines and what they have reported.

import { count } from "./counting.js";

export const machines = {
  machines: {
    title: "Machines",
    intro: "Other computers can report which repos they have. The service never connects to them, and inspects its own computer without a report.",
    none: "No other computer reports to this service yet.",
    another: "Report from another computer",
    howTo: "Run this in a terminal of another computer. It signs in, and reports the repositories in a folder:",
    create: "Add machine",
    createHint: "You get a token for a program on the machine. It can only report.",
    nameHint: "For example laptop or build server.",
    neverReported: "Has never reported",
    reported: "Reported",
    checkouts: (value) => count(value, "checkout", "checkouts"),
    newToken: "New token",
    rename: "Rename machine",
    saved: "The machine has been renamed.",
    deleteTitle: (name) => `Delete the machine ${name}?`,
    deleteText: ["What it reported is deleted here, and its tokens are refused from then on.", "Nothing on the machine itself is changed."],
    delete: "Delete machine",
    deleted: "The machine has been deleted.",
    tokenTitle: (name) => `Token of ${name}`,
    tokenText: "The program on the machine needs this token to report.",
    tokenUse: "Run this on the machine. The first command reads the token from its input:",
  },
  machine: {
    onBoard: "Show its unfinished work on the board",
    unregistered: "What belongs to no repo yet",
    none: "All its checkouts belong to repos.",
    noWorkspace: "Create a workspace to import its checkouts into it.",
    workspace: "Import into the workspace",
  },
};
