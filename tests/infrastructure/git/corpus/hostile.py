"""A repository whose owner wants the service to run a program or to reveal a secret."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.support.directory_copies import DirectoryCopy
from scripts.support.git_repository import Repository

SECRET = "the secret that lies outside"


@dataclass(frozen=True, slots=True)
class HostileRepository:
    """The repository, and what is outside the git root: a program and a secret repository.

    The program leaves a mark when it runs. Nobody may learn the commit, the files and the name of
    the secret repository.
    """

    repo: Repository
    outside: Path

    @property
    def program(self) -> str:
        return str(self.outside / "program")

    @property
    def mark(self) -> Path:
        return self.outside / "mark"

    @property
    def secret(self) -> Repository:
        return Repository(self.outside / "secret")

    @classmethod
    def created(cls, root: Path, outside: Path) -> "HostileRepository":
        """Create a repository with two files, one of them touched, so that git reads it."""
        hostile = cls(Repository.with_commits(root / "repo", "file", "other"), outside)
        program = Path(hostile.program)
        # It prints nothing, whatever name it is run by.
        program.write_text(f'#!/bin/sh\necho run as: "$0" "$@" >> {hostile.mark}\n')
        program.chmod(0o755)
        _secret_repository().write(hostile.secret.path)
        os.utime(hostile.repo.path / "file", ns=(10**18, 10**18))
        return hostile

    def config(self, name: str, value: str) -> None:
        self.repo.git("config", name, value)

    def attribute(self, words: str) -> None:
        self.repo.write(".gitattributes", f"* {words}\n")


@cache
def _secret_repository() -> DirectoryCopy:
    def create(path: Path) -> None:
        secret = Repository.created(path)
        secret.write("file", SECRET)
        secret.git("add", ".")
        secret.git("commit", "--quiet", f"--message={SECRET}")

    return DirectoryCopy.created_by(create)


def submodule(hostile: HostileRepository) -> Repository:
    """Add a submodule with a touched file."""
    library = Repository.with_commits(hostile.repo.path.with_name("library"), "inner")
    hostile.repo.git("submodule", "--quiet", "add", library.path.as_uri(), "vendor")
    hostile.repo.git("commit", "--quiet", "--message=submodule")
    inner = Repository(hostile.repo.path / "vendor")
    os.utime(inner.path / "inner", ns=(10**18, 10**18))
    return inner


Attack = Callable[[HostileRepository], None]
