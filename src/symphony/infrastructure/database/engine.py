"""Engines: how each database is spoken to, so that parallel requests get right answers."""

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from symphony.domain.json_objects import compact
from symphony.infrastructure.database.column_types import FIRST_MOMENT, LAST_MOMENT, read_json

CONNECT_TIMEOUT = 5.0  # seconds
POSTGRESQL_POOL = 10
SQLITE_READERS = 4
SQLITE_BUSY_TIMEOUT = 5000  # milliseconds

_POSTGRESQL_SETTINGS = {
    "application_name": "symphony",
    "jit": "off",
    "statement_timeout": "10s",
    "lock_timeout": "8s",
    "idle_in_transaction_session_timeout": "30s",
}
_OPTIONS: dict[str, Any] = {
    "poolclass": AsyncAdaptedQueuePool,
    "max_overflow": 0,
    "pool_reset_on_return": None,  # whoever begins a transaction ends it
    "json_serializer": compact,
    "json_deserializer": read_json,
    "hide_parameters": True,  # errors are logged, and parameters are people's data
}

_POSTGRESQL_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class DatabaseUrlError(ValueError):
    """A URL that no database can be reached by; the message does not repeat it."""


@dataclass(frozen=True, slots=True)
class Engines:
    """`write` is for transactions, which begin with `begin`; `read` for statements that stand each
    by itself."""

    write: AsyncEngine
    read: AsyncEngine
    begin: str
    file: Path | None = None
    """The file of an embedded database."""
    anchor: sqlite3.Connection | None = None
    """Keeps a database in memory alive, whatever happens to the connections of the pools."""

    @property
    def is_in_memory(self) -> bool:
        return self.anchor is not None

    @property
    def connections(self) -> int:
        """How many there may be at once."""
        pools = {self.write.pool, self.read.pool}  # on PostgreSQL they are one
        return sum(pool.size() for pool in pools if isinstance(pool, AsyncAdaptedQueuePool))

    async def dispose(self) -> None:
        await self.write.dispose()
        await self.read.dispose()
        if self.anchor:
            self.anchor.close()


def create_engines(database_url: str) -> Engines:
    """Engines for `postgresql://…` or `sqlite:///file`; `sqlite://` is a database in memory.

    Raises: DatabaseUrlError for any other URL; for a wrong parameter in it, when it first connects.
    """
    try:
        url = make_url(database_url)
    except Exception:
        raise DatabaseUrlError("not a database URL") from None
    if url.get_backend_name() == "postgresql" and url.drivername in {
        "postgresql",
        "postgresql+asyncpg",
    }:
        return _postgresql(url)
    if url.drivername in {"sqlite", "sqlite+aiosqlite"}:
        if url.database in {None, "", ":memory:"}:
            return _sqlite_in_memory()
        return _sqlite_file(Path(cast("str", url.database)).absolute())
    raise DatabaseUrlError("postgresql://… or sqlite:///file is needed")


def _postgresql(url: URL) -> Engines:
    # The driver reads the address by itself, so that libpq's parameters (host=, sslmode=, …) mean
    # what they mean to libpq.
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def connect(*_: object, **__: object) -> Any:
        try:
            return await asyncpg.connect(
                dsn, timeout=CONNECT_TIMEOUT, server_settings=_POSTGRESQL_SETTINGS
            )
        except asyncpg.PostgresError as error:  # the server is there, and does not let us in
            raise ConnectionError(error.sqlstate) from error
        except asyncpg.ClientConfigurationError as error:
            raise DatabaseUrlError(str(error)) from None

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=POSTGRESQL_POOL, **_OPTIONS
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.run_async(_set_codecs)

    return Engines(write=engine, read=engine, begin="BEGIN")


async def _set_codecs(connection: "asyncpg.Connection[Any]") -> None:
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=str.encode, decoder=read_json, format="binary"
    )
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=_counted, decoder=_moment, format="tuple"
    )


def _counted(moment: datetime) -> tuple[int]:
    return ((moment - _POSTGRESQL_EPOCH) // _MICROSECOND,)


def _moment(counted: tuple[int]) -> datetime:
    """The driver's own way fails for what PostgreSQL has beyond the first and the last moment that
    Python has, and leaves out the zone of these two."""
    try:
        return _POSTGRESQL_EPOCH + timedelta(0, 0, counted[0])
    except OverflowError:
        return LAST_MOMENT if counted[0] > 0 else FIRST_MOMENT


def _sqlite_file(file: Path) -> Engines:
    url = URL.create("sqlite+aiosqlite", database=str(file))
    return _sqlite(url, "journal_mode=WAL", "synchronous=FULL", file=file)


def _sqlite_in_memory() -> Engines:
    # A named database of SQLite's own memory file system is shared by all connections of this
    # process, each with its own transactions, as long as one of them is open.
    address = f"file:/symphony-{secrets.token_hex(8)}?vfs=memdb"
    return _sqlite(
        make_url(f"sqlite+aiosqlite:///{address}&uri=true"),
        anchor=sqlite3.connect(address, uri=True, check_same_thread=False),
    )


def _sqlite(
    url: URL, *pragmas: str, file: Path | None = None, anchor: sqlite3.Connection | None = None
) -> Engines:
    # One connection that writes, for SQLite has one writer: a line in front of it is fairer and
    # quicker than connections that poll for the lock.
    write = _sqlite_engine(url, 1, *pragmas)
    read = _sqlite_engine(url, SQLITE_READERS, "query_only=ON")
    # After a deferred BEGIN, a transaction that reads and then writes fails when another one has
    # written in between.
    begin = "BEGIN IMMEDIATE"

    @event.listens_for(write.sync_engine, "begin")
    def begin_migration(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.exec_driver_sql(begin)

    return Engines(write=write, read=read, begin=begin, file=file, anchor=anchor)


class _Cursor(sqlite3.Cursor):
    """Leaves no statement in the middle, whose connection would go on reading an old state."""

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except BaseException:
            self.close()
            raise


class _Connection(sqlite3.Connection):
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return self.cursor(_Cursor).execute(sql, parameters)


def _sqlite_engine(url: URL, connections: int, *pragmas: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections,
        # The driver begins nothing by itself.
        connect_args={"isolation_level": None, "factory": _Connection},
        **_OPTIONS,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection: DBAPIConnection, _entry: ConnectionPoolEntry
    ) -> None:
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={SQLITE_BUSY_TIMEOUT}", "foreign_keys=ON", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
