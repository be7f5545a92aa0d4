"""Real repositories, made by git itself, and what git says of them."""

from pathlib import Path
from typing import Any, Self
from uuid import UUID

from scripts.support import git_repository
from tests.support import processes

USER = UUID(int=1)
"""For whom repositories are looked at."""
_BRANCH = {"branch.oid": "head", "branch.head": "branch", "branch.upstream": "upstream"}


class Repository(git_repository.Repository):
    """A repository in a folder, and what `git status` says of it."""

    @classmethod
    def made(cls, path: Path, *options: str) -> Self:
        """A new one, without a commit."""
        return cls.created(path, *options)

    @property
    def own(self) -> Path:
        return self.path / ".git"

    def told(self) -> dict[str, Any]:
        """What `git status` says of it, in the names of a RepoStatus."""
        output = self.git(
            "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--show-stash"
        )
        told: dict[str, Any] = {
            **dict.fromkeys(("branch", "head", "upstream", "ahead", "behind")),
            **dict.fromkeys(("staged", "modified", "untracked", "conflicted", "stashes"), 0),
        }
        for line in output.splitlines():
            kind, *words = line.split(" ")
            if kind in {"1", "2"}:
                told["staged"] += words[0][0] != "."
                told["modified"] += words[0][1] != "."
            elif kind in {"u", "?"}:
                told["conflicted" if kind == "u" else "untracked"] += 1
            elif words[0] in _BRANCH and words[1] not in {"(initial)", "(detached)"}:
                told[_BRANCH[words[0]]] = words[1]
            elif words[0] == "branch.ab":
                told["ahead"], told["behind"] = int(words[1]), -int(words[2])
            elif words[0] == "stash":
                told["stashes"] = int(words[1])
        files = ("staged", "modified", "untracked", "conflicted")
        told["state"] = "dirty" if any(told[each] for each in files) else "clean"
        return told


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def running() -> list[str]:
    """The git processes, and those of its shells, that this process has begun."""
    begun = [each for each in processes.children() if "GIT_DIR" in processes.environment(each)]
    return [name for name in map(processes.name, begun) if name in {"git", "sh", "program"}]


async def git_runs() -> bool:
    return running() == ["git"]


async def nothing_runs() -> bool:
    return running() == []
