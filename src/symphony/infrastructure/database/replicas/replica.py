"""One replica: its connections, whether it can be used, and readings that have a user's writes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from symphony.domain.errors import DomainError
from symphony.domain.unit_of_work import (
    Reason,
    ReplicaUnusable,
    Repositories,
    StoreUnavailable,
    TransactionConflict,
)
from symphony.domain.user_profiles import LastWrite
from symphony.infrastructure.database.availability.failure_codes import Failure
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import DatabaseLimits, create_postgresql_engines
from symphony.infrastructure.database.errors import failure_of
from symphony.infrastructure.database.postgresql.address import PostgresqlAddress
from symphony.infrastructure.database.replicas.heartbeat import Heartbeats, Lag, probe
from symphony.infrastructure.database.unit_of_work import SqlAlchemyRepositories
from symphony.infrastructure.metrics import Metrics

MAX_LAG = 10.0  # seconds
_WORTH_WAITING = 4.0  # seconds of lag, which is known to about two
_PAUSES = (0.001, 0.002, 0.004, 0.008, 0.016)  # seconds; a standby is usually 0.4 ms behind
_REMEMBERED = 1000  # users for each connection
_NEVER_READ = (
    "attempts",
    "idempotency_keys",
    "storage_counters",
    "vault_entries",
    "vault_keys",
    "vault_sessions",
)
_WRITES = "last writes"
_PROBE_WITHIN = 1.5  # seconds
_UNKNOWN = "not checked yet"
AWAY = "it does not answer"
BEHIND = "it is too far behind"
_OF_ANOTHER_PRIMARY = "it has not followed the new primary yet"


def limits_for_replicas(limits: DatabaseLimits) -> DatabaseLimits:
    """Return short limits: the primary answers what a replica does not answer soon.

    Those of the server are below `answer_timeout`, after which the replica counts as away: one slow
    query must not take it from everyone.
    """
    return replace(
        limits,
        connect_timeout=1.0,
        statement_timeout=0.8,
        lock_timeout=0.5,
        pool_wait=0.5,
        work_timeout=3.0,
        rollback_timeout=1.0,
        answer_timeout=1.0,
    )


class NeverRead:
    """In place of a repository whose records are read from the primary only."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        raise RuntimeError(f"{self._name}.{method} is never read from a replica")


class ReplicaRepositories(SqlAlchemyRepositories):
    """Repositories on a replica, without those of which it may not be asked."""

    def __init__(self, replica: "SqlAlchemyReplica", connection: Connection) -> None:
        super().__init__(replica, connection)
        vars(self).update({name: NeverRead(name) for name in _NEVER_READ})


