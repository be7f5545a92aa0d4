"""The databases that are measured: created by Symphony's own migrations, and filled in bulk."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from scripts.support.postgresql import running_postgres_server
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

Value = UUID | datetime | str | int | bytes | None
Row = Sequence[Value]


class Database(ABC):
    """A database with the address for services, and methods to fill it and to tidy it up."""

    kind: str
    address: str

    async def migrate(self) -> None:
        engines = create_engines(self.address)
        try:
            await migrations.upgrade(engines)
        finally:
            await engines.dispose()

    @abstractmethod
    async def fill(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert rows in the quickest way of the database."""

    @abstractmethod
    async def execute(self, *statements: str) -> None:
        """Execute statements, each in a transaction of its own."""


class PostgreSQLDatabase(Database):
    kind = "PostgreSQL"

    def __init__(self, address: str) -> None:
        self.address = address

    async def fill(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            await connection.copy_records_to_table(table, records=rows, columns=columns)
        finally:
            await connection.close()

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def rows(self, query: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.address)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()


class SQLiteDatabase(Database):
    kind = "SQLite"

    def __init__(self, file: Path) -> None:
        self._file = file
        self.address = f"sqlite:///{file}"

    async def fill(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        places = ", ".join("?" * len(columns))
        names = ", ".join(columns)
        insert = f"INSERT INTO {table} ({names}) VALUES ({places})"
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.executemany(insert, (list(map(_stored, row)) for row in rows))

    async def execute(self, *statements: str) -> None:
        # None: a transaction per statement, since services may be writing at the same time.
        with closing(sqlite3.connect(self._file, isolation_level=None, timeout=30)) as connection:
            for statement in statements:
                connection.execute(statement)


class PostgreSQL:
    """A server of its own, with the default durability."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def database(self, name: str) -> PostgreSQLDatabase:
        """Create a database with the schema at head."""
        await PostgreSQLDatabase(self._address).execute(f"CREATE DATABASE {name}")
        before, _, parameters = self._address.partition("?")
        created = PostgreSQLDatabase(f"{before.rpartition('/')[0]}/{name}?{parameters}")
        await created.migrate()
        return created


@contextmanager
def running_postgresql(folder: Path) -> Generator[PostgreSQL]:
    """Run a new server with its data in a folder; the block removes both."""
    with running_postgres_server(folder) as server:
        yield PostgreSQL(server.get_uri())


async def sqlite_database(file: Path) -> SQLiteDatabase:
    """Create a database file with the schema at head."""
    created = SQLiteDatabase(file)
    await created.migrate()
    return created


def _stored(value: Value) -> str | int | bytes | None:
    """A value as SQLAlchemy stores it in SQLite."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value
