// What is left to do, in words and counts.

import { visible } from "../dom.js";
import { texts } from "../texts.js";

const words = texts.board.work;

/** Return a list of texts such as "2 modified files"; without counts, what the reason means. */
export function workOf({ reasons, counts }) {
  const found = [];
  const add = (count, text) => {
    if (count) found.push(text(count));
  };
  for (const reason of reasons) {
    const before = found.length;
    if (counts !== null && reason === "conflict") add(counts.conflicted, words.conflicted);
    if (counts !== null && reason === "dirty") {
      add(counts.staged, words.staged);
      add(counts.modified, words.modified);
      add(counts.untracked, words.untracked);
    }
    if (counts !== null && (reason === "unpushed" || reason === "detached")) {
      const branches = (counts.unpushed_branches ?? []).map(visible);
      const isFirst = !(reason === "detached" && reasons.includes("unpushed"));
      if (isFirst) add(counts.unpushed_commits, (count) => words.unpushed(count, branches));
    }
    if (counts !== null && reason === "stashed") add(counts.stashes, words.stashes);
    if (counts !== null && reason === "behind") add(counts.behind, words.behind);
    if (found.length === before) found.push(texts.reasons[reason] ?? reason);
  }
  return found;
}
