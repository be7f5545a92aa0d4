"""Histories made of random steps, written in one go, with refs in all places and states."""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from scripts.support.git_repository import ENVIRONMENT, Repository
from symphony.infrastructure.git.history.work import Checkout

Step = tuple[str, int, int]
"""What happens, and two numbers that choose where."""

_NAMES = ("main", "a", "b/c", "--all", "d")
_REMOTES = ("origin", "fork")
_STEPS = (
    *("commit", "commit", "commit", "branch", "merge", "rebase", "squash", "pick", "amend"),
    *("revert", "push", "push", "push new", "delete remote", "fetch", "detach", "worktree"),
    *("tag", "annotate", "tag a tag", "stash", "delete branch", "track", "track local", "cut off"),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(_STEPS), st.integers(0, 4), st.integers(0, 30)),
    min_size=1,
    max_size=30,
)
PACKED = st.sampled_from(("none", "some", "all"))


@dataclass
class GeneratedHistory:
    """Commits are numbers; `parents` and `files` have what is in each of them."""

    parents: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    files: list[dict[str, int]] = field(default_factory=lambda: [{"root": 0}])
    branches: dict[str, int] = field(default_factory=lambda: {"main": 0})
    remotes: dict[str, int] = field(default_factory=dict[str, int])
    tags: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    detached: list[int] = field(default_factory=list[int])
    upstreams: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    stash: int | None = None
    cut_off: set[int] = field(default_factory=set[int])

    @classmethod
    def of(cls, steps: Iterable[Step]) -> "GeneratedHistory":
        history = cls()
        for step in steps:
            history._take(*step)
        return history

    def reached(self, tips: Iterable[int]) -> set[int]:
        """Return the commits that the tips reach, those beyond a cut included."""
        found = set[int]()
        pending = list(tips)
        while pending:
            commit = pending.pop()
            if commit not in found:
                found.add(commit)
                pending.extend(self.parents[commit])
        return found

    def unpushed(self) -> set[int]:
        tags = (commit for commit, _ in self.tags.values())
        return self.reached([*self.branches.values(), *tags, *self.detached]) - self.reached(
            self.remotes.values()
        )

    def _new(self, files: dict[str, int], *parents: int) -> int:
        self.parents.append(parents)
        self.files.append(files)
        return len(self.parents) - 1

    def _changed(self, commit: int, chosen: int) -> dict[str, int]:
        return {**self.files[commit], f"file{chosen % 5}": len(self.parents)}

    def _take(self, step: str, where: int, chosen: int) -> None:  # noqa: PLR0912 - one for each
        name = _NAMES[where]
        if name not in self.branches:
            name = "main" if "main" in self.branches else next(iter(self.branches))
        head, main = self.branches[name], self.branches.get("main", 0)
        any_commit = chosen % len(self.parents)
        remote = f"{_REMOTES[chosen % 2]}/{name}"
        match step:
            case "commit" | "revert":
                self.branches[name] = self._new(self._changed(head, chosen), head)
            case "branch":
                self.branches.setdefault(_NAMES[where], any_commit)
            case "merge":
                if any_commit != head:
                    files = {**self.files[any_commit], **self.files[head]}
                    self.branches[name] = self._new(files, head, any_commit)
            case "rebase" | "pick":
                files = {**self.files[main], **self.files[head]}
                self.branches["main" if step == "pick" else name] = self._new(files, main)
            case "squash":
                self.branches["main"] = self._new(self.files[head], main)
            case "amend":
                self.branches[name] = self._new(self._changed(head, chosen), *self.parents[head])
            case "push":
                self.remotes[remote] = head
            case "push new":
                self.remotes[f"{_REMOTES[chosen % 2]}/new{where}"] = head
            case "delete remote":
                self.remotes.pop(remote, None)
            case "fetch":
                before = self.remotes.get(remote, main)
                self.remotes[remote] = self._new(self._changed(before, chosen), before)
            case "detach" | "worktree":
                self.detached.append(
                    any_commit if where % 2 else self._new(self._changed(head, chosen), head)
                )
            case "tag" | "annotate" | "tag a tag":
                depth = ("tag", "annotate", "tag a tag").index(step)
                self.tags[f"v{chosen}"] = any_commit, depth
            case "stash":
                self.stash = self._new(self._changed(head, chosen), head)
            case "delete branch":
                if len(self.branches) > 1:
                    del self.branches[name]
            case "track":
                self.upstreams[name] = _REMOTES[chosen % 2], name
            case "track local":
                self.upstreams[name] = ".", _NAMES[chosen % 5]
            case _:
                if where == 0:
                    self.cut_off.add(any_commit)

    def write(self, path: Path, packed: str) -> tuple[Repository, list[Checkout], list[str]]:
        """Write a repository; return it with its worktrees and the ids of its commits."""
        repository = Repository(path)
        git_directory = path / ".git"
        for directory in ("objects", "refs"):
            (git_directory / directory).mkdir(parents=True)
        (git_directory / "config").write_text(self._config())
        (git_directory / "HEAD").write_text("ref: refs/heads/none\n")
        ids = self._import(git_directory)
        refs = {f"refs/heads/{name}": ids[commit] for name, commit in self.branches.items()}
        refs |= {f"refs/remotes/{name}": ids[commit] for name, commit in self.remotes.items()}
        marks = len(self.parents)
        for name, (commit, depth) in self.tags.items():
            refs[f"refs/tags/{name}"] = ids[commit]
            if depth:
                marks += depth
                refs[f"refs/tags/{name}"] = ids[marks - 1]
        if self.stash is not None:
            refs["refs/stash"] = ids[self.stash]
        self._write_refs(git_directory, refs, packed)
        checkouts = self._write_worktrees(git_directory, ids)
        if self.cut_off:
            lines = sorted(f"{ids[commit]}\n" for commit in self.cut_off)
            (git_directory / "shallow").write_text("".join(lines))
        return repository, checkouts, ids

    def _config(self) -> str:
        lines = ["[core]", "repositoryformatversion = 0", "bare = false"]
        for remote in _REMOTES:
            fetch = f"fetch = +refs/heads/*:refs/remotes/{remote}/*"
            lines += [f'[remote "{remote}"]', f"url = https://{remote}.test/x", fetch]
        for name, (remote, merge) in self.upstreams.items():
            lines += [f'[branch "{name}"]', f"remote = {remote}", f"merge = refs/heads/{merge}"]
        return "".join(f"{line}\n" for line in lines)

    def _import(self, git_directory: Path) -> list[str]:
        """Return the ids of the commits, then those of the objects of tags."""
        lines: list[str] = []
        for number, parents in enumerate(self.parents):
            lines += [f"reset refs/x/{number}", f"commit refs/x/{number}", f"mark :{number + 1}"]
            lines += [f"committer A <a@x> {1_700_000_000 + number * 60} +0000", "data 1", "m"]
            lines += [f"{'merge' if at else 'from'} :{each + 1}" for at, each in enumerate(parents)]
            lines += ["deleteall"]
            for name, content in self.files[number].items():
                text = f"{content}"
                lines += [f"M 100644 inline {name}", f"data {len(text)}", text]
        mark = len(self.parents)
        for name, (commit, depth) in self.tags.items():
            tagged = commit + 1
            for level in range(depth):
                mark += 1
                lines += [f"tag x{name}{level}", f"mark :{mark}", f"from :{tagged}"]
                lines += ["tagger A <a@x> 1700000000 +0000", "data 1", "m"]
                tagged = mark
        marks = git_directory / "marks"
        subprocess.run(  # noqa: S603 - git, with arguments of our own
            ["git", "fast-import", "--quiet", "--force", f"--export-marks={marks}"],  # noqa: S607
            input="".join(f"{line}\n" for line in lines).encode(),
            env={**ENVIRONMENT, "GIT_DIR": str(git_directory)},
            check=True,
        )
        for packed in ("refs/x", "refs/tags"):
            _remove_refs(git_directory / packed)
        by_mark = dict(line.split(" ") for line in marks.read_text().splitlines())
        return [by_mark[f":{number}"] for number in range(1, mark + 1)]

    def _write_refs(self, git_directory: Path, refs: dict[str, str], packed: str) -> None:
        in_list: list[str] = []
        for number, (name, object_id) in enumerate(sorted(refs.items())):
            if packed == "all" or (packed == "some" and number % 2):
                in_list.append(f"{object_id} {name}\n")
                continue
            if packed == "some":  # an older value, which the file replaces
                in_list.append(f"{next(iter(refs.values()))} {name}\n")
            (git_directory / name).parent.mkdir(parents=True, exist_ok=True)
            (git_directory / name).write_text(f"{object_id}\n")
        if in_list:
            (git_directory / "packed-refs").write_text("".join(in_list))

    def _write_worktrees(self, git_directory: Path, ids: list[str]) -> list[Checkout]:
        branch = next(iter(self.branches))
        (git_directory / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
        found = [Checkout(None, branch, ids[self.branches[branch]])]
        for number, commit in enumerate(self.detached):
            own = git_directory / "worktrees" / str(number)
            own.mkdir(parents=True)
            (own / "HEAD").write_text(f"{ids[commit]}\n")
            (own / "commondir").write_text("../..\n")
            path = git_directory.parent.parent / f"wt{number}"
            (own / "gitdir").write_text(f"{path}/.git\n")
            found.append(Checkout(str(path), None, ids[commit]))
        return found


def _remove_refs(directory: Path) -> None:
    for parent, _, names in os.walk(directory, topdown=False):
        for name in names:
            os.unlink(os.path.join(parent, name))
        os.rmdir(parent)
