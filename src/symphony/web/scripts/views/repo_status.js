// What an inspection found in the directory of a repo.

import { code, foreign, h, visible } from "../dom.js";
import { number, when } from "../format.js";
import { texts } from "../texts.js";

const words = texts.status;
const COUNTS = ["staged", "modified", "untracked", "conflicted", "stashes"];

export function statusPanel(status) {
  const isRead = status.state === "clean" || status.state === "dirty";
  return [
    h(
      "p",
      { class: status.at_risk === true ? "panel error" : status.at_risk === null || !isRead ? "panel warning" : "panel good" },
      isRead ? words.risk[String(status.at_risk)] : words.states[status.state],
      status.reason && ` ${visible(status.reason)}`,
    ),
    isRead && facts(status),
    isRead && status.work.length > 0 && workTable(status),
    isRead && status.worktrees.length > 0 && worktreeTable(status.worktrees),
    isRead && Object.keys(status.remotes).length > 0 && remoteTable(status.remotes),
  ];
}

function facts(status) {
  const fact = (label, value) => [h("dt", {}, label), h("dd", {}, value)];
  return h(
    "dl",
    { class: "facts" },
    fact(words.checkedOut, status.branch === null ? words.detached : foreign(status.branch)),
    status.head && fact(words.head, [code(status.head.id.slice(0, 12)), " ", foreign(status.head.subject), status.head.authored_at && [" · ", when(status.head.authored_at)]]),
    status.upstream !== null && fact(words.upstream, [foreign(status.upstream), status.ahead !== null && `: ${words.aheadBehind(status.ahead, status.behind)}`]),
    COUNTS.filter((name) => status[name] > 0).map((name) => fact(words.counts[name], number(status[name]))),
    status.operation !== null && fact(words.operation, status.operation),
    status.changed_since && fact(words.changedSince, when(status.changed_since)),
    status.stashed_since && fact(words.stashedSince, when(status.stashed_since)),
    fact(words.unpushed, status.unpushed_commits === null ? words.unknown : words.unpushedOn(status.unpushed_commits, unpushedBranches(status).map(visible))),
    status.main_repository !== null && fact(words.mainRepository, code(status.main_repository)),
  );
}

/** The branches of a status with work that is on no remote; the board names them in the same way. */
export function unpushedBranches({ work }) {
  const isOpen = ({ kind, unpushed_commits: count, integrated }) =>
    kind === "branch" && count !== 0 && !["merged", "squashed"].includes(integrated);
  return (work ?? []).filter(isOpen).map(({ name }) => name);
}

function workTable({ work, work_truncated: isTruncated }) {
  return [
    h("h4", {}, words.work),
    table(
      [words.name, words.unpushed, words.unpushedSince, words.integration, words.committed],
      work.map((each) => [
        [foreign(each.name ?? words.detached), each.kind !== "branch" && [" ", h("span", { class: "tag" }, words.kinds[each.kind])]],
        each.unpushed_commits === null ? words.unknown : number(each.unpushed_commits),
        each.unpushed_since ? when(each.unpushed_since) : "",
        words.integrated[each.integrated] ?? "",
        each.committed_at ? when(each.committed_at) : "",
      ]),
    ),
    isTruncated && h("p", { class: "hint" }, words.truncated),
  ];
}

function worktreeTable(worktrees) {
  return [
    h("h4", {}, words.worktrees),
    table(
      [words.path, words.branch, words.state, words.changedSince],
      worktrees.map(({ path, branch, state, reason, changed_since: at }) => [
        code(path),
        branch === null ? words.detached : foreign(branch),
        [words.states[state] ?? state, reason && ` ${visible(reason)}`],
        at ? when(at) : "",
      ]),
    ),
  ];
}

function remoteTable(remotes) {
  return [
    h("h4", {}, words.remotes),
    table([words.name, words.address], Object.entries(remotes).map(([name, url]) => [foreign(name), url === null ? "" : code(url)])),
  ];
}

function table(headings, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": headings.join(", ") },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, headings.map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))),
    ),
  );
}

export function disposalPanel({ verdict, evidence }) {
  const look = { safe: "good", unsafe: "error", unknown: "warning" }[verdict];
  return [
    h("p", { class: `panel ${look}` }, words.verdicts[verdict]),
    evidence.length > 0 &&
      h("ul", {}, evidence.map(({ detail }) => h("li", {}, foreign(detail)))),
  ];
}
