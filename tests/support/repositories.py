"""Real repositories, made by git itself, and what git says of them."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support import processes

USER = UUID(int=1)
"""For whom repositories are looked at."""
# Neither the machine's nor the developer's configuration decides how tests end.
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_EDITOR": "true",
    "GIT_ALLOW_PROTOCOL": "file",
}
_BRANCH = {"branch.oid": "head", "branch.head": "branch", "branch.upstream": "upstream"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in a folder."""

    path: Path

    @classmethod
    def made(cls, path: Path, *options: str) -> "Repository":
        """A new one, without a commit."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main", *options)
        return repository

    @property
    def own(self) -> Path:
        return self.path / ".git"

    def git(self, *arguments: str, check: bool = True, **variables: str) -> str:
        """What git prints."""
        done = subprocess.run(  # noqa: S603 - git, and what a test gives
            ["git", "-c", "gc.auto=0", *arguments],  # noqa: S607 - the one that the service finds too
            cwd=self.path,
            env={**_ENVIRONMENT, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def write(self, name: str, content: str | bytes = "content\n") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, name: str = "file", content: str | bytes = "content\n") -> str:
        """Commits a file; the commit's id."""
        self.write(name, content)
        self.git("add", "--", name)
        self.git("commit", "--quiet", "--message", f"Change {name}")
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> "Repository":
        self.git("clone", "--quiet", *options, self.path.as_uri(), str(path))
        return Repository(path)

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

    def traces(self) -> dict[str, tuple[int, ...]]:
        """Of everything in it: when it was changed, its size, its inode."""
        return {
            str(each): (seen.st_mtime_ns, seen.st_size, seen.st_ino)
            for each in [self.path, *self.path.rglob("*")]
            if (seen := each.lstat())
        }


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
