"""Engines: the connection pools of each database, with the settings for parallel requests."""

import secrets
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, cast

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from symphony.domain.json_objects import compact
from symphony.infrastructure.database.aiosqlite_internals import ResettingConnection
from symphony.infrastructure.database.availability.keepalive import keep_alive
from symphony.infrastructure.database.availability.watched_file import OpenedFile, WatchedFile
from symphony.infrastructure.database.column_types import FIRST_MOMENT, LAST_MOMENT, read_json
from symphony.infrastructure.database.postgresql.address import (
    DatabaseUrlError,
    PostgresqlAddress,
)
from symphony.infrastructure.database.postgresql.connecting import open_connection
from symphony.infrastructure.database.postgresql.pooler import begin_with, through_pooler
from symphony.infrastructure.database.postgresql.several_hosts import open_first_connection
from symphony.infrastructure.database.postgresql.url import SCHEMES, parse_postgresql_url

_OPTIONS: dict[str, Any] = {
    "poolclass": AsyncAdaptedQueuePool,
    "max_overflow": 0,
    "pool_reset_on_return": None,  # `Connection.close` ends each transaction
    "json_serializer": compact,
    "json_deserializer": read_json,
    "hide_parameters": True,  # errors are logged, and parameters are users' data
}
_URLS = "must be postgresql://… or sqlite:///file"
_GENERATION = "generation"
_USES = "uses"
_FILE = "file"
_POSTGRESQL_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLimits:
    """Sizes and time limits; times are in seconds.

    The server's own limits (`lock_timeout`, `statement_timeout`, `sqlite_busy_timeout`) are shorter
    than `work_timeout`, so that the database normally ends a statement itself.
    """

    postgresql_connections: int = 10
    sqlite_readers: int = 4
    connect_timeout: float = 5.0
    statement_timeout: float = 10.0
    lock_timeout: float = 8.0
    idle_in_transaction_timeout: float = 10.0
    """After it the server releases the locks of a client that is silently gone."""
    sqlite_busy_timeout: float = 5.0
    max_callers: int = 1000
    """The number of callers that may hold or wait for a connection; more are refused."""
    pool_wait: float = 10.0
    """The wait for a free connection, including the time to open it if needed."""
    work_timeout: float = 11.0
    """The duration of a unit of work or a reading."""
    rollback_timeout: float = 5.0
    answer_timeout: float | None = None
    """The wait for the answer to one statement, after which the connection is aborted; None: only
    `work_timeout` ends the wait."""

    def for_several_hosts(self) -> Self:
        """Return shorter limits: another host can take over from one that does not answer."""
        return replace(
            self,
            connect_timeout=min(self.connect_timeout, 2.0),
            statement_timeout=min(self.statement_timeout, 2.5),
            lock_timeout=min(self.lock_timeout, 2.0),
            rollback_timeout=min(self.rollback_timeout, 2.0),
            answer_timeout=3.0 if self.answer_timeout is None else self.answer_timeout,
        )


DEFAULT_LIMITS = DatabaseLimits()


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of one database.

    `write` is for transactions, which `begin` starts; `read` is for single statements.
    """

    write: AsyncEngine
    read: AsyncEngine
    begin: str
    file: Path | None = None
    """The file of an embedded database."""
    anchor: sqlite3.Connection | None = None
    """Keeps a database in memory alive, whatever happens to the pools' connections."""
    has_sessions: bool = field(default=True, kw_only=True)
    """Whether settings and locks of a session last; not through a pooler of transactions."""
    limits: DatabaseLimits = field(default=DEFAULT_LIMITS, kw_only=True)

    @property
    def is_in_memory(self) -> bool:
        return self.anchor is not None

    @property
    def connections(self) -> int:
        """The largest number of connections of both pools."""
        pools = {self.write.pool, self.read.pool}  # on PostgreSQL they are one
        return sum(pool.size() for pool in pools if isinstance(pool, AsyncAdaptedQueuePool))

    async def dispose(self) -> None:
        """Close the pools' connections; this deletes a database in memory."""
        await self.write.dispose()
        await self.read.dispose()
        if self.anchor:
            self.anchor.close()


