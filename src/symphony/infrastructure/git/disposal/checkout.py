"""What an inspection passes on about a repository, or a submodule of it, while it is open."""

from collections.abc import Callable
from dataclasses import dataclass

from symphony.domain.git.work import Work
from symphony.infrastructure.git.history.memory import Memory
from symphony.infrastructure.git.history.refs import RefsOnce
from symphony.infrastructure.git.process.private_directory import PrivateDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedCheckout:
    """A repository whose files and commits were inspected.

    `at_risk` says whether something exists only in it, `files_at_risk` the same of the files of
    this worktree; None when that could not be determined. `head` is the id of its commit.
    `memory` has what git answered about its commits, `refs` its refs as of the inspection.
    """

    private: PrivateDirectory
    memory: Memory
    refs: RefsOnce
    head: str | None
    work: Work
    at_risk: bool | None
    files_at_risk: bool | None
    is_submodule: bool


Visit = Callable[[InspectedCheckout], None]
"""Is called for each submodule that is checked out, before the repository that contains it."""


def ignore_checkout(checkout: InspectedCheckout) -> None:
    """Need nothing but the status."""
    del checkout
