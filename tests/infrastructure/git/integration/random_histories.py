"""Random histories of a default branch and a few others, and git's own answers about them."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from scripts.support.git_repository import ENVIRONMENT, Repository
from symphony.domain.git.work import Integration
from tests.infrastructure.git.integration.builder import HistoryBuilder

Slots = dict[str, str]
"""The content of each place in the files that can change; a file without content is not there."""
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_PLACES = ("f1", "f2", "f3", "f8", "g1", "g5", "h1", "e1")


@dataclass
class _Commit:
    name: str
    slots: Slots
    parents: tuple[str, ...]


@dataclass
class RandomHistory:
    """Changes of branches, which are merged, squashed, rebased, picked or reverted."""

    random: Random
    build: HistoryBuilder = field(default_factory=HistoryBuilder)
    commits: dict[str, _Commit] = field(default_factory=dict[str, _Commit])
    heads: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def created(cls, random: Random, steps: int) -> "RandomHistory":
        history = cls(random)
        root = history._commit(dict.fromkeys(_PLACES[:-2], "0"))
        history.heads = dict.fromkeys(("main", "a", "b", "c"), root)
        for _ in range(steps):
            history._step()
        return history

    def _step(self) -> None:
        steps: tuple[tuple[Callable[[str], None], int], ...] = (
            (self._change, 8), (self._move_on, 3), (self._squash, 3), (self._rebase, 2),
            (self._pick, 2), (self._revert, 2), (self._update, 2), (self._merge, 1),
            (self._restart, 1), (self._empty, 1),
        )  # fmt: skip
        chosen = self.random.choices([step for step, _ in steps], [w for _, w in steps])[0]
        chosen(self.random.choice(("a", "b", "c")))

    def _commit(self, slots: Slots, *parents: str) -> str:
        name = f"c{len(self.commits)}"
        self.commits[name] = _Commit(name, slots, parents)
        files: dict[str, str] = {}
        for file in {place[0] for place in slots}:
            texts = [f"{file}{n} {slots.get(f'{file}{n}', '-')}\n" for n in range(10)]
            files[file] = "".join(texts)
        return self.build.commit(name, files, *parents)

    def _slots(self, branch: str) -> Slots:
        return self.commits[self.heads[branch]].slots

    def _changed(self, slots: Slots) -> Slots:
        place = self.random.choice(_PLACES)
        value = self.random.choice(("0", "1", "2", "  1", "new"))
        if value == "0" and place[0] in "he":
            return {each: text for each, text in slots.items() if each != place}
        return {**slots, place: value}

    def _applied(self, old: Slots, new: Slots, slots: Slots) -> Slots:
        """Return `slots` with the change from old to new, whatever was there."""
        result = dict(slots)
        for place in old.keys() | new.keys():
            if old.get(place) != new.get(place):
                result.pop(place, None)
                if place in new:
                    result[place] = new[place]
        return result

    def _own(self, branch: str) -> list[_Commit]:
        """Return the first parents of a branch that are not in main, the oldest first."""
        in_main = self._ancestors(self.heads["main"])
        found: list[_Commit] = []
        name = self.heads[branch]
        while name not in in_main:
            found.insert(0, self.commits[name])
            name = found[0].parents[0]
        return found

    def _ancestors(self, name: str) -> set[str]:
        found = {name}
        pending = [name]
        while pending:
            for parent in self.commits[pending.pop()].parents:
                if parent not in found:
                    found.add(parent)
                    pending.append(parent)
        return found

    def _on(self, branch: str, slots: Slots, *merged: str) -> None:
        self.heads[branch] = self._commit(slots, self.heads[branch], *merged)

    def _change(self, branch: str) -> None:
        self._on(branch, self._changed(self._slots(branch)))

    def _empty(self, branch: str) -> None:
        self._on(branch, self._slots(branch))

    def _move_on(self, branch: str) -> None:
        del branch
        self._change("main")

    def _squash(self, branch: str) -> None:
        if own := self._own(branch):
            base = self.commits[own[0].parents[0]].slots
            slots = self._applied(base, own[-1].slots, self._slots("main"))
            self._on("main", self._changed(slots) if self.random.random() < 0.1 else slots)

    def _rebase(self, branch: str) -> None:
        for commit in self._own(branch):
            self._apply(commit)

    def _pick(self, branch: str) -> None:
        if own := self._own(branch):
            self._apply(self.random.choice(own))

    def _apply(self, commit: _Commit) -> None:
        old = self.commits[commit.parents[0]].slots
        self._on("main", self._applied(old, commit.slots, self._slots("main")))

    def _revert(self, branch: str) -> None:
        where = self.random.choice(("main", branch))
        last = self.commits[self.heads[where]]
        if last.parents:
            old = self.commits[last.parents[0]].slots
            self._on(where, self._applied(last.slots, old, last.slots))

    def _update(self, branch: str) -> None:
        """Merge main into the branch."""
        self._merged(branch, "main")

    def _merge(self, branch: str) -> None:
        self._merged("main", branch)

    def _merged(self, into: str, branch: str) -> None:
        ours, theirs = self.heads[into], self.heads[branch]
        if theirs in self._ancestors(ours):
            return
        common = self._ancestors(ours) & self._ancestors(theirs)
        base = self.commits[max(common, key=lambda name: int(name[1:]))].slots
        slots = self._applied(base, self._slots(branch), self._slots(into))
        self._on(into, self._changed(slots) if self.random.random() < 0.1 else slots, theirs)

    def _restart(self, branch: str) -> None:
        self.heads[branch] = self.heads[self.random.choice(("main", "a", "b"))]


def answer_of_git(repository: Repository, tip: str, target: str) -> Integration:
    """Return the answer by one run of git for each step, whatever it takes."""
    git = repository.git
    if tip in git("rev-list", target).split():
        return Integration.MERGED
    # A merge of the target that has nothing of its own counts for the commit before it.
    while len(parents := git("rev-parse", f"{tip}^@").split()) == 2:
        in_target = set(git("rev-list", target).split())
        taken = [each for each in parents if each in in_target]
        if len(taken) != 1 or _tree(repository, taken[0]) != _tree(repository, tip):
            break
        tip = next(each for each in parents if each not in in_target)
    bases = git("merge-base", "--all", target, tip).split()
    if len(bases) != 1:
        return Integration.UNKNOWN
    later = git("rev-list", "--no-merges", f"{bases[0]}..{target}").split()
    known = {_own_patch(repository, commit) for commit in later}
    if (whole := _patch(repository, bases[0], tip)) and whole in known:
        return Integration.SQUASHED
    own = git("rev-list", tip, f"^{target}").split()
    if not git("rev-list", "--merges", tip, f"^{target}"):
        patches = [_own_patch(repository, commit) for commit in own]
        if all(patch and patch in known for patch in patches):
            return Integration.SQUASHED
    merged = git("merge-tree", "--write-tree", target, tip, check=False).split("\n")
    is_changed = _tree(repository, bases[0]) != _tree(repository, tip)
    if is_changed and merged == [_tree(repository, target)]:
        return Integration.SQUASHED
    return Integration.NO


def _tree(repository: Repository, commit: str) -> str:
    return repository.git("rev-parse", f"{commit}^{{tree}}")


def _own_patch(repository: Repository, commit: str) -> str:
    parents = repository.git("rev-parse", f"{commit}^@").split()
    return _patch(repository, parents[0] if parents else _EMPTY_TREE, commit)


def _patch(repository: Repository, old: str, new: str) -> str:
    text = repository.git("diff-tree", "-p", "-r", "--no-renames", "--full-index", old, new)
    done = subprocess.run(
        ["git", "patch-id", "--verbatim"],  # noqa: S607
        input=os.fsencode(text + "\n"),
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split(" ")[0].strip()
