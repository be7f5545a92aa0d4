"""The working tree of a repository, as its configuration names it (git-config(1))."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import real_path
from symphony.infrastructure.git.files.unreadable import broken, refused

_SUBJECT = "The working tree that core.worktree names"


@contextmanager
def configured(location: Location, config: Config) -> Generator[Location]:
    """Open the working tree that a git directory names; without one it is a bare repository.

    So a repository of dotfiles (yadm, vcsh), whose files are in the home directory, has files.

    Raises: Unreadable when the working tree is another one than that of the location, outside the
    git roots or missing; OSError.
    """
    named = config.last("core.worktree")
    if named is not None and config.is_true("core.bare"):
        raise broken("The settings core.bare and core.worktree contradict each other.")
    path = location.git_directory.path
    if location.work_tree is not None:
        if named is not None and real_path(path / named) != location.work_tree.path:
            raise refused("The setting core.worktree names another directory.")
        yield location
    elif named is not None:
        try:
            work_tree = location.roots.open(path / named, _SUBJECT)
        except (FileNotFoundError, NotADirectoryError):
            raise broken(f"{_SUBJECT} does not exist.") from None
        with work_tree:
            yield replace(location, work_tree=work_tree)
    elif is_bare(location, config):
        yield location
    else:
        raise broken("This is the git directory of a repository; name its working tree instead.")


def is_bare(location: Location, config: Config) -> bool:
    """Return whether the repository has no working tree, as git decides it."""
    if config.last("core.bare") is not None:
        return config.is_true("core.bare")
    return location.work_tree is None and location.git_directory.path.name != ".git"