def create_engines(
    database: str | Path, limits: DatabaseLimits = DEFAULT_LIMITS, *, is_pooled: bool = False
) -> Engines:
    """Create engines for a URL, or for the path of an SQLite file, which is used as it is.

    The URLs are `postgresql://…`, and `sqlite:///file` with a percent-encoded path; `sqlite://` is
    a database in memory. `is_pooled` says that a pooler in transaction mode is at the address of
    PostgreSQL. Raises: DatabaseUrlError.
    """
    if isinstance(database, Path):
        return _sqlite_file(database.absolute(), limits)
    if database.startswith(SCHEMES):
        address = parse_postgresql_url(database)
        return create_postgresql_engines(through_pooler(address) if is_pooled else address, limits)
    try:
        url = make_url(database)
    except Exception:
        raise DatabaseUrlError(_URLS) from None
    if url.drivername not in {"sqlite", "sqlite+aiosqlite"}:
        raise DatabaseUrlError(_URLS)
    if url.host or url.query or {"\ufffd", "\0"} & {*(url.database or "")}:
        # SQLAlchemy would drop the host, and read a path that is not UTF-8 as another one.
        raise DatabaseUrlError(
            "must be sqlite:///file, where the path is percent-encoded UTF-8 (%3F for ?); it takes"
            " no parameters"
        )
    if url.database in {None, "", ":memory:"}:
        return _sqlite_in_memory(limits)
    return _sqlite_file(Path(cast("str", url.database)).absolute(), limits)


@dataclass(slots=True, eq=False)
class _Generation:
    """The connections that a pool has opened since it last lost its database."""

    is_lost: bool = False


def mark_generation_lost(pooled: PoolProxiedConnection) -> None:
    """Have the pool replace all connections that are as old as this one, which is broken.

    Each is replaced when it is next taken from the pool, and the caller stays in the queue.
    """
    pooled.info[_GENERATION].is_lost = True


def is_newly_opened(pooled: PoolProxiedConnection) -> bool:
    """Return whether a connection was opened for the caller that holds it."""
    return pooled.info[_USES] == 1


def is_file_in_place(pooled: PoolProxiedConnection) -> bool:
    """Return whether the file of an SQLite connection is still at its path; true for others."""
    opened: OpenedFile | None = pooled.info.get(_FILE)
    return opened is None or opened.is_in_place()


def _replace_lost_connections(engine: AsyncEngine) -> None:
    """Replace connections of a lost generation at checkout, through the pool's public events.

    `AsyncEngine.dispose` would leave callers who already wait with the old pool, and its broken
    connections.
    """
    current = _Generation()

    @event.listens_for(engine.sync_engine, "connect")
    def remember(_connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        nonlocal current
        if current.is_lost:
            current = _Generation()
        entry.info[_GENERATION] = current
        entry.info[_USES] = 0

    @event.listens_for(engine.sync_engine, "checkout")
    def check(  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        _connection: DBAPIConnection, entry: ConnectionPoolEntry, pooled: PoolProxiedConnection
    ) -> None:
        # One that was just opened is used, even if others have lost theirs meanwhile: SQLAlchemy
        # gives up after a second replacement.
        is_used = entry.info[_USES] > 0
        if is_used and (entry.info[_GENERATION].is_lost or not is_file_in_place(pooled)):
            raise DisconnectionError
        entry.info[_USES] += 1


def create_postgresql_engines(address: PostgresqlAddress, limits: DatabaseLimits) -> Engines:
    """Create engines for a PostgreSQL database."""
    limits = limits.for_several_hosts() if address.has_several_hosts else limits
    open_ = open_first_connection if address.has_several_hosts else open_connection
    settings = {
        "jit": "off",
        "statement_timeout": _milliseconds(limits.statement_timeout),
        "lock_timeout": _milliseconds(limits.lock_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout),
    }
    begin = "BEGIN"
    if address.is_pooled:
        begin, settings = begin_with(settings), {}

    async def connect(*_: object, **__: object) -> Any:
        connection = await open_(address, settings, limits.connect_timeout)
        keep_alive(connection, address.keepalives)
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=limits.postgresql_connections,
        **_OPTIONS,
    )
    _replace_lost_connections(engine)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.run_async(_set_codecs)

    @event.listens_for(engine.sync_engine, "close")
    def abort(connection: Any, _entry: ConnectionPoolEntry) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        # SQLAlchemy would wait for the server to close it: two seconds, or forever at shutdown.
        connection.driver_connection.terminate()

    has_sessions = not address.is_pooled
    return Engines(write=engine, read=engine, begin=begin, has_sessions=has_sessions, limits=limits)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


