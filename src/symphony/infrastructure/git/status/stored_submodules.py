"""The git directories of submodules that are stored in a repository but not checked out.

`git submodule deinit`, the removal of a submodule and the checkout of a branch without it leave its
git directory behind, with all commits that were not pushed.
"""

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager

from symphony.infrastructure.git.files.config import read_config
from symphony.infrastructure.git.files.location import Location, locate
from symphony.infrastructure.git.files.roots import OpenedRoots
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.untrusted_directory import (
    Identity,
    UntrustedDirectory,
)
from symphony.infrastructure.git.process.private_directory import (
    PrivateDirectory,
)
from symphony.infrastructure.git.status.findings import Findings

_MODULES = "modules"  # gitrepository-layout(5)
_MAX_DIRECTORIES = 1_000
_MAX_LEVELS = 20  # of the name of a submodule


def stored(
    git_directory: UntrustedDirectory, inspected: Collection[Identity]
) -> Iterator[UntrustedDirectory]:
    """Yield the git directories of submodules that were not inspected, each open until the next.

    Raises: Unreadable beyond a limit, or when a directory is a symbolic link; Stopped, OSError.
    """
    pending = [_MODULES] if git_directory.has_directory(_MODULES) else []
    count = 0
    while pending:
        name = pending.pop()
        count += 1
        if count > _MAX_DIRECTORIES or name.count("/") > _MAX_LEVELS:
            raise broken("The repository stores too many submodules.")
        with git_directory.open(*name.split("/")) as directory:
            if directory.mode("objects") is not None or directory.mode("HEAD") is not None:
                if directory.identity not in inspected:
                    yield directory
                continue
            for entry in directory.entries():
                if entry.is_symlink():
                    raise broken("A stored submodule is a symbolic link.")
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{name}/{entry.name}")
                    if len(pending) > _MAX_DIRECTORIES:
                        raise broken("The repository stores too many submodules.")


def find_staged(private: PrivateDirectory, head: str | None) -> Findings:
    """Find changes that exist only in the index.

    Raises: Unreadable, Stopped.
    """
    findings = Findings()
    if not (private.path / "index").exists():
        return findings
    if head is None:
        findings.unknown.append("It has an index and no commit.")
    elif private.git("diff-index", "--cached", "--name-only", "-z", head, "--"):
        findings.is_at_risk = True
    return findings


@contextmanager
def work_tree_of(
    git_directory: UntrustedDirectory, roots: OpenedRoots
) -> Generator[UntrustedDirectory | None]:
    """Open the directory where a submodule is checked out; None when it is in none.

    Raises: Unreadable, Stopped, OSError.
    """
    named = read_config(Location(roots, None, git_directory, git_directory)).last("core.worktree")
    if named is None:
        yield None
        return
    try:
        directory = roots.open(git_directory.path / named, "The working tree of a submodule")
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    with directory:
        if directory.mode(".git") is None:
            yield None
            return
        with locate(directory, roots) as found:
            is_own = found.git_directory.identity == git_directory.identity
        yield directory if is_own else None
