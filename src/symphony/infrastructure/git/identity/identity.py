"""By what a repository is recognized elsewhere: its root commits, and the heads of its remotes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.checkouts import RemoteHead
from symphony.infrastructure.git.disposal.checkout import InspectedCheckout
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.history.refs import Refs
from symphony.infrastructure.git.identity.remote_heads import known_heads
from symphony.infrastructure.git.identity.root_commits import read_root_commits
from symphony.infrastructure.git.process.program import OutOfTime

_TIME_LIMIT = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class RepositoryIdentity:
    """What is unknown, or takes too long to read, is missing."""

    root_commits: Sequence[str] = ()
    remote_heads: Sequence[RemoteHead] = ()


class Identification:
    """Reads the identity of a repository during its inspection; `visit` is its visitor."""

    def __init__(self, synced: RemoteHeads | None = None) -> None:
        self._synced = synced
        self.identity = RepositoryIdentity()

    def visit(self, checkout: InspectedCheckout) -> None:
        """Raises: Stopped."""
        if checkout.is_submodule:
            return
        try:
            refs = checkout.refs.read()
            heads = known_heads(checkout.private, refs, self._synced)
        except (Unreadable, OSError):
            return  # the status says why the refs cannot be read
        self.identity = RepositoryIdentity(_root_commits(checkout, refs), heads)


def _root_commits(checkout: InspectedCheckout, refs: Refs) -> Sequence[str]:
    """Return the root commits of HEAD and all branches; of HEAD alone when a branch is damaged."""
    own = [checkout.head] if checkout.head is not None else []
    reader = Reader(checkout.private, time.monotonic() + _TIME_LIMIT)
    for tips in ({*own, *refs.branches.values(), *refs.remotes.values()}, set(own)):
        try:
            return read_root_commits(reader, checkout.memory, tips)
        except OutOfTime:
            break
        except (Unreadable, OSError):
            continue
    return ()
