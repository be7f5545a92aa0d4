"""The private git directories of one inspection."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from symphony.infrastructure.git.files import work_tree
from symphony.infrastructure.git.files.config import read_config
from symphony.infrastructure.git.files.location import Location, locate
from symphony.infrastructure.git.files.objects import find_object_directories
from symphony.infrastructure.git.files.roots import OpenedRoots
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.untrusted_directory import CopyBudget, UntrustedDirectory
from symphony.infrastructure.git.files.user_config import UserConfig
from symphony.infrastructure.git.process.private_directory import (
    PrivateDirectory,
    create_private_directory,
)
from symphony.infrastructure.git.process.program import Program


class PrivateDirectories:
    """Creates private git directories below `temporary`; those that exist at the same time share
    the budget."""

    def __init__(
        self,
        temporary: Path,
        program: Program,
        budget: CopyBudget,
        user_config: UserConfig | None,
    ) -> None:
        self._temporary = temporary
        self._program = program
        self._budget = budget
        self._user_config = user_config
        self._numbers = count()

    @contextmanager
    def open(
        self, directory: UntrustedDirectory, roots: OpenedRoots
    ) -> Generator[PrivateDirectory]:
        """Create one for the repository with this top directory.

        Raises: Unreadable, Stopped, OSError.
        """
        with locate(directory, roots) as found, self._copies() as path:
            config = read_config(found, self._user_config)
            with work_tree.configured(found, config) as location:
                objects = find_object_directories(location.common_directory, roots)
                yield create_private_directory(
                    location, config, objects, self._program, path, self._budget
                )

    @contextmanager
    def open_worktree(
        self, directory: UntrustedDirectory, shared: PrivateDirectory
    ) -> Generator[PrivateDirectory]:
        """Create one for another worktree of the repository of `shared`.

        Raises: Unreadable, Stopped, OSError.
        """
        common = shared.location.common_directory
        with (
            locate(directory, shared.location.roots, common) as found,
            self._copies() as path,
        ):
            if found.common_directory.identity != common.identity:
                raise broken("The directory belongs to another repository now.")
            config = read_config(found, self._user_config, shared.config)
            with work_tree.configured(found, config) as location:
                objects = shared.object_directories
                yield create_private_directory(
                    location, config, objects, self._program, path, self._budget, shared
                )

    @contextmanager
    def open_without_files(
        self, git_directory: UntrustedDirectory, roots: OpenedRoots
    ) -> Generator[PrivateDirectory]:
        """Create one for a git directory whose working tree does not exist.

        Raises: Unreadable, Stopped, OSError.
        """
        location = Location(roots, None, git_directory, git_directory)
        config = read_config(location)
        try:
            objects = find_object_directories(git_directory, roots)
        except (FileNotFoundError, NotADirectoryError):
            raise broken("A stored submodule has no objects.") from None
        with self._copies() as path:
            yield create_private_directory(
                location, config, objects, self._program, path, self._budget
            )

    @contextmanager
    def _copies(self) -> Generator[Path]:
        """Create a directory for copies; its removal restores the budget."""
        remaining = self._budget.remaining
        path = self._temporary / str(next(self._numbers))
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path)
        self._budget.remaining = remaining