async def _set_codecs(connection: "asyncpg.Connection[Any]") -> None:
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=str.encode, decoder=read_json, format="binary"
    )
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=_to_microseconds,
        decoder=_to_time,
        format="tuple",
    )


def _to_microseconds(moment: datetime) -> tuple[int]:
    return ((moment - _POSTGRESQL_EPOCH) // _MICROSECOND,)


def _to_time(microseconds: tuple[int]) -> datetime:
    """Convert a time of PostgreSQL; times outside Python's range become its first or last.

    The driver's own conversion fails for these, and omits the zone of the first and the last.
    """
    try:
        return _POSTGRESQL_EPOCH + timedelta(0, 0, microseconds[0])
    except OverflowError:
        return LAST_MOMENT if microseconds[0] > 0 else FIRST_MOMENT


def _sqlite_file(file: Path, limits: DatabaseLimits) -> Engines:
    url = URL.create("sqlite+aiosqlite", database=str(file))
    return _sqlite(url, limits, "journal_mode=WAL", "synchronous=FULL", file=file)


def _sqlite_in_memory(limits: DatabaseLimits) -> Engines:
    # All connections of this process share a named database of SQLite's memory file system, each
    # with its own transactions, as long as one of them is open.
    address = f"file:/symphony-{secrets.token_hex(8)}?vfs=memdb"
    return _sqlite(
        make_url(f"sqlite+aiosqlite:///{address}&uri=true"),
        limits,
        anchor=sqlite3.connect(address, uri=True, check_same_thread=False),
    )


def _sqlite(
    url: URL,
    limits: DatabaseLimits,
    *pragmas: str,
    file: Path | None = None,
    anchor: sqlite3.Connection | None = None,
) -> Engines:
    # SQLite has one writer at a time. A queue for one connection is fairer and faster than several
    # connections that poll for the lock.
    watched = WatchedFile(file) if file else None
    write = _sqlite_engine(url, limits, 1, watched, *pragmas)
    read = _sqlite_engine(url, limits, limits.sqlite_readers, watched, "query_only=ON")
    # After a deferred BEGIN, a transaction that reads and then writes fails when another one has
    # written in between.
    begin = "BEGIN IMMEDIATE"

    @event.listens_for(write.sync_engine, "begin")
    def begin_migration(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.exec_driver_sql(begin)

    return Engines(write=write, read=read, begin=begin, file=file, anchor=anchor, limits=limits)


def _sqlite_engine(
    url: URL,
    limits: DatabaseLimits,
    connections: int,
    watched: WatchedFile | None,
    *pragmas: str,
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections,
        # Without an isolation level the driver starts no transactions by itself.
        connect_args={"isolation_level": None, "factory": ResettingConnection},
        **_OPTIONS,
    )
    _replace_lost_connections(engine)
    busy_timeout = f"busy_timeout={_milliseconds(limits.sqlite_busy_timeout)}"

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection: DBAPIConnection, entry: ConnectionPoolEntry
    ) -> None:
        cursor = connection.cursor()
        for pragma in (busy_timeout, "foreign_keys=ON", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if watched:
            entry.info[_FILE] = watched.opened()

    if watched:

        @event.listens_for(engine.sync_engine, "do_connect")
        def require(*_: object) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
            watched.require()

    return engine