class SqlAlchemyReplica:
    """One server, which is asked as long as the last check has found it well.

    Each connection remembers the writes that it has seen: it is to one server, which only goes
    forward while the connection exists. A name in the URL may be that of several servers.
    """

    def __init__(
        self,
        address: PostgresqlAddress,
        limits: DatabaseLimits,
        heartbeats: Heartbeats,
        metrics: Metrics,
    ) -> None:
        self.name = address.authority
        self.limits = limits_for_replicas(limits)
        self._engines = create_postgresql_engines(address, self.limits)
        # Not from the pool, in which a check would wait for the queries.
        self._for_probes = create_postgresql_engines(
            address, replace(self.limits, postgresql_connections=1)
        )
        self.connections = metrics.replica_connections.labels(self.name)
        self._is_usable_metric = metrics.replica_usable.labels(self.name)
        self._lag_metric = metrics.replica_lag.labels(self.name)
        self._answered = metrics.queries.labels("replica", "up-to-date")
        self._heartbeats = heartbeats
        self._lag = Lag(heartbeats)
        self._follows: datetime | None = None
        """The start of the primary whose writes it has, and no others."""
        self._reason: str | None = _UNKNOWN
        self._callers = 0

    @property
    def is_usable(self) -> bool:
        return self._reason is None

    def admit(self) -> None:
        if self._callers >= self.limits.max_callers:
            raise StoreUnavailable("queue")
        self._callers += 1

    def release(self) -> None:
        self._callers -= 1

    @asynccontextmanager
    async def reading(self, user_id: UUID, last_write: LastWrite) -> AsyncGenerator[Repositories]:
        if last_write.server is None or last_write.server != self._follows:
            # After a failover, until the next check. It may have writes that were lost.
            raise ReplicaUnusable("unusable")
        connection = Connection(self._engines.read, answer_timeout=self.limits.answer_timeout)
        is_open = False
        try:
            async with ReplicaRepositories(self, connection) as repositories:
                is_open = True
                await self._require_write(connection, repositories, user_id, last_write.mark)
                yield repositories
        except ReplicaUnusable:
            raise
        except DomainError:
            self._answered.inc()
            raise
        except Exception as error:
            raise ReplicaUnusable(self._failed(error, is_open=is_open)) from error
        self._answered.inc()

    async def check(self) -> None:
        """Find out whether the replica can be used."""
        try:
            async with asyncio.timeout(_PROBE_WITHIN):
                try:
                    reason, beat = await self._probe()
                except TransactionConflict:  # the connection was lost since the last check
                    reason, beat = await self._probe()
        except Exception as error:  # whatever it is, the replica is not used
            self._set(AWAY, error)
        else:
            self._lag.saw(beat)
            self._follows = self._heartbeats.writer(beat) or self._follows
            self._set(reason or self._reason_of_heartbeats())

    async def _probe(self) -> tuple[str | None, UUID | None]:
        connection = Connection(self._for_probes.read, answer_timeout=self.limits.answer_timeout)
        await connection.open()
        try:
            return await probe(connection)
        finally:
            await connection.close()

    async def dispose(self) -> None:
        await self._engines.dispose()
        await self._for_probes.dispose()

    async def _require_write(
        self,
        connection: Connection,
        repositories: SqlAlchemyRepositories,
        user_id: UUID,
        mark: UUID | None,
    ) -> None:
        """Require the mark of a user's last write; wait a little for it. Raises: ReplicaUnusable.

        A statement before those of the query: in the same one, the check could see more than they.
        """
        seen: dict[UUID, UUID | None] = connection.memory.setdefault(_WRITES, {})
        if user_id in seen and seen[user_id] == mark:
            return
        for pause in (*_PAUSES, None):
            found = await repositories.last_writes.find(user_id)
            if found is not None and found.last_write.mark == mark:
                if len(seen) >= _REMEMBERED:
                    seen.clear()
                seen[user_id] = mark
                return
            if found is not None and _is_later(found.last_write.mark, mark):
                raise ReplicaUnusable("ahead")
            if pause is None or self._lag.seconds > _WORTH_WAITING:
                break
            await asyncio.sleep(pause)
        raise ReplicaUnusable("behind")

    def _reason_of_heartbeats(self) -> str | None:
        if self._lag.is_awaited:
            return _UNKNOWN
        if self._lag.seconds > MAX_LAG:
            return BEHIND
        if self._follows != self._heartbeats.primary:
            return _UNKNOWN if self._follows is None else _OF_ANOTHER_PRIMARY
        return None

    def _failed(self, error: Exception, *, is_open: bool) -> Reason:
        """Leave a replica alone whose connection was lost, until the next check."""
        if not is_open:  # the pool is empty, or the next check finds the reason
            return "busy"
        failure = failure_of(error.__cause__ or error)
        if failure is Failure.LOST:
            self._set(AWAY, error)
        elif failure not in {Failure.BUSY, Failure.CONFLICT}:
            # The primary says whether it is a fault of this program.
            structlog.get_logger().warning(
                "a query failed on a replica", replica=self.name, error=str(error)
            )
        return "failed"

    def _set(self, reason: str | None, error: Exception | None = None) -> None:
        lag = self._lag.seconds
        self._is_usable_metric.set(reason is None)
        self._lag_metric.set(lag)
        if reason == self._reason:
            return
        self._reason = reason
        log = structlog.get_logger()
        if reason is None:
            log.info("the replica is used", replica=self.name)
        else:
            cause = {} if error is None else {"error": str(error) or type(error).__name__}
            log.warning(f"the replica is not used: {reason}", replica=self.name, **cause)


def _is_later(found: UUID | None, wanted: UUID | None) -> bool:
    """Return whether a mark seems to be later than another one: waiting would be in vain."""
    return found is not None and (wanted is None or found > wanted)
