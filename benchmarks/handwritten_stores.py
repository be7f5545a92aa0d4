"""The statements of the handwritten service, with asyncpg and aiosqlite."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import aiosqlite
import asyncpg
from pydantic_core import from_json, to_json
from uuid_utils.compat import uuid7

from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import merge
from symphony.infrastructure.database.engine import DEFAULT_LIMITS

Repo = dict[str, Any]
_NAMES = (
    *("id", "version", "created_at", "updated_at", "workspace_id", "name", "path", "remote_url"),
    *("metadata", "last_synced"),
)
_COLUMNS = ", ".join(f"repos.{name}" for name in _NAMES)
_OWNED = (
    f"SELECT {_COLUMNS} FROM repos JOIN workspaces ON workspaces.id = repos.workspace_id"
    " WHERE workspaces.user_profile_id = $1"
)
_GET = f"{_OWNED} AND repos.id = $2"
_GET_FOR_UPDATE = f"{_GET} FOR NO KEY UPDATE OF repos"
_LIST = f"{_OWNED} AND repos.workspace_id = $2 ORDER BY repos.created_at, repos.id LIMIT $3"
_HAS = "SELECT 1 FROM workspaces WHERE user_profile_id = $1 AND id = $2"
_COUNT = (
    "UPDATE workspaces SET repo_count = repo_count + 1"
    " WHERE user_profile_id = $1 AND id = $2 RETURNING repo_count"
)
_CREATE = (
    "INSERT INTO repos (id, version, created_at, updated_at, workspace_id, name, name_key, path,"
    f" remote_url, metadata) VALUES ($1, 1, $2, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}"
)
_UPDATE = (
    "UPDATE repos SET version = version + 1, updated_at = $2, name = $3, name_key = $4, path = $5,"
    f" remote_url = $6, metadata = $7 WHERE id = $1 RETURNING {_COLUMNS}"
)


class NotFound(Exception):
    pass


class Full(Exception):
    pass


class Store(Protocol):
    """Repos by owner; every method raises NotFound for what `owner` does not own."""

    async def get(self, owner: UUID, repo_id: UUID) -> Repo: ...
    async def page(self, owner: UUID, workspace_id: UUID, limit: int) -> list[Repo]: ...
    async def create(self, owner: UUID, workspace_id: UUID, body: Repo, limit: int) -> Repo:
        """Raises: Full."""
        ...

    async def update(self, owner: UUID, repo_id: UUID, body: Repo) -> Repo: ...


@asynccontextmanager
async def opened(address: str) -> AsyncGenerator[Store]:
    store = sqlite_store if address.startswith("sqlite:") else postgresql_store
    async with store(address) as opened_store:
        yield opened_store


class PostgreSQLStore:
    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def get(self, owner: UUID, repo_id: UUID) -> Repo:
        return _found(await self._pool.fetchrow(_GET, owner, repo_id))

    async def page(self, owner: UUID, workspace_id: UUID, limit: int) -> list[Repo]:
        rows = await self._pool.fetch(_LIST, owner, workspace_id, limit)
        if not rows and not await self._pool.fetchval(_HAS, owner, workspace_id):
            raise NotFound
        return [_from_postgresql(row) for row in rows]

    async def create(self, owner: UUID, workspace_id: UUID, body: Repo, limit: int) -> Repo:
        async with self._pool.acquire() as connection, connection.transaction():
            _require_room(await connection.fetchval(_COUNT, owner, workspace_id), limit)
            values = _values(body)
            now = datetime.now(UTC)
            return _found(await connection.fetchrow(_CREATE, uuid7(), now, workspace_id, *values))

    async def update(self, owner: UUID, repo_id: UUID, body: Repo) -> Repo:
        async with self._pool.acquire() as connection, connection.transaction():
            repo = _found(await connection.fetchrow(_GET_FOR_UPDATE, owner, repo_id))
            changed = _updated(repo, body)
            if changed == repo:
                return repo
            now = datetime.now(UTC)
            return _found(await connection.fetchrow(_UPDATE, repo_id, now, *_values(changed)))


@asynccontextmanager
async def postgresql_store(address: str) -> AsyncGenerator[PostgreSQLStore]:
    async def prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        await connection.set_type_codec(
            "json", schema="pg_catalog", encoder=_json, decoder=from_json
        )

    async with asyncpg.create_pool(
        address,
        min_size=DEFAULT_LIMITS.postgresql_connections,
        max_size=DEFAULT_LIMITS.postgresql_connections,
        init=prepare,
        server_settings={"jit": "off"},
    ) as pool:
        yield PostgreSQLStore(pool)


class SQLiteStore:
    """One connection writes, since SQLite allows one writer; the others read."""

    def __init__(
        self, writer: aiosqlite.Connection, readers: Iterable[aiosqlite.Connection]
    ) -> None:
        self._writer = writer
        self._writing = asyncio.Lock()
        self._readers = asyncio.Queue[aiosqlite.Connection]()
        for reader in readers:
            self._readers.put_nowait(reader)

    async def get(self, owner: UUID, repo_id: UUID) -> Repo:
        rows = await self._read(_GET, owner.hex, repo_id.hex)
        return _from_sqlite(*rows)

    async def page(self, owner: UUID, workspace_id: UUID, limit: int) -> list[Repo]:
        rows = await self._read(_LIST, owner.hex, workspace_id.hex, limit)
        if not rows and not await self._read(_HAS, owner.hex, workspace_id.hex):
            raise NotFound
        return [_from_sqlite(row) for row in rows]

    async def create(self, owner: UUID, workspace_id: UUID, body: Repo, limit: int) -> Repo:
        async with self._transaction():
            counted = await self._write(_COUNT, owner.hex, workspace_id.hex)
            _require_room(counted[0][0] if counted else None, limit)
            values = _for_sqlite(uuid7(), datetime.now(UTC), workspace_id, *_values(body))
            return _from_sqlite(*await self._write(_CREATE, *values))

    async def update(self, owner: UUID, repo_id: UUID, body: Repo) -> Repo:
        async with self._transaction():
            repo = _from_sqlite(*await self._write(_GET, owner.hex, repo_id.hex))
            changed = _updated(repo, body)
            if changed == repo:
                return repo
            values = _for_sqlite(repo_id, datetime.now(UTC), *_values(changed))
            return _from_sqlite(*await self._write(_UPDATE, *values))

    async def _read(self, statement: str, *values: object) -> list[aiosqlite.Row]:
        reader = await self._readers.get()
        try:
            return list(await reader.execute_fetchall(statement.replace("$", "?"), values))
        finally:
            self._readers.put_nowait(reader)

    async def _write(self, statement: str, *values: object) -> list[aiosqlite.Row]:
        return list(await self._writer.execute_fetchall(statement.replace("$", "?"), values))

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[None]:
        async with self._writing:
            await self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                await self._writer.rollback()
                raise
            await self._writer.commit()


@asynccontextmanager
async def sqlite_store(address: str) -> AsyncGenerator[SQLiteStore]:
    file = address.removeprefix("sqlite:///")
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(aiosqlite.connect(file, isolation_level=None))
            for _ in range(1 + DEFAULT_LIMITS.sqlite_readers)
        ]
        writer, *readers = connections
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "busy_timeout = 5000"):
            await writer.execute(f"PRAGMA {pragma}")
        yield SQLiteStore(writer, readers)


def _found(row: "asyncpg.Record | None") -> Repo:
    if row is None:
        raise NotFound
    return _from_postgresql(row)


def _from_postgresql(row: asyncpg.Record) -> Repo:
    # Ids as text: pydantic's core takes microseconds to recognize the driver's UUIDs.
    return {**row, "id": str(row["id"]), "workspace_id": str(row["workspace_id"])}


def _from_sqlite(*rows: aiosqlite.Row) -> Repo:
    if not rows:
        raise NotFound
    repo = dict(zip(_NAMES, rows[0], strict=True))
    for name in ("id", "workspace_id"):
        repo[name] = str(UUID(repo[name]))
    for name in ("created_at", "updated_at", "last_synced"):
        repo[name] = repo[name] and datetime.fromisoformat(repo[name]).replace(tzinfo=UTC)
    repo["metadata"] = from_json(repo["metadata"])
    return repo


def _for_sqlite(*values: Any) -> list[Any]:
    return [_one_for_sqlite(value) for value in values]


def _one_for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return _json(value) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownArgumentType]


def _require_room(count: int | None, limit: int) -> None:
    if count is None:
        raise NotFound
    if count > limit:
        raise Full


def _values(repo: Repo) -> tuple[Any, ...]:
    """The fields that a client sets, with the comparison key of the name."""
    name = repo["name"]
    metadata = repo.get("metadata", {})
    return name, comparison_key(name), repo["path"], repo.get("remote_url"), metadata


def _updated(repo: Repo, patch: Repo) -> Repo:
    return {**repo, **patch, "metadata": merge(repo["metadata"], patch.get("metadata", {}))}


def _json(value: Repo) -> str:
    return to_json(value).decode()
