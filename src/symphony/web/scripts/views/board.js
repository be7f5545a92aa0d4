// The board: first what would be lost, then everything else that is unfinished.

import { get, list } from "../api.js";
import { boardRow } from "../board/item.js";
import * as model from "../board/model.js";
import { quietRepos, repoCounts } from "../board/repo_counts.js";
import { button } from "../components/button.js";
import { growingList } from "../components/growing_list.js";
import { describe, errorPanel, isExpected } from "../components/notices.js";
import { h, replaceContent, visible } from "../dom.js";
import { when } from "../format.js";
import { replaceQuery } from "../router.js";
import { currentReader } from "../session.js";
import { texts } from "../texts.js";
import { firstSteps } from "./first_steps.js";

const words = texts.board;
const FRESH_WITHIN = 60_000; // milliseconds; the service itself stops after 15 seconds
const FILTERS = ["q", "workspace", "machine", "reason", "sort"];

// What was known last, to be shown at once when the reader returns to the board.
let known = null;

export async function boardView({ query, signal }) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const status = h("p", { class: "board-status", role: "status" });
  const notes = h("div", {});
  const rows = growingList(boardRow, { class: "board", "aria-label": words.title });
  const search = searchField(filters.q, (value) => change("q", value));
  const selects = h("div", { class: "selects" });
  const controls = h(
    "div",
    { class: "filters", role: "search", "aria-label": words.filters },
    search,
    selects,
  );
  const again = button(words.refresh, () => refresh(), { class: "refresh" });
  let items = [];
  let hasRepos = false; // until it is known
  let statusNow = () => null;

  const update = ({ isSame = false } = {}) => {
    const chosen = model.sort(model.filter(items, filters), filters.sort);
    rows.show(model.withHeadings(chosen, filters.sort), { isSame });
    controls.hidden = items.length === 0 && !hasRepos;
    replaceContent(notes, noteFor(items, chosen, clear));
    count.textContent = [
      items.length > 0 && words.shown(chosen.length, items.length),
      quietText(filters.workspace),
    ]
      .filter(Boolean)
      .join(" · ");
    count.hidden = count.textContent === "";
  };
  const count = h("p", { class: "count", role: "status" });
  const change = (name, value) => {
    filters[name] = value;
    replaceQuery(filters);
    update();
  };
  const clear = () => {
    for (const name of FILTERS) filters[name] = "";
    replaceQuery({});
    search.querySelector("input").value = "";
    showChoices();
    update();
    search.querySelector("input").focus();
  };
  const showChoices = () => {
    // A list that is open stays as it is.
    if (selects.contains(document.activeElement)) return;
    replaceContent(selects, choices(items, known.workspaces, filters, change));
  };
  const take = (board, counts) => {
    known = { ...known, board, counts };
    items = model.prepare(board, known.workspaces);
    showChoices();
    update({ isSame: true });
  };
  const showStatus = (content) => {
    statusNow = content;
    replaceContent(status, content());
  };
  // Without repos, nothing was observed.
  const observed = () => (items.length > 0 || hasRepos) && asOf(known.board);
  const refresh = async () => {
    again.setAttribute("aria-disabled", "true");
    showStatus(() => [words.looking, " ", observed()]);
    try {
      const counts = await repoCounts(known.workspaces, signal);
      const board = await fetchBoard(true, signal);
      // What was typed into the filter meanwhile stays: only the rows are replaced.
      if (!signal.aborted) take(board, counts);
      showStatus(() => [observed(), unknownNote(known.board)]);
    } catch (error) {
      if (signal.aborted) return;
      if (!isExpected(error)) throw error;
      showStatus(() => [words.notRefreshed, " ", describe(error), " ", observed()]);
    }
    again.removeAttribute("aria-disabled");
  };

  const reader = currentReader();
  const [workspaces, board] = await Promise.all([
    list(`/user-profiles/${reader.id}/workspaces`, { query: { sort: "name" }, signal }),
    known?.board ?? fetchBoard(false, signal),
  ]);
  known = { ...known, workspaces: new Map(workspaces.map(({ id, name }) => [id, name])) };
  take(board, known.counts);
  refresh();
  const steps = h("div", {});
  firstSteps(workspaces, board, signal).then(
    (content) => {
      hasRepos = content === null;
      replaceContent(steps, content);
      update({ isSame: true });
      showStatus(statusNow);
    },
    (error) => {
      if (!signal.aborted && isExpected(error)) replaceContent(steps, errorPanel(error));
    },
  );
  return {
    title: words.title,
    refresh,
    content: [
      h("div", { class: "title-row" }, h("h1", {}, words.title), again),
      status,
      steps,
      controls,
      count,
      notes,
      rows.element,
    ],
  };
}

async function fetchBoard(isFresh, signal) {
  const path = `/user-profiles/${currentReader().id}/attention`;
  const options = { query: { fresh: isFresh }, signal, timeout: FRESH_WITHIN };
  return (await get(path, options)).data;
}

function asOf(board) {
  return [words.asOf, " ", when(board.observed_at), "."];
}

function unknownNote({ inspection, unobserved }) {
  return [
    inspection === "disabled" && ` ${words.disabled}`,
    unobserved > 0 && ` ${words.unobserved(unobserved)}`,
  ];
}

function quietText(workspace) {
  const quiet = quietRepos(known.board, known.counts, workspace);
  return quiet && words.quiet(quiet.count, quiet.all);
}

function noteFor(items, chosen, clear) {
  if (items.length === 0) {
    const quiet = quietRepos(known.board, known.counts);
    // Only what was inspected needs no attention.
    return quiet !== null && quiet.count === quiet.all && h("p", { class: "panel good" }, words.nothing);
  }
  if (chosen.length > 0) return null;
  return h("p", { class: "panel" }, words.noMatch, " ", button(words.clear, clear, { class: "link" }));
}

function searchField(value, change) {
  return h(
    "label",
    { class: "search" },
    words.search,
    h("input", {
      type: "search",
      value,
      placeholder: words.searchHint,
      oninput: (event) => change(event.target.value),
    }),
  );
}

function choices(items, workspaces, filters, change) {
  const ids = new Set(items.map((item) => item.workspace_id));
  const reasons = new Set(items.flatMap((item) => item.reasons));
  return [
    choice(words.workspace, "workspace", filters, change, [
      ["", words.all],
      ...[...workspaces].filter(([id]) => ids.has(id)),
    ]),
    choice(words.machine, "machine", filters, change, [
      ["", words.all],
      [model.SERVER, words.server],
      ...model.machinesOf(items),
    ]),
    choice(words.reason, "reason", filters, change, [
      ["", words.all],
      ...model.REASONS.filter((each) => reasons.has(each)).map((each) => [each, texts.reasons[each]]),
    ]),
    choice(words.sort, "sort", filters, change, [
      ["", words.sorts.risk],
      ...model.SORTS.slice(1).map((each) => [each, words.sorts[each]]),
    ]),
  ];
}

function choice(label, name, filters, change, options) {
  // A filter in a bookmarked address may have no match any more; it is still the one in use.
  const isListed = options.some(([value]) => value === filters[name]);
  const all = isListed ? options : [...options, [filters[name], words.unknownChoice]];
  return h(
    "label",
    {},
    label,
    h(
      "select",
      { name, value: filters[name], onchange: (event) => change(name, event.target.value) },
      all.map(([value, text]) => h("option", { value }, visible(text))),
    ),
  );
}
