"""All replicas: which one is asked, and the checks in the background."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import structlog

from symphony.domain.unit_of_work import (
    Reason,
    ReplicaUnusable,
    StoreUnavailable,
    TransactionConflict,
)
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import DatabaseLimits, Engines
from symphony.infrastructure.database.postgresql.address import DatabaseUrlError, PostgresqlAddress
from symphony.infrastructure.database.postgresql.url import SCHEMES, parse_postgresql_url
from symphony.infrastructure.database.replicas.heartbeat import Heartbeats, read_beat
from symphony.infrastructure.database.replicas.replica import SqlAlchemyReplica
from symphony.infrastructure.metrics import Metrics

_INTERVAL = 1.0  # seconds between two checks
_CONNECTION_WITHIN = 4.0  # seconds, with the answer
_NOT_OF_REPLICAS = ("primary", "read-write")


def limits_of_heartbeat(limits: DatabaseLimits) -> DatabaseLimits:
    """Return the limits for one connection to the primary, which only the heartbeat uses.

    Of a pool, it would wait for queries, and a beat without an answer would replace all of them.
    """
    return replace(
        limits,
        postgresql_connections=1,
        connect_timeout=1.5,
        statement_timeout=1.0,
        lock_timeout=0.5,
        pool_wait=2.0,
        rollback_timeout=1.0,
        answer_timeout=2.0,
    )


def parse_replica_url(url: str) -> Sequence[PostgresqlAddress]:
    """Return the address of each replica. Raises: DatabaseUrlError."""
    if not url.startswith(SCHEMES):
        raise DatabaseUrlError("must be postgresql://…")
    address = parse_postgresql_url(url)
    if address.target_session_attrs in _NOT_OF_REPLICAS:
        raise DatabaseUrlError(
            "target_session_attrs must not be primary or read-write; replicas are standbys"
        )
    # A server that is promoted accepts no new connection of these.
    return address.of_each_host("standby")


class SqlAlchemyReplicas:
    """The replicas of one primary. Until they are checked for the first time, none is used."""

    def __init__(
        self,
        addresses: Sequence[PostgresqlAddress],
        limits: DatabaseLimits,
        heartbeat: Engines,
        metrics: Metrics,
    ) -> None:
        self._heartbeat = heartbeat
        self._heartbeats = Heartbeats()
        self._replicas = [
            SqlAlchemyReplica(each, limits, self._heartbeats, metrics) for each in addresses
        ]
        self._queries = metrics.queries
        self._checking: asyncio.Task[None] | None = None

    def choose(self, user_id: UUID) -> SqlAlchemyReplica:
        """Choose a usable replica, the same one for all queries of a user if possible.

        So fewer writes have to be looked for. Raises: ReplicaUnusable.
        """
        usable = [each for each in self._replicas if each.is_usable]
        if not usable:
            raise ReplicaUnusable("unusable")
        return usable[user_id.int % len(usable)]

    def count_primary(self, reason: Reason) -> None:
        self._queries.labels("primary", reason).inc()

    def start(self) -> None:
        """Start the checks in the background."""
        self._checking = asyncio.create_task(self._check_again_and_again())

    async def close(self) -> None:
        """Stop the checks, and close the connections."""
        if self._checking is not None:
            self._checking.cancel()
            with suppress(asyncio.CancelledError):
                await self._checking
        for each in self._replicas:
            await each.dispose()
        await self._heartbeat.dispose()

    async def check(self) -> None:
        """Check all replicas once."""
        # What is known of the replicas stays so while the primary does not answer.
        try:
            async with asyncio.timeout(_CONNECTION_WITHIN):
                await self._read_beat()
        except (StoreUnavailable, TransactionConflict, TimeoutError):
            pass
        except Exception as error:  # whatever it is, the checks go on
            structlog.get_logger().warning("the heartbeat failed", error=repr(error))
        await asyncio.gather(*(each.check() for each in self._replicas))

    async def _read_beat(self) -> None:
        connection = Connection(
            self._heartbeat.write, answer_timeout=self._heartbeat.limits.answer_timeout
        )
        await connection.open()
        try:
            await read_beat(connection, self._heartbeats)
        finally:
            await connection.close()

    async def _check_again_and_again(self) -> None:
        while True:
            await self.check()
            await asyncio.sleep(_INTERVAL)
