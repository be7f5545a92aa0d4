// Import a folder: find the repositories in it, choose, and register them, all or none.

import { Problem, get, newIdempotencyKey, post } from "../api.js";
import { form } from "../components/form.js";
import { announce, describe, isExpected } from "../components/notices.js";
import { code, foreign, h, replaceContent, visible } from "../dom.js";
import { number } from "../format.js";
import { go, href } from "../router.js";
import { texts } from "../texts.js";

const words = texts.import;
const MAX_ITEMS = 100; // of one import
const SEARCH_WITHIN = 60_000; // milliseconds; the service itself stops after 15 seconds

export async function importView({ ids: [id], signal }) {
  const { data: workspace } = await get(`/workspaces/${id}`, { signal });
  const results = h("section", { "aria-live": "polite" });
  const search = form({
    fields: [
      { name: "root", label: words.root, hint: words.rootHint, required: true, spellcheck: "false", autocomplete: "off" },
      { name: "max_depth", label: words.depth, type: "number", min: "0", max: "20", value: "4", hint: words.depthHint },
    ],
    submit: words.search,
    onSubmit: async ({ root, max_depth: depth }) => {
      replaceContent(results, h("p", { class: "loading" }, words.searching));
      try {
        const body = { root, max_depth: Number(depth) };
        const { data } = await post(`/workspaces/${id}/discoveries`, body, { signal, timeout: SEARCH_WITHIN });
        replaceContent(results, chooser(id, data));
      } catch (error) {
        replaceContent(results);
        throw error;
      }
    },
  });
  return {
    title: words.title,
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["workspaces", id]) }, foreign(workspace.name))),
      h("h1", {}, words.title),
      h("p", {}, words.intro),
      search.element,
      results,
    ],
  };
}

function chooser(workspaceId, { items, truncated }) {
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
    if (sent !== JSON.stringify(body)) key = newIdempotencyKey();
    sent = JSON.stringify(body);
    error.replaceChildren();
    for (const { fail } of rows) fail("");
    submit.disabled = true;
    try {
      const { data } = await post(`/workspaces/${workspaceId}/repos/import`, body, { key });
      announce(words.done(data.items.length));
      go(["board"], { workspace: workspaceId });
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
    count,
    error,
    h("div", { class: "actions" }, submit),
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
