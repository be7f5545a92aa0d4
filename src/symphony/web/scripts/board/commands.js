// The commands that settle what is unfinished, ready to be pasted into a shell.

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

/** Quote a text as one word of bash or zsh. A terminal acts on no character of the result. */
export function quote(text) {
  if (PLAIN.test(text)) return text;
  if (!CONTROLS.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = Array.from(text, (sign) => {
    if (sign === "'" || sign === "\\") return `\\${sign}`;
    if (!CONTROLS.test(sign)) return sign;
    const value = sign.codePointAt(0).toString(16);
    return value.length > 2 ? `\\u${value.padStart(4, "0")}` : `\\x${value.padStart(2, "0")}`;
  });
  return `$'${escaped.join("")}'`;
}

/** Quote a path; `~/` stays what the shell replaces by the home directory. */
export function quotePath(path) {
  return path.startsWith("~/") && path.length > 2 ? `~/${quote(path.slice(2))}` : quote(path);
}

/**
 * Return the command for the most urgent reason of a checkout, or null where the page of the repo says more.
 * `counts` are the ahead, behind and unpushed_branches of this checkout, if they are known.
 */
export function settle({ path, branch, reasons, counts }) {
  const git = `git -C ${quotePath(path)}`;
  const has = (reason) => reasons.includes(reason);
  if (has("missing") || has("unreadable")) return null;
  if (has("conflict")) return `${git} status`;
  if (has("dirty")) return `${git} status`;
  if (has("worktree")) return `${git} worktree list`;
  if (has("diverged")) return `${git} pull --rebase`;
  if (has("unpushed")) return `${git} ${push(branch, counts)}`;
  if (has("detached")) return `${git} log --oneline HEAD --not --remotes`;
  if (has("no-remote")) return `${git} remote add origin ADDRESS`;
  if (has("stashed")) return `${git} stash list`;
  if (has("behind")) return `${git} pull --ff-only`;
  if (has("at-risk")) return `${git} submodule status --recursive`;
  return null;
}

function push(branch, counts) {
  const branches = counts?.unpushed_branches ?? [];
  const hasUpstream = counts !== null && counts !== undefined && counts.ahead !== null;
  if (branches.length === 0 || (branches.length === 1 && branches[0] === branch && hasUpstream)) {
    return "push";
  }
  const names = branches.map((name) => quote(name.startsWith("-") ? `refs/heads/${name}` : name));
  return `push -u origin ${names.join(" ")}`;
}
