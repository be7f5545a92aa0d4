"""The port to the database: one repository per noun, units of work, and replicas."""

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from symphony.domain.api_tokens import ApiTokenRepository
from symphony.domain.attempts import AttemptRepository
from symphony.domain.base import PagedRepository
from symphony.domain.idempotency import IdempotencyKeyRepository
from symphony.domain.machines.checkout_repository import CheckoutRepository
from symphony.domain.machines.machines import Machine
from symphony.domain.observations import ObservationRepository
from symphony.domain.repos import RepoRepository
from symphony.domain.sync import RemoteHeadsRepository
from symphony.domain.user_profiles import LastWrite, LastWriteRepository, UserProfileRepository
from symphony.domain.vaults.entries import VaultEntryRepository
from symphony.domain.vaults.keys import VaultKeyRepository
from symphony.domain.vaults.sessions import VaultSessionRepository
from symphony.domain.vaults.storage import StorageCounters
from symphony.domain.vaults.vaults import VaultRepository
from symphony.domain.workspaces import WorkspaceRepository


class TransactionConflict(Exception):
    """Nothing was stored, and a retry may succeed.

    Another unit of work was in the way, or the connection was lost or out of date; the retry gets a
    new one.
    """


class StoreUnavailable(Exception):
    """The database cannot be reached, or is too busy to answer in time."""


class OutcomeUnknown(StoreUnavailable):
    """The database has not confirmed a commit: the changes may be stored, or may be stored later.

    A retry could do the work twice, so only the client can decide on it.
    """


class Repositories(Protocol):
    """One repository per noun, and those of the supporting records."""

    @property
    def user_profiles(self) -> UserProfileRepository: ...
    @property
    def workspaces(self) -> WorkspaceRepository: ...
    @property
    def repos(self) -> RepoRepository: ...
    @property
    def vaults(self) -> VaultRepository: ...
    @property
    def vault_keys(self) -> VaultKeyRepository: ...
    @property
    def vault_sessions(self) -> VaultSessionRepository: ...
    @property
    def vault_entries(self) -> VaultEntryRepository: ...
    @property
    def storage_counters(self) -> StorageCounters: ...
    @property
    def api_tokens(self) -> ApiTokenRepository: ...
    @property
    def machines(self) -> PagedRepository[Machine]: ...
    @property
    def checkouts(self) -> CheckoutRepository: ...
    @property
    def idempotency_keys(self) -> IdempotencyKeyRepository: ...
    @property
    def attempts(self) -> AttemptRepository: ...
    @property
    def last_writes(self) -> LastWriteRepository: ...
    @property
    def observations(self) -> ObservationRepository: ...
    @property
    def remote_heads(self) -> RemoteHeadsRepository: ...


class UnitOfWork(Repositories, Protocol):
    """A transaction with its repositories; leaving it without `commit` rolls it back.

    Units of work are never nested.
    """

    async def commit(self) -> None:
        """Commit all changes. Raises: TransactionConflict, StoreUnavailable, OutcomeUnknown."""
        ...


class Store(Protocol):
    """The database, on which units of work and readings are opened."""

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction for writes. Raises: StoreUnavailable."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Repositories]:
        """Open repositories for single reads of committed data.

        Raises: StoreUnavailable; its reads also TransactionConflict.
        """
        ...


Reason: TypeAlias = Literal["primary-only", "unusable", "busy", "behind", "ahead", "failed"]
"""Why the primary answered a query:

- `primary-only`: a replica is never asked for this.
- `unusable`: no replica can be used at the moment, or it has not shown yet that it follows the
  primary, which is another server since a failover.
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
        self, user_id: UUID, last_write: LastWrite
    ) -> AbstractAsyncContextManager[Repositories]:
        """Open repositories that have the last write of a user, for queries of this user, on a
        replica of the primary that knows it.

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
