"""Repositories on the disk, worked in by somebody with git itself."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Whoever runs a demo has a configuration of their own, which must not decide how demos end.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}
# Or it would go on in the background, in a folder that is about to be removed.
_NOTHING_LATER = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")
_TIME_LIMIT = 30  # seconds for one command


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in a folder."""

    path: Path

    @classmethod
    def created(cls, path: Path) -> Self:
        """A new one, without a commit."""
        path.mkdir(parents=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    @classmethod
    def with_commits(cls, path: Path, *names: str) -> Self:
        """A new one with a commit for each file."""
        repository = cls.created(path)
        for name in names:
            repository.commit(name)
        return repository

    def git(self, *arguments: str, check: bool = True) -> str:
        """What git prints. Raises: CalledProcessError when it fails, unless that is no matter."""
        done = subprocess.run(  # noqa: S603 - git, and what a demo gives
            ["git", *_NOTHING_LATER, *arguments],  # noqa: S607 - the one that is on the path
            cwd=self.path,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=check,
            text=True,
            timeout=_TIME_LIMIT,
        )
        return done.stdout.strip()

    def write(self, name: str, content: str = "content\n") -> None:
        (self.path / name).write_text(content)

    def commit(self, name: str, content: str = "content\n") -> str:
        """Commits a file; the commit's id."""
        self.write(name, content)
        self.git("add", "--", name)
        self.git("commit", "--quiet", "--message", f"Change {name}")
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path) -> "Repository":
        self.git("clone", "--quiet", str(self.path), str(path))
        return Repository(path)

    def traces(self) -> dict[str, tuple[int, int, int]]:
        """Of everything in it: when it was changed, its size, its inode."""
        return {
            str(each): (seen.st_mtime_ns, seen.st_size, seen.st_ino)
            for each in [self.path, *self.path.rglob("*")]
            if (seen := each.lstat())
        }
