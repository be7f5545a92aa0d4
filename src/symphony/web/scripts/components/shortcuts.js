// The list of shortcuts, on the page for help and in the dialog that `?` opens.

import { h } from "../dom.js";
import { SHORTCUTS } from "../keys.js";
import { texts } from "../texts.js";
import { openDialog } from "./dialog.js";

export function shortcutTable() {
  const row = ({ keys, words }) =>
    h("tr", {}, h("th", { scope: "row" }, keys.map((key) => h("kbd", {}, key))), h("td", {}, words));
  return h("table", { class: "keys" }, h("tbody", {}, SHORTCUTS.map(row)));
}

export function openShortcuts() {
  return openDialog({ title: texts.keys.title, content: shortcutTable });
}
