"""Git repositories on disk, created and changed with git itself."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from scripts.support.directory_copies import DirectoryCopy

# The configuration of the machine and of the user must not decide any result.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TEMPLATE_DIR": "",  # the sample hooks are most of the files of a small repository
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_EDITOR": "true",
    "GIT_ALLOW_PROTOCOL": "file:git",
}
# Otherwise git would continue in the background, in a folder that is about to be removed.
_NO_MAINTENANCE = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")
_TIME_LIMIT = 60  # seconds for one command


class GitFailed(Exception):
    """A git command failed; the message is what it printed to stderr."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository in a folder."""

    path: Path

    @classmethod
    def created(cls, path: Path, *options: str) -> Self:
        """Create a repository without commits; `options` are those of `git init`."""
        repository = cls(path)
        if options or repository.git_directory.exists():
            path.mkdir(parents=True, exist_ok=True)
            repository.git("init", "--quiet", "--initial-branch=main", *options)
        else:
            _copy_with_commits().write(path)
        return repository

    @property
    def git_directory(self) -> Path:
        return self.path / ".git"

    @classmethod
    def with_commits(cls, path: Path, *names: str) -> Self:
        """Create a repository with one commit per file.

        Git runs once per process for the same names. The index of the copies does not have the
        times of their files, so git reads each file when it looks for changes.
        """
        _copy_with_commits(*names).write(path)
        return cls(path)

    def git(self, *arguments: str, check: bool = True, stdin: str = "", **variables: str) -> str:
        """Run git in the folder, with `stdin` as its input; returns what it prints.

        Raises: GitFailed when it fails, unless `check` is false.
        """
        done = subprocess.run(  # noqa: S603 - git, with the arguments of a test or demo
            ["git", *_NO_MAINTENANCE, *arguments],  # noqa: S607 - the git that the service uses
            cwd=self.path,
            env={**ENVIRONMENT, **variables},
            input=stdin.encode(),
            capture_output=True,
            check=False,
            timeout=_TIME_LIMIT,
        )
        if check and done.returncode:
            raise GitFailed(done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def write(self, name: str, content: str | bytes = "content\n") -> Path:
        """Write a file; returns its path."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, name: str = "file", content: str | bytes = "content\n") -> None:
        """Write and commit a file."""
        self.write(name, content)
        self.git("add", "--", name)
        self.git("commit", "--quiet", "--message", f"Change {name}")

    @property
    def head(self) -> str:
        """The id of the checked out commit."""
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> Self:
        self.git("clone", "--quiet", *options, self.path.as_uri(), str(path))
        return type(self)(path)

    def snapshot(self) -> dict[str, tuple[int, int, int]]:
        """The modification time, size and inode of every file and folder."""
        return {
            str(each): (found.st_mtime_ns, found.st_size, found.st_ino)
            for each in [self.path, *self.path.rglob("*")]
            if (found := each.lstat())
        }


@cache
def _copy_with_commits(*names: str) -> DirectoryCopy:
    def create(path: Path) -> None:
        repository = Repository(path)
        repository.git("init", "--quiet", "--initial-branch=main")
        for name in names:
            repository.commit(name)

    return DirectoryCopy.created_by(create)
