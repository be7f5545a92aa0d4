"""The port to replicas: copies of the database that answer queries, a little later."""

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from symphony.domain.unit_of_work import Repositories

Reason: TypeAlias = Literal["primary-only", "unusable", "busy", "behind", "ahead", "failed"]
"""Why the primary answered a query:

- `primary-only`: a replica is never asked for this.
- `unusable`: no replica can be used at the moment.
- `busy`: no connection to the replica was free in time.
- `behind`, `ahead`: the replica lacks the last write of the user, or has one that the primary did
  not show yet, or has lost in a failover.
- `failed`: the query failed on the replica.
"""


class ReplicaUnusable(Exception):
    """A replica cannot answer a query, so the primary does."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Replica(Protocol):
    """One replica."""

    def reading(
        self, user_id: UUID, last_write: UUID | None
    ) -> AbstractAsyncContextManager[Repositories]:
        """Open repositories that have the last write of a user, for queries of this user.

        Any error inside, other than one of the domain, becomes ReplicaUnusable.
        Raises: ReplicaUnusable.
        """
        ...


class Replicas(Protocol):
    """All replicas of the database."""

    def choose(self, user_id: UUID) -> Replica:
        """Choose a replica for a user. Raises: ReplicaUnusable."""
        ...

    def start(self) -> None:
        """Start to check the replicas in the background; until then, none is used."""
        ...

    def count_primary(self, reason: Reason) -> None:
        """Count a query that the primary answers."""
        ...
