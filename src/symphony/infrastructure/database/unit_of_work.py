"""Units of work and single reads over SQLAlchemy's async connections."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.database.engine import POOL_WAIT, Engines
from symphony.infrastructure.database.errors import port_errors
from symphony.infrastructure.database.idempotency import SqlAlchemyIdempotencyKeys
from symphony.infrastructure.database.repositories import (
    SqlAlchemyApiTokens,
    SqlAlchemyRepos,
    SqlAlchemyUserProfiles,
    SqlAlchemyVaults,
    SqlAlchemyWorkspaces,
)
from symphony.infrastructure.database.sessions import (
    ReadingSession,
    Session,
    TransactionSession,
)
from symphony.infrastructure.database.sign_in_failures import SqlAlchemySignInFailures
from symphony.infrastructure.metrics import Metrics

MAX_PRESENT = 1000  # with a connection, or in line for one
WORK_TIMEOUT = 11.0  # seconds; the server's own limits end a statement before, if it still can


class SqlAlchemyRepositories:
    """One repository per noun, all on one session."""

    def __init__(self, session: Session) -> None:
        self.user_profiles = SqlAlchemyUserProfiles(session)
        self.workspaces = SqlAlchemyWorkspaces(session)
        self.repos = SqlAlchemyRepos(session)
        self.vaults = SqlAlchemyVaults(session)
        self.api_tokens = SqlAlchemyApiTokens(session)
        self.idempotency_keys = SqlAlchemyIdempotencyKeys(session)
        self.sign_in_failures = SqlAlchemySignInFailures(session)


class SqlAlchemyUnitOfWork(SqlAlchemyRepositories):
    """A transaction and the repositories in it."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(TransactionSession(connection))
        self._connection = connection

    async def commit(self) -> None:
        try:
            await self._connection.commit()
        except Exception:
            # After a COMMIT that failed, SQLite's transaction is still open (a full disk, say),
            # and SQLAlchemy takes it for ended. Without its connection it ends for sure.
            await self._connection.invalidate()
            raise


class SqlAlchemyStore:
    """Hands out units of work and single reads on the engines of one database.

    Who finds no free connection waits in line for a few seconds; who finds the line too long is
    refused at once.
    """

    def __init__(self, engines: Engines, counted: Metrics | None = None) -> None:
        self._engines = engines
        self._counted = counted or Metrics()
        self._counted.database_connections_limit.set(engines.connections)
        self._present = 0

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncGenerator[SqlAlchemyUnitOfWork]:
        # Leaving the connection's context rolls back whatever was not committed.
        with port_errors():
            async with self._connected(self._engines.write) as connection:
                yield SqlAlchemyUnitOfWork(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[SqlAlchemyRepositories]:
        engine = self._engines.read
        with port_errors(), self._in_line():
            async with asyncio.timeout(POOL_WAIT):  # in line, and then for a new connection
                pooled = await engine.raw_connection()
            try:
                self._counted.database_connections.inc()
                async with asyncio.timeout(WORK_TIMEOUT):
                    yield SqlAlchemyRepositories(ReadingSession(pooled, engine))
            finally:
                self._counted.database_connections.dec()
                pooled.close()

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
        with self._in_line():
            connection = engine.connect()
            async with asyncio.timeout(POOL_WAIT):
                await connection.start()
            self._counted.database_connections.inc()
            try:
                async with asyncio.timeout(WORK_TIMEOUT):
                    yield connection
            except (TimeoutError, asyncio.CancelledError):
                # A server that does not answer would not answer a ROLLBACK either, and a
                # statement that was left in the middle can hold its lock in a pool for ever.
                await connection.invalidate()
                raise
            finally:
                self._counted.database_connections.dec()
                await asyncio.shield(connection.close())

    @contextmanager
    def _in_line(self) -> Generator[None]:
        if self._present >= MAX_PRESENT:
            raise StoreUnavailable("line")
        self._present += 1
        self._counted.database_callers.inc()
        try:
            yield
        finally:
            self._counted.database_callers.dec()
            self._present -= 1
