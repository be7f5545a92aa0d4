// The board: first what would be lost, then everything else that is unfinished.

import { get, list } from "../api.js";
import { boardRow } from "../board/item.js";
import * as model from "../board/model.js";
import { newestRepo, quietRepos, repoCounts } from "../board/repo_counts.js";
import { button } from "../components/button.js";
import { growingList } from "../components/growing_list.js";
import { describe, isExpected } from "../components/notices.js";
import { h, replaceContent, visible } from "../dom.js";
import { when } from "../format.js";
import { replaceQuery } from "../router.js";
import { currentReader } from "../session.js";
import { texts } from "../texts.js";
import { firstSteps } from "./first_steps.js";

const words = texts.board;
const JUST_NOW = 60_000; // milliseconds
const FRESH_WITHIN = 60_000; // milliseconds; the service itself stops after 15 seconds
const FILTERS = ["q", "workspace", "machine", "reason", "sort"];

// What was known last, to be shown at once when the reader returns to the board: {board, isFresh, workspaces},
// `newest`, the repo that was the newest before that board was requested, `counts`, the repos of workspaces, and
// `asked`, the workspaces whose repos were or are being counted.
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
  let hasRepos = false;

  const update = ({ isSame = false } = {}) => {
    const chosen = model.sort(model.filter(items, filters), filters.sort);
    rows.show(model.withHeadings(chosen, filters.sort), { isSame });
    controls.hidden = items.length === 0 && !hasRepos;
    replaceContent(notes, noteFor(items, chosen, clear));
    shown = items.length > 0 && words.shown(chosen.length, items.length);
    showCount();
  };
  let shown = "";
  const showCount = () => {
    count.textContent = [shown, quietText(inView())].filter(Boolean).join(" · ");
    count.hidden = count.textContent === "";
  };
  const count = h("p", { class: "count", role: "status" });
  const change = (name, value) => {
    filters[name] = value;
    replaceQuery(filters);
    update();
    if (name === "workspace") countRepos();
  };
  const clear = () => {
    for (const name of FILTERS) filters[name] = "";
    replaceQuery({});
    search.querySelector("input").value = "";
    showChoices();
    update();
    countRepos();
    search.querySelector("input").focus();
  };
  const showChoices = () => {
    // A list that is open stays as it is.
    if (selects.contains(document.activeElement)) return;
    replaceContent(selects, choices(items, known.workspaces, filters, change));
  };
  const take = (others) => {
    known = { ...known, ...others };
    items = model.prepare(known.board, known.workspaces);
    showChoices();
    update({ isSame: true });
  };
  const inView = () => [...known.workspaces.keys()].filter((id) => !filters.workspace || id === filters.workspace);
  /** Count the repos of the workspaces in view, each once for a board. */
  const countRepos = async () => {
    const { board, counts, asked, newest } = known;
    const missing = inView().filter((id) => !asked.has(id));
    if (!newest || missing.length === 0) return;
    for (const id of missing) asked.add(id);
    try {
      const found = await repoCounts(missing, newest, signal);
      if (found === null || signal.aborted || known.board !== board) return;
      for (const [id, size] of found) counts.set(id, size);
      showCount();
    } catch (error) {
      if (!signal.aborted && !isExpected(error)) throw error; // the board is complete without these numbers
    }
  };
  const showStatus = (content) => replaceContent(status, content);
  // Without repos, nothing was observed.
  const observed = () => (items.length > 0 || hasRepos) && asOf(known.board);
  const refresh = async (newestNow = newestRepo(signal)) => {
    again.setAttribute("aria-disabled", "true");
    showStatus([words.looking, " ", observed()]);
    try {
      const newest = await newestNow; // before the board, so that a repo that is added meanwhile is noticed
      const board = await fetchBoard(true, signal);
      // What was typed into the filter meanwhile stays: only the rows are replaced.
      hasRepos = newest !== null;
      if (!signal.aborted) take({ board, newest, counts: new Map(), asked: new Set(), isFresh: true });
      showStatus([observed(), unknownNote(known.board)]);
      countRepos();
    } catch (error) {
      if (signal.aborted) return;
      if (!isExpected(error)) throw error;
      showStatus([words.notRefreshed, " ", describe(error), " ", observed()]);
    }
    again.removeAttribute("aria-disabled");
  };

  const reader = currentReader();
  const [workspaces, board, newest] = await Promise.all([
    list(`/user-profiles/${reader.id}/workspaces`, { query: { sort: "name" }, signal }),
    known?.board ?? fetchBoard(false, signal),
    newestRepo(signal),
  ]);
  hasRepos = newest !== null;
  known ??= { board, newest: null, counts: new Map(), asked: new Set(), isFresh: false };
  take({ workspaces: new Map(workspaces.map(({ id, name }) => [id, name])) });
  refresh(newest);
  return {
    title: words.title,
    refresh,
    content: [
      h("div", { class: "title-row" }, h("h1", {}, words.title), again),
      status,
      hasRepos ? null : firstSteps(workspaces, board, signal),
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

function asOf({ observed_at: at }) {
  if (Date.now() - Date.parse(at) < JUST_NOW) return words.seenNow;
  return [words.oldest, " ", when(at), "."];
}

function unknownNote({ inspection, unobserved }) {
  return [
    inspection === "disabled" && ` ${words.disabled}`,
    unobserved > 0 && ` ${words.unobserved(unobserved)}`,
  ];
}

function quietText(workspaceIds) {
  const isAll = workspaceIds.length === known.workspaces.size;
  const quiet = quietRepos(known.board, known.counts, workspaceIds, { isAll });
  return quiet && words.quiet(quiet.count, quiet.all);
}

function noteFor(items, chosen, clear) {
  if (items.length === 0) {
    // Only what was inspected needs no attention.
    const { board, newest, isFresh } = known;
    return isFresh && newest !== null && board.unobserved === 0 && h("p", { class: "panel good" }, words.nothing);
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
