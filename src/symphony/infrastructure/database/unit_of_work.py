"""Units of work and single reads over SQLAlchemy's async connections."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.errors import port_errors
from symphony.infrastructure.database.repositories import (
    SqlAlchemyApiTokens,
    SqlAlchemyRepos,
    SqlAlchemyUserProfiles,
    SqlAlchemyVaults,
    SqlAlchemyWorkspaces,
)


class SqlAlchemyRepositories:
    """One repository per noun, all on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.user_profiles = SqlAlchemyUserProfiles(connection)
        self.workspaces = SqlAlchemyWorkspaces(connection)
        self.repos = SqlAlchemyRepos(connection)
        self.vaults = SqlAlchemyVaults(connection)
        self.api_tokens = SqlAlchemyApiTokens(connection)


class SqlAlchemyUnitOfWork(SqlAlchemyRepositories):
    """A transaction and the repositories in it."""

    async def commit(self) -> None:
        await self._connection.commit()


class SqlAlchemyStore:
    """Hands out units of work and single reads on the engines of one database."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncGenerator[SqlAlchemyUnitOfWork]:
        # Leaving the connection's context rolls back whatever was not committed.
        with port_errors():
            async with self._engines.write.connect() as connection:
                yield SqlAlchemyUnitOfWork(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[SqlAlchemyRepositories]:
        with port_errors():
            async with self._engines.read.connect() as connection:
                yield SqlAlchemyRepositories(connection)
