// Choose what to import, and register it, all or nothing.

import { Problem, newIdempotencyKey, post } from "../api.js";
import { announce, describe, isExpected } from "../components/notices.js";
import { code, foreign, h, replaceContent, visible } from "../dom.js";
import { number } from "../format.js";
import { go } from "../router.js";
import { texts } from "../texts.js";

const words = texts.import;
const MAX_ITEMS = 100; // of one import

/**
 * Let the reader choose among the items of a discovery, or the checkouts of a machine, and import them
 * into the workspace whose id `workspaceId` returns.
 */
export function importChooser(workspaceId, { items, truncated = false }) {
  if (items.length === 0) return h("p", { class: "panel" }, words.nothing);
  const rows = items.map(chooserRow);
  const open = rows.filter(({ box }) => !box.disabled);
  const count = h("p", { class: "count", role: "status" });
  const submit = h("button", { type: "submit", class: "primary" });
  const error = h("div", { role: "alert" });
  let key = newIdempotencyKey();
  let sent = "";

  const chosen = () => open.filter(({ box }) => box.checked);
  const update = () => {
    const size = chosen().length;
    all.checked = size === open.length && size > 0;
    all.indeterminate = size > 0 && size < open.length;
    count.textContent = words.chosen(size, open.length);
    if (size > MAX_ITEMS) count.textContent += ` ${words.tooMany(number(MAX_ITEMS))}`;
    submit.textContent = words.submit(size);
    submit.disabled = size === 0;
  };
  const all = h("input", {
    type: "checkbox",
    onchange: () => {
      for (const { box } of open) box.checked = all.checked;
      update();
    },
  });
  const send = async (event) => {
    event.preventDefault();
    const now = chosen();
    const body = { items: now.map(({ item }) => item) };
    const sending = workspaceId() + JSON.stringify(body);
    if (sent !== sending) key = newIdempotencyKey();
    sent = sending;
    error.replaceChildren();
    for (const { fail } of rows) fail("");
    submit.disabled = true;
    try {
      const { data } = await post(`/workspaces/${workspaceId()}/repos/import`, body, { key });
      announce(words.done(data.items.length));
      go(["board"], { workspace: workspaceId() });
    } catch (problem) {
      if (!isExpected(problem)) throw problem;
      showRefusal(problem, now, error);
      submit.disabled = false;
    }
  };
  const element = h(
    "form",
    { method: "post", novalidate: true, onsubmit: send, onchange: update },
    h("h2", {}, words.found(items.length)),
    truncated && h("p", { class: "panel warning" }, words.truncated),
    open.length > 0 && h("label", { class: "check" }, all, h("span", {}, words.all)),
    h("ul", { class: "rows choose" }, rows.map((row) => row.element)),
    error,
    h("div", { class: "actions at-hand" }, submit, count),
  );
  update();
  return element;
}

/** Say what was refused, at its rows as well. Nothing was registered. */
function showRefusal(problem, sent, place) {
  for (const { pointer = "", detail } of problem instanceof Problem ? problem.errors : []) {
    const [, index] = /^\/items\/(\d+)/.exec(pointer) ?? [];
    sent[Number(index)]?.fail(detail);
  }
  replaceContent(
    place,
    h("div", { class: "panel error" }, h("p", {}, describe(problem)), h("p", {}, words.refused)),
  );
  place.scrollIntoView({ block: "nearest" });
}

function chooserRow(item) {
  const canImport = item.name !== null && !item.registered;
  const isUsual = item.kind === "repository" || item.kind === "bare";
  const error = h("span", { class: "field-error" });
  const box = h("input", { type: "checkbox", disabled: !canImport, checked: canImport && isUsual });
  const element = h(
    "li",
    {},
    h(
      "label",
      { class: "check" },
      box,
      h(
        "span",
        {},
        item.name === null ? words.noName : foreign(item.name),
        item.kind !== "repository" && [" ", h("span", { class: "tag" }, words.kinds[item.kind])],
        item.registered && [" ", h("span", { class: "tag" }, words.registered)],
        h("small", {}, code(item.path)),
        item.reason && h("small", {}, visible(item.reason)),
        error,
      ),
    ),
  );
  return { item, box, element, fail: (text) => (error.textContent = text) };
}
