// What the board shows: which items, in which order. Knows nothing of the page.

export const REASONS = [
  "conflict",
  "dirty",
  "worktree",
  "unpushed",
  "detached",
  "no-remote",
  "stashed",
  "at-risk",
  "diverged",
  "behind",
  "missing",
  "unreadable",
  "stale",
  "unseen",
  "unlocked",
  "token-expiring",
];
export const SORTS = ["risk", "since", "name", "workspace", "seen"];
export const SERVER = "server"; // the server's own disk, beside the ids of machines
const NAMES = new Intl.Collator(undefined, { numeric: true });

/** Return the items of a board with what filters and sorting need, computed once. */
export function prepare(board, workspaces) {
  return board.items.map((item) => {
    const checkouts = item.kind === "repo" ? checkoutsOf(item) : [];
    const workspace = workspaces.get(item.workspace_id) ?? "";
    return {
      ...item,
      checkouts,
      workspace,
      section: sectionOf(item),
      machines: new Set(checkouts.map(({ machine }) => machine?.id ?? SERVER)),
      text: [
        item.name,
        workspace,
        item.branch,
        ...(item.unpushed_branches ?? []),
        ...checkouts.flatMap((each) => [each.path, each.branch, each.machine?.name]),
      ]
        .filter(Boolean)
        .join("\n")
        .toLowerCase(),
    };
  });
}

/** The checkouts that need attention; the counts of an item are those of one of them. */
function checkoutsOf(item) {
  const all = item.checkouts ?? [];
  if (all.length === 0) {
    const { path, branch, reasons, at_risk, unfinished_since, observed_at } = item;
    return [{ machine: null, path, branch, reasons, at_risk, unfinished_since, observed_at, counts: item }];
  }
  const counted = all.find(
    (each) => each.path === item.path && each.observed_at === item.observed_at,
  );
  return all
    .filter((each) => each.reasons.length > 0 || all.length === 1)
    .map((each) => ({ ...each, counts: each === counted || all.length === 1 ? item : null }));
}

const SECTIONS = ["risk", "unknown", "unfinished", "vaults", "tokens"];

function sectionOf(item) {
  if (item.kind === "vault") return "vaults";
  if (item.kind === "api-token") return "tokens";
  if (item.at_risk === true) return "risk";
  return item.at_risk === null ? "unknown" : "unfinished";
}

/** Return the machines of the items as [id, name], without the server's own disk. */
export function machinesOf(items) {
  const found = new Map();
  for (const { checkouts } of items) {
    for (const { machine } of checkouts) if (machine) found.set(machine.id, machine.name);
  }
  return [...found].sort((one, other) => NAMES.compare(one[1], other[1]));
}

/** Return the items that match all filters: {workspace, machine, reason, q}, each possibly empty. */
export function filter(items, { workspace, machine, reason, q }) {
  const words = (q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(
    (item) =>
      (!workspace || item.workspace_id === workspace) &&
      (!machine || item.machines.has(machine)) &&
      (!reason || item.reasons.includes(reason)) &&
      words.every((word) => item.text.includes(word)),
  );
}

/** Return the items in an order: by risk (in sections), or one list by age, name, workspace or observation. */
export function sort(items, by) {
  const byName = (one, other) => NAMES.compare(one.name, other.name);
  const time = ({ unfinished_since: at }) => (at ? Date.parse(at) : Infinity); // unknown comes last
  const orders = {
    since: (one, other) => (time(one) === time(other) ? 0 : time(one) - time(other)) || byName(one, other),
    name: byName,
    workspace: (one, other) => NAMES.compare(one.workspace, other.workspace) || byName(one, other),
    seen: (one, other) => one.observed_at.localeCompare(other.observed_at) || byName(one, other),
    risk: (one, other) =>
      SECTIONS.indexOf(one.section) - SECTIONS.indexOf(other.section) ||
      NAMES.compare(one.workspace, other.workspace) ||
      byName(one, other),
  };
  return [...items].sort(orders[by] ?? orders.risk);
}

/** Put a heading before the first item of each section; only an order by risk has sections. */
export function withHeadings(items, by) {
  if (by && by !== "risk") return items;
  const sizes = new Map();
  for (const { section } of items) sizes.set(section, (sizes.get(section) ?? 0) + 1);
  return items.flatMap((item, index) =>
    item.section === items[index - 1]?.section
      ? [item]
      : [{ heading: item.section, size: sizes.get(item.section) }, item],
  );
}
