// Two states of a resource beside each other.

import { h, visible } from "../dom.js";
import { texts } from "../texts.js";

/** Return the value of each field, as a form has it. */
export function valuesOf(fields) {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value ?? ""]));
}

/**
 * A table with a row for each field, and a column for each state: [heading, values]. On a phone the
 * states are below each other, so the roles are explicit: without a table's layout they would be lost.
 */
export function comparison(fields, columns) {
  const heading = (text) => h("th", { role: "columnheader", scope: "col" }, text);
  return h(
    "table",
    { class: "compared", role: "table" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heading(texts.conflict.field), columns.map(([text]) => heading(text)))),
    h("tbody", { role: "rowgroup" }, fields.map((field) =>
      h(
        "tr",
        { role: "row" },
        h("th", { role: "rowheader", scope: "row" }, field.label),
        columns.map(([text, values]) => h("td", { role: "cell", "data-state": text }, shown(field, values[field.name], text))),
      ),
    )),
  );
}

function shown({ type, options, label }, value, state) {
  if (type === "object") return h("pre", { class: "content", tabindex: "0", role: "group", "aria-label": `${label}: ${state}` }, value);
  const chosen = options?.find(([each]) => each === value);
  return visible(chosen ? chosen[1] : value) || texts.conflict.empty;
}
