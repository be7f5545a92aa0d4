"""Units of work and readings: all repositories on one pooled connection."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from typing_extensions import get_protocol_members

from symphony.domain.base import utc_now
from symphony.domain.unit_of_work import OutcomeUnknown, Repositories, StoreUnavailable
from symphony.infrastructure.database.api_tokens import SqlAlchemyApiTokens
from symphony.infrastructure.database.attempts import SqlAlchemyAttempts
from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import DatabaseLimits, Engines
from symphony.infrastructure.database.errors import translated_errors
from symphony.infrastructure.database.idempotency import SqlAlchemyIdempotencyKeys
from symphony.infrastructure.database.machines.checkouts import SqlAlchemyCheckouts
from symphony.infrastructure.database.mappings import MACHINES, require_mappings
from symphony.infrastructure.database.replicas.last_writes import SqlAlchemyLastWrites
from symphony.infrastructure.database.repos.observations import SqlAlchemyObservations
from symphony.infrastructure.database.repos.remote_heads import SqlAlchemyRemoteHeads
from symphony.infrastructure.database.repos.repos import SqlAlchemyRepos
from symphony.infrastructure.database.user_profiles import SqlAlchemyUserProfiles
from symphony.infrastructure.database.vaults.entries import SqlAlchemyVaultEntries
from symphony.infrastructure.database.vaults.keys import SqlAlchemyVaultKeys
from symphony.infrastructure.database.vaults.sessions import SqlAlchemyVaultSessions
from symphony.infrastructure.database.vaults.storage_counters import SqlAlchemyStorageCounters
from symphony.infrastructure.database.vaults.vaults import SqlAlchemyVaults
from symphony.infrastructure.database.workspaces import SqlAlchemyWorkspaces
from symphony.infrastructure.metrics import Metrics


class Gauge(Protocol):
    """The number of connections in use, as a metric."""

    def inc(self) -> None: ...
    def dec(self) -> None: ...


class Admission(Protocol):
    """What bounds the callers of one pool."""

    @property
    def limits(self) -> DatabaseLimits: ...
    @property
    def connections(self) -> Gauge: ...
    def admit(self) -> None: ...
    def release(self) -> None: ...


class SqlAlchemyRepositories:
    """All repositories, on one connection that is held from entering to leaving.

    With a connection that runs transactions, this is a unit of work.
    """

    def __init__(self, store: Admission, connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self.user_profiles = SqlAlchemyUserProfiles(connection)
        self.workspaces = SqlAlchemyWorkspaces(connection)
        self.repos = SqlAlchemyRepos(connection)
        self.vaults = SqlAlchemyVaults(connection)
        self.vault_keys = SqlAlchemyVaultKeys(connection)
        self.vault_sessions = SqlAlchemyVaultSessions(connection)
        self.vault_entries = SqlAlchemyVaultEntries(connection)
        self.storage_counters = SqlAlchemyStorageCounters(connection)
        self.api_tokens = SqlAlchemyApiTokens(connection)
        self.machines = SqlAlchemyPagedRepository(connection, MACHINES)
        self.checkouts = SqlAlchemyCheckouts(connection)
        self.idempotency_keys = SqlAlchemyIdempotencyKeys(connection)
        self.attempts = SqlAlchemyAttempts(connection)
        self.last_writes = SqlAlchemyLastWrites(connection)
        self.observations = SqlAlchemyObservations(connection)
        self.remote_heads = SqlAlchemyRemoteHeads(connection)

    async def commit(self) -> None:
        await self._connection.commit()

    async def __aenter__(self) -> Self:
        store = self._store
        store.admit()
        try:
            with translated_errors():
                async with asyncio.timeout(store.limits.pool_wait):
                    await self._connection.open()
        except BaseException:
            store.release()
            raise
        store.connections.inc()
        self._time_limit = asyncio.timeout(store.limits.work_timeout)
        await self._time_limit.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with translated_errors():
                await self._time_limit.__aexit__(kind, error, traceback)
        except StoreUnavailable as unavailable:
            if self._connection.is_outcome_unknown:
                raise OutcomeUnknown(str(unavailable)) from unavailable
            raise
        finally:
            try:
                await self._connection.close()
            finally:
                self._store.connections.dec()
                self._store.release()


class SqlAlchemyStore:
    """Units of work and readings on the engines of one database.

    A caller waits for a free connection for up to `pool_wait` seconds. While `max_callers` hold or
    wait for a connection, further ones are refused.
    """

    def __init__(
        self,
        engines: Engines,
        metrics: Metrics | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Check that each noun has a mapping and a repository. Raises: RuntimeError."""
        self._engines = engines
        self._clock = clock
        self.limits = engines.limits
        metrics = metrics or Metrics()
        metrics.database_connections_limit.set(engines.connections)
        self.connections = metrics.database_connections
        self._callers_metric = metrics.database_callers
        self._callers = 0
        require_mappings()
        missing = get_protocol_members(Repositories) - vars(self.reading()).keys()
        if missing:
            raise RuntimeError(f"SqlAlchemyRepositories lacks {', '.join(sorted(missing))}")

    def unit_of_work(self) -> SqlAlchemyRepositories:
        connection = Connection(
            self._engines.write,
            self._engines.begin,
            clock=self._clock,
            rollback_timeout=self.limits.rollback_timeout,
            answer_timeout=self.limits.answer_timeout,
        )
        return SqlAlchemyRepositories(self, connection)

    def reading(self) -> SqlAlchemyRepositories:
        connection = Connection(
            self._engines.read, clock=self._clock, answer_timeout=self.limits.answer_timeout
        )
        return SqlAlchemyRepositories(self, connection)

    def admit(self) -> None:
        """Count one more caller. Raises: StoreUnavailable when there are `max_callers`."""
        if self._callers >= self.limits.max_callers:
            raise StoreUnavailable("queue")
        self._callers += 1
        self._callers_metric.inc()

    def release(self) -> None:
        """Count one caller fewer."""
        self._callers_metric.dec()
        self._callers -= 1
