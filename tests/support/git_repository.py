"""Git repositories on the disk, created and changed with git itself."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Neither the configuration of the machine nor that of the developer has an influence.
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
    "GIT_EDITOR": "true",
    "GIT_ALLOW_PROTOCOL": "file",
}
# Maintenance would continue in the background, in a directory that is about to be removed.
_NO_MAINTENANCE = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")
_TIME_LIMIT = 60  # seconds for one command


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository in a directory."""

    path: Path

    @classmethod
    def created(cls, path: Path, *options: str) -> "Repository":
        """Create one without a commit."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main", *options)
        return repository

    @property
    def git_directory(self) -> Path:
        return self.path / ".git"

    def git(self, *arguments: str, check: bool = True, **variables: str) -> str:
        """Run git and return what it prints. Raises: RuntimeError when `check` and it fails."""
        result = subprocess.run(  # noqa: S603 - git, and arguments of a test
            ["git", *_NO_MAINTENANCE, *arguments],  # noqa: S607 - the one on the search path
            cwd=self.path,
            env={**ENVIRONMENT, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TIME_LIMIT,
        )
        if check and result.returncode != 0:
            raise RuntimeError(result.stderr.decode("utf-8", "replace"))
        return result.stdout.decode("utf-8", "replace").rstrip("\n")

    def write(self, name: str, content: str | bytes = "content\n") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, name: str = "file", content: str | bytes = "content\n") -> str:
        """Write and commit a file; return the commit's id."""
        self.write(name, content)
        self.git("add", "--", name)
        self.git("commit", "--quiet", "--message", f"Change {name}")
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> "Repository":
        self.git("clone", "--quiet", *options, self.path.as_uri(), str(path))
        return Repository(path)

    def snapshot(self) -> dict[str, tuple[int, ...]]:
        """Return the modification time, size and inode of every file and directory."""
        return {
            str(each): (status.st_mtime_ns, status.st_size, status.st_ino)
            for each in [self.path, *self.path.rglob("*")]
            if (status := each.lstat())
        }
