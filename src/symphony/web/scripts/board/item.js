// One item of the board.

import { command, copyButton } from "../components/button.js";
import { code, foreign, h, visible } from "../dom.js";
import { since, when } from "../format.js";
import { href } from "../router.js";
import { texts } from "../texts.js";
import { settle } from "./commands.js";
import { workOf } from "./words.js";

const words = texts.board;

export function boardRow(row) {
  if (row.heading) return headingRow(row);
  const isRepo = row.kind === "repo";
  return h(
    "li",
    { class: `item ${row.section}` },
    h(
      "div",
      { class: "item-head" },
      h("h3", {}, h("a", { href: target(row), "data-row": true }, foreign(row.name))),
      row.workspace && h("a", { class: "tag", href: href(["workspaces", row.workspace_id]) }, foreign(row.workspace)),
      !isRepo && h("span", { class: "tag" }, words.kinds[row.kind]),
      row.at_risk === true && h("span", { class: "tag danger" }, words.atRisk),
      isRepo && row.at_risk === null && h("span", { class: "tag warning" }, words.riskUnknown),
    ),
    isRepo ? row.checkouts.map(checkout) : h("p", {}, row.reasons.map((each) => texts.reasons[each])),
  );
}

function headingRow({ heading, size }) {
  const { title, text } = words.sections[heading];
  return h(
    "li",
    { class: `section ${heading}` },
    h("h2", {}, title, " ", h("span", { class: "count" }, words.items(size))),
    h("p", {}, text),
  );
}

/** Return for how long the work of a checkout is unfinished, if it is known. */
export function unfinishedSince({ unfinished_since: at }) {
  return at && [h("span", { class: "since" }, words.unfinishedFor, " ", since(at)), " "];
}

function target({ kind, id }) {
  return kind === "api-token" ? href(["tokens"]) : href([`${kind}s`, id]);
}

function checkout(each) {
  const line = settle(each);
  return h(
    "div",
    { class: "checkout" },
    h("p", { class: "work" }, workOf(each).join(" · ")),
    h(
      "p",
      { class: "where" },
      each.machine && [h("span", { class: "machine" }, foreign(each.machine.name)), " "],
      each.branch && [h("span", { class: "branch" }, words.checkedOut, " ", foreign(each.branch)), " "],
      each.path && [code(each.path), " ", !line && copyButton(each.path, each.path), " "],
      unfinishedSince(each),
      h("span", { class: "seen" }, words.seen, " ", when(each.observed_at)),
    ),
    line && command(line, visible(line)),
  );
}
