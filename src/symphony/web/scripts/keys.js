// Shortcuts of the keyboard: single keys, or two in a row. They do nothing while a reader types.

import { texts } from "./texts.js";

const words = texts.keys;
const PAUSE = 1_500; // milliseconds between two keys in a row

export const SHORTCUTS = [
  { keys: ["?"], words: words.help, name: "help" },
  { keys: ["/"], words: words.search, name: "search" },
  { keys: ["r"], words: words.refresh, name: "refresh" },
  { keys: ["j"], words: words.next, name: "next" },
  { keys: ["k"], words: words.previous, name: "previous" },
  { keys: ["g", "b"], words: words.board, name: "board" },
  { keys: ["g", "w"], words: words.workspaces, name: "workspaces" },
  { keys: ["g", "v"], words: words.vaults, name: "vaults" },
  { keys: ["g", "m"], words: words.machines, name: "machines" },
  { keys: ["g", "t"], words: words.tokens, name: "tokens" },
  { keys: ["g", "p"], words: words.profile, name: "profile" },
];

/** Call `act` with the name of each shortcut that is pressed. */
export function listen(act) {
  let before = { key: "", at: 0 };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    const isSecond = event.timeStamp - before.at < PAUSE;
    const found = SHORTCUTS.find(({ keys }) =>
      keys.length === 1
        ? keys[0] === event.key && !(isSecond && before.key === "g")
        : isSecond && keys[0] === before.key && keys[1] === event.key,
    );
    before = { key: event.key, at: event.timeStamp };
    if (found === undefined) return;
    event.preventDefault();
    act(found.name);
  });
}

function isTyping(target) {
  return target.closest("textarea, select, [contenteditable], input:not([type=checkbox])") !== null;
}
