"""Connections through a pooler in transaction mode, such as pgbouncer.

Such a pooler gives each transaction another connection of the server. So nothing may stay in the
session: no prepared statement with a name, no setting, no advisory lock.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import asyncpg

from symphony.infrastructure.database.postgresql.address import (
    DatabaseUrlError,
    PostgresqlAddress,
)

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

    _DriverConnection = asyncpg.Connection[Any]
else:
    _DriverConnection = asyncpg.Connection

KEPT_STATEMENTS = 256
"""The descriptions that a connection keeps; the service has fewer statements."""
NEEDS_SETTING = "a connection pooler needs SYMPHONY_DATABASE_POOLER=transaction"

_KNOWN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


def through_pooler(address: PostgresqlAddress) -> PostgresqlAddress:
    """Return the address of a database that is reached through a pooler in transaction mode.

    Raises: DatabaseUrlError for settings of a session.
    """
    if "options" in address.server_settings:
        raise DatabaseUrlError(
            "options (or PGOPTIONS) and SYMPHONY_DATABASE_POOLER=transaction exclude each other, as"
            " a pooler would lose these settings; give them to the user with ALTER ROLE … SET"
        )
    return replace(address, is_pooled=True)


def begin_with(settings: Mapping[str, str]) -> str:
    """Return what starts a transaction with settings of its own, in one message."""
    local = (f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    return "; ".join(("BEGIN", *local))


class PooledConnection(_DriverConnection):
    """A connection whose statements have no name, and are sent as a whole each time.

    The server describes a statement when it first runs. The description is kept; with it, a
    statement takes one round trip (parse, bind, execute and sync), after which the pooler may give
    the server's connection to another client.
    """

    __slots__ = ("_kept",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: OrderedDict[str, PreparedStatement[Any]] = OrderedDict()

    async def fetch(
        self,
        query: str,
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - as in the driver
        record_class: Any = None,
    ) -> list[Any]:
        """Raises: OutdatedSchemaCacheError when the rows do not fit the kept description."""
        statement = self._recalled(query)
        try:
            if statement is not None:
                return await statement.fetch(*args, timeout=timeout)
        except Exception as error:
            if _is_explained(error):
                raise
            # The driver reads the bytes of a value as the type that was described.
            del self._kept[query]
            reason = f"the rows are not what was described: {error}"
            raise asyncpg.OutdatedSchemaCacheError(reason) from error
        statement = await self.prepare(query, name="", record_class=record_class)
        try:
            rows = await statement.fetch(*args, timeout=timeout)
        except Exception:
            await self._synchronize()
            raise
        self._keep(query, statement)
        return rows

    async def executemany(
        self,
        command: str,
        args: Iterable[Sequence[Any]],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as in the driver
    ) -> None:
        rows = [*args]
        if not rows:
            return
        statement = self._recalled(command)
        if statement is not None:
            await statement.executemany(rows, timeout=timeout)
            return
        statement = await self.prepare(command, name="")
        try:
            await statement.executemany(rows, timeout=timeout)
        except Exception:
            await self._synchronize()
            raise
        self._keep(command, statement)

    def terminate(self) -> None:
        self._kept.clear()
        super().terminate()

    def _recalled(self, sql: str) -> "PreparedStatement[Any] | None":
        if sql in self._kept:
            self._kept.move_to_end(sql)
        return self._kept.get(sql)

    def _keep(self, sql: str, statement: "PreparedStatement[Any]") -> None:
        self._kept[sql] = statement
        if len(self._kept) > KEPT_STATEMENTS:
            self._kept.popitem(last=False)

    async def _synchronize(self) -> None:
        """Have the server's connection released that a description without a sync has taken.

        After an error of the server it is free already; the driver refuses some values itself.
        """
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self.execute("SELECT")


def _is_explained(error: Exception) -> bool:
    """Return whether an error is more than a row that could not be read."""
    return isinstance(error, _KNOWN) and not isinstance(error, asyncpg.ProtocolError)


POOLED_CONNECTION: Mapping[str, Any] = {
    "connection_class": PooledConnection,
    # Otherwise a kept statement is not parsed again, and a bind would meet another client's.
    "statement_cache_size": 0,
}
"""Arguments of `asyncpg.connect`."""
