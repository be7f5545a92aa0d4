"""Simulated machines with checkouts, and the remotes that they push to and fetch from.

The history of a branch is a list of commits. A merge adds the other side's commits and one more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha1
from itertools import count
from random import Random
from typing import Any

BRANCHES = ("main", "idea", "team/notes")
TEXTS = ("https://{}.git", "ssh://git@{}", "git://{}", "https://{}/")
_numbers = count()


def new_commit() -> str:
    return sha1(f"commit {next(_numbers)}".encode()).hexdigest()  # noqa: S324 - as git names them


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@dataclass
class Remote:
    """A repository on a git host; `key` is its host and path."""

    key: str
    root: str
    branches: dict[str, list[str]]

    @classmethod
    def new(cls, key: str) -> "Remote":
        root = new_commit()
        return cls(key, root, {"main": [root], "idea": [root, new_commit()]})

    def fork(self, key: str) -> "Remote":
        return Remote(key, self.root, {name: [*each] for name, each in self.branches.items()})

    def url(self, random: Random) -> str:
        return random.choice(TEXTS).format(self.key)


@dataclass
class Directory:
    """A git repository in a directory of a machine."""

    remotes: dict[str, tuple[Remote, str]]
    roots: list[str]
    branch: str | None
    local: dict[str, list[str]]
    tracking: dict[tuple[str, str], list[str]] = field(default_factory=dict[Any, Any])
    fetched_at: datetime | None = None
    authored_at: datetime | None = None
    detached: list[str] = field(default_factory=list[str])
    tag: list[str] = field(default_factory=list[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    integrated: str = "no"

    def fetch(self, remote: str, now: datetime) -> None:
        for name, commits in self.remotes[remote][0].branches.items():
            self.tracking[remote, name] = [*commits]
        self.fetched_at = now

    def commit(self, now: datetime) -> None:
        commits = self.local[self.branch] if self.branch else self.detached
        commits.append(new_commit())
        self.authored_at = now

    def pull(self, remote: str, now: datetime) -> None:
        self.fetch(remote, now)
        theirs = self.tracking.get((remote, self.branch or ""))
        if theirs is None or self.branch is None:
            return
        own = self.local[self.branch]
        missing = [each for each in theirs if each not in own]
        if not missing:
            return
        diverged = any(each not in theirs for each in own)
        self.local[self.branch] = [*own, *missing, *([new_commit()] if diverged else [])]
        if not diverged:
            self.local[self.branch] = [*theirs]

    def push(self, remote: str, *, force: bool) -> None:
        if self.branch is None:
            return
        theirs = self.remotes[remote][0].branches.get(self.branch, [])
        own = self.local[self.branch]
        if force or all(each in own for each in theirs):
            self.remotes[remote][0].branches[self.branch] = [*own]
            self.tracking[remote, self.branch] = [*own]

    def body(self, path: str, now: datetime) -> dict[str, Any]:
        """The checkout as a reporter sends it, by the clock of its machine."""
        return {
            "path": path,
            "remotes": [{"name": name, "url": url} for name, (_, url) in self.remotes.items()],
            "root_commits": self.roots,
            "remote_heads": [
                {"remote": remote, "branch": branch, "head": commits[-1]}
                for (remote, branch), commits in self.tracking.items()
            ],
            "status": self._status(now),
        }

    def _status(self, now: datetime) -> dict[str, Any]:
        pushed = {each for commits in self.tracking.values() for each in commits}
        places = [("branch", name, commits) for name, commits in self.local.items()]
        places += [("tag", "v1", self.tag)] if self.tag else []
        places += [("detached", None, self.detached)] if self.detached else []
        work = [self._item(*each, pushed, now) for each in places]
        unpushed = {each for *_, commits in places for each in commits} - pushed
        own = [*self.local[self.branch]] if self.branch else [*self.detached]
        upstream = self._upstream()
        theirs = None if upstream is None else self.tracking[upstream]
        status: dict[str, Any] = {
            "observed_at": written(now),
            "state": "dirty" if self.facts.get("modified") else "clean",
            "reason": None,
            "branch": self.branch,
            "head": {
                "id": own[-1],
                "subject": "x",
                "author": "Ada",
                "authored_at": self.authored_at and written(self.authored_at),
            }
            if own
            else None,
            "upstream": None if upstream is None else "/".join(upstream),
            "ahead": None if theirs is None else len(set(own) - set(theirs)),
            "behind": None if theirs is None else len(set(theirs) - set(own)),
            **dict.fromkeys(("staged", "modified", "untracked", "conflicted", "stashes"), 0),
            "operation": None,
            "remotes": {name: url for name, (_, url) in self.remotes.items()},
            "unpushed_commits": len(unpushed),
            "work": work,
            "work_truncated": False,
            "worktrees": [],
            "as_of": {
                "source": "fetch",
                "at": written(self.fetched_at) if self.fetched_at else None,
            }
            if self.remotes
            else None,
            "main_repository": None,
        }
        status |= self.facts
        return status | {"at_risk": self._risk(status, work)}

    def _risk(self, status: dict[str, Any], work: Sequence[dict[str, Any]]) -> bool | None:
        files = ("staged", "modified", "untracked", "conflicted", "stashes")
        exposed = [each["integrated"] for each in work if each["unpushed_commits"]]
        states = [each["state"] for each in status["worktrees"]]
        commits = "no" in exposed if self.remotes else bool(work)
        if any(status[name] for name in files) or commits or "dirty" in states:
            return True
        unknown = [status["reason"], status["operation"], "unknown" in exposed, "missing" in states]
        return None if any(unknown) or status["unpushed_commits"] is None else False

    def _upstream(self) -> tuple[str, str] | None:
        places = [(remote, self.branch or "") for remote in self.remotes]
        return next((each for each in places if each in self.tracking), None)

    def _item(
        self, kind: str, name: str | None, commits: Sequence[str], pushed: set[str], now: datetime
    ) -> dict[str, Any]:
        unpushed = len(set(commits) - pushed)
        return {
            "kind": kind,
            "name": name,
            "worktree": None,
            "head": commits[-1],
            "upstream": None,
            "ahead": None,
            "behind": None,
            "unpushed_commits": unpushed,
            "integrated": self.integrated if unpushed else "merged",
            "committed_at": written(now),
        }


@dataclass
class Computer:
    """A machine whose clock differs from that of the server by `skew`."""

    name: str
    skew: timedelta
    directories: dict[str, Directory] = field(default_factory=dict[str, Directory])
    sequence: int = 0

    def report(self, now: datetime) -> dict[str, Any]:
        """All checkouts at a time of the server; the counter grows whatever the clock says."""
        clock = now + self.skew
        self.sequence = max(self.sequence + 1, int(clock.timestamp() * 1_000))
        return {
            "sequence": self.sequence,
            "roots": ["/home/ada"],
            "checkouts": [
                each.body(path, clock - timedelta(seconds=index % 30))
                for index, (path, each) in enumerate(self.directories.items())
            ],
        }
