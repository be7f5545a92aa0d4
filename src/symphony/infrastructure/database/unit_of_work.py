"""Units of work and single reads: repositories on a connection that is lent to them."""

import asyncio
from types import TracebackType
from typing import Self

from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.errors import port_errors
from symphony.infrastructure.database.idempotency import SqlAlchemyIdempotencyKeys
from symphony.infrastructure.database.observations import SqlAlchemyObservations
from symphony.infrastructure.database.repositories import (
    SqlAlchemyApiTokens,
    SqlAlchemyRepos,
    SqlAlchemyUserProfiles,
    SqlAlchemyVaults,
    SqlAlchemyWorkspaces,
)
from symphony.infrastructure.database.sign_in_failures import SqlAlchemySignInFailures
from symphony.infrastructure.database.vaults.entries import SqlAlchemyVaultEntries
from symphony.infrastructure.database.vaults.keys import SqlAlchemyVaultKeys
from symphony.infrastructure.database.vaults.sessions import SqlAlchemyVaultSessions
from symphony.infrastructure.metrics import Metrics

MAX_PRESENT = 1000  # with a connection, or in line for one
POOL_WAIT = 10.0  # seconds in line for a connection, and then for a new one
WORK_TIMEOUT = 11.0  # seconds; the server's own limits end a statement before, if it still can


class SqlAlchemyRepositories:
    """One repository per noun, all on one connection, from entering the store to leaving it.

    On a session with transactions it is a unit of work.
    """

    def __init__(self, store: "SqlAlchemyStore", connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self.user_profiles = SqlAlchemyUserProfiles(connection)
        self.workspaces = SqlAlchemyWorkspaces(connection)
        self.repos = SqlAlchemyRepos(connection)
        self.vaults = SqlAlchemyVaults(connection)
        self.vault_keys = SqlAlchemyVaultKeys(connection)
        self.vault_sessions = SqlAlchemyVaultSessions(connection)
        self.vault_entries = SqlAlchemyVaultEntries(connection)
        self.api_tokens = SqlAlchemyApiTokens(connection)
        self.idempotency_keys = SqlAlchemyIdempotencyKeys(connection)
        self.sign_in_failures = SqlAlchemySignInFailures(connection)
        self.observations = SqlAlchemyObservations(connection)

    async def commit(self) -> None:
        await self._connection.commit()

    async def __aenter__(self) -> Self:
        self._store.enter()
        try:
            with port_errors():
                async with asyncio.timeout(POOL_WAIT):
                    await self._connection.open()
        except BaseException:
            self._store.leave()
            raise
        self._store.connections.inc()
        self._limit = asyncio.timeout(WORK_TIMEOUT)
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with port_errors():
                await self._limit.__aexit__(kind, error, traceback)
        finally:
            try:
                await self._connection.close()
            finally:
                self._store.connections.dec()
                self._store.leave()


class SqlAlchemyStore:
    """Hands out units of work and single reads on the engines of one database.

    Who finds no free connection waits in line for a few seconds; who finds the line too long is
    refused at once.
    """

    def __init__(self, engines: Engines, counted: Metrics | None = None) -> None:
        self._engines = engines
        counted = counted or Metrics()
        counted.database_connections_limit.set(engines.connections)
        self.connections = counted.database_connections
        self._callers = counted.database_callers
        self._present = 0

    def unit_of_work(self) -> SqlAlchemyRepositories:
        return SqlAlchemyRepositories(self, Connection(self._engines.write, self._engines.begin))

    def reading(self) -> SqlAlchemyRepositories:
        return SqlAlchemyRepositories(self, Connection(self._engines.read))

    def enter(self) -> None:
        """Raises: StoreUnavailable when there are too many inside already."""
        if self._present >= MAX_PRESENT:
            raise StoreUnavailable("line")
        self._present += 1
        self._callers.inc()

    def leave(self) -> None:
        self._callers.dec()
        self._present -= 1
