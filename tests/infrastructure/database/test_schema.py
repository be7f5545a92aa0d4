"""Constraints and settings that the databases themselves enforce, tested with SQL."""

from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import Model
from tests.infrastructure.database.kept import Household

only_postgresql = pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("store_kind", ["sqlite-file", "sqlite-memory"], indirect=True)


async def rows(engines: Engines, statement: str) -> list[Any]:
    async with engines.read.connect() as connection:
        return list(await connection.execute(text(statement)))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE user_profiles SET version = 0", "version"),
        ("UPDATE user_profiles SET username = 'ab'", "username"),
        ("UPDATE user_profiles SET email = 'ab'", "email"),
        ("UPDATE user_profiles SET workspace_count = -1", "workspace_count"),
        ("UPDATE user_profiles SET machine_count = -1", "machine_count"),
        ("UPDATE user_profiles SET username_key = NULL", "null"),
        ("UPDATE workspaces SET version = 0", "version"),
        ("UPDATE workspaces SET name = ''", "name"),
        ("UPDATE workspaces SET workspace_type = 'secret'", "workspace_type"),
        ("UPDATE workspaces SET repo_count = -1", "repo_count"),
        ("UPDATE workspaces SET vault_count = -1", "vault_count"),
        ("UPDATE repos SET version = 0", "version"),
        ("UPDATE repos SET name = ''", "name"),
        ("UPDATE repos SET path = NULL", "null"),
        ("UPDATE vaults SET version = 0", "version"),
        ("UPDATE vaults SET name = ''", "name"),
        ("UPDATE vaults SET is_locked = NULL", "null"),
        ("UPDATE vaults SET protection = 'a guess'", "protection"),
        (
            "INSERT INTO vault_keys (vault_id, wrapped, checksum) SELECT id, '', '' FROM vaults",
            "wrapped_by",
        ),
        (
            "INSERT INTO vault_entries (id, vault_id, lookup, newest, oldest, sealed)"
            " SELECT id, id, '', 1, 2, '' FROM vaults",
            "oldest",
        ),
    ],
)
async def test_a_bad_row_is_refused(
    engines: Engines, ada: Household, change: str, constraint: str
) -> None:
    assert ada.workspace
    async with engines.write.connect() as connection:
        with pytest.raises(IntegrityError) as refused:
            await connection.execute(text(change))
    assert constraint in str(refused.value.orig).lower()


async def test_every_foreign_key_removes_rows_with_their_parent(
    engines: Engines,
) -> None:
    def foreign_keys(connection: Connection) -> dict[str, list[Any]]:
        schema = inspect(connection)
        return {table: list(schema.get_foreign_keys(table)) for table in Model.metadata.tables}

    async with engines.read.connect() as connection:
        found = await connection.run_sync(foreign_keys)
    owners = {
        table: sorted(key["referred_table"] for key in keys)
        for table, keys in found.items()
        if keys
    }
    assert owners == {
        "api_tokens": ["api_tokens", "machines", "user_profiles"],
        "machines": ["user_profiles"],
        "checkouts": ["machines"],
        "api_token_workspaces": ["api_tokens", "workspaces"],
        "idempotency_keys": ["user_profiles"],
        "last_writes": ["user_profiles"],
        "workspaces": ["user_profiles"],
        "repos": ["workspaces"],
        "remote_heads": ["repos"],
        "repo_inspections": ["repos"],
        "repo_observations": ["repos"],
        "vaults": ["workspaces"],
        "storage_counters": ["vaults"],
        "vault_keys": ["vaults"],
        "vault_sessions": ["api_tokens", "vaults"],
        "vault_entries": ["vaults"],
        "vault_entry_versions": ["vault_entries"],
    }
    options = [key["options"] for keys in found.values() for key in keys]
    assert all(each.get("ondelete") == "CASCADE" for each in options)


@only_postgresql
async def test_postgresql_has_native_ids_and_times_and_text_json(engines: Engines) -> None:
    columns = await rows(
        engines,
        "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'",
    )
    types = {(column.table_name, column.column_name): column.data_type for column in columns}
    ids = {kind for (_, name), kind in types.items() if name == "id" or name.endswith("_id")}
    assert ids == {"uuid"}
    times = {kind for (_, name), kind in types.items() if name.endswith(("_at", "_synced"))}
    assert times == {"timestamp with time zone"}
    objects = {"preferences", "settings", "metadata"}
    # Not jsonb, which rewrites numbers.
    assert {kind for (_, name), kind in types.items() if name in objects} == {"json"}
    keys = [column for column in columns if column.column_name.endswith("_key")]
    assert len(keys) == 7
    assert {column.collation_name for column in keys} == {"C"}


@only_sqlite
async def test_every_sqlite_connection_checks_foreign_keys_and_readers_only_read(
    engines: Engines, store_kind: str
) -> None:
    for engine, read_only in ((engines.write, 0), (engines.read, 1)):
        async with engine.connect() as connection:

            async def pragma(name: str) -> Any:
                return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()

            assert await pragma("foreign_keys") == 1
            assert await pragma("busy_timeout") == 5000
            assert await pragma("query_only") == read_only
            journal = "wal" if store_kind == "sqlite-file" else "memory"
            assert await pragma("journal_mode") == journal


@only_sqlite
async def test_a_migration_on_sqlite_takes_the_write_lock_at_its_start(engines: Engines) -> None:
    async with engines.write.connect() as connection:
        await connection.execute(text("SELECT 1"))
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver
        assert driver.in_transaction
