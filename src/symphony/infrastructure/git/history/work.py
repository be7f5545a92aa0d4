"""The committed work of a repository: what its branches, tags and worktrees hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from symphony.domain.work import RemoteHeads, Work
from symphony.infrastructure.git.process.private_directory import PrivateDirectory


@dataclass(frozen=True, slots=True)
class Checkout:
    """A worktree of the repository: `branch` is None when its HEAD is detached, `head` is the id
    of its commit, None before the first one. The main worktree has no `path`."""

    path: str | None
    branch: str | None
    head: str | None


def read_work(
    private: PrivateDirectory, checkouts: Sequence[Checkout], synced: RemoteHeads | None
) -> Work:
    """Return the committed work of the repository. Raises: Unreadable, Stopped."""
    del private, checkouts, synced
    return Work(
        unpushed_commits=None, at_risk=None, items=[], is_truncated=False, as_of=None, reason="…"
    )
