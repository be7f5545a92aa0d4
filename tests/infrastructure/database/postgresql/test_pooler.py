"""The setting of a pooler: with what it excludes, and how errors name it."""

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text

from symphony.bootstrap import engines_for
from symphony.config.settings import Settings, SettingsError
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.database import errors, migrations
from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import Engines, create_engines
from tests.conftest import SECRET

_OPEN = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
    AND pid <> pg_backend_pid()
"""
URL = "postgresql://ada@127.0.0.1:1/symphony"
POOLER = {"database_pooler": "transaction", "secret_key": SECRET}


def settings_for(folder: Path, **settings: object) -> Settings:
    return Settings.model_validate({"data_dir": folder, **POOLER, **settings})


@pytest.mark.parametrize("url", [None, "sqlite:///x.sqlite3", "sqlite://"])
def test_a_pooler_without_postgresql_is_refused(tmp_path: Path, url: str | None) -> None:
    with pytest.raises(
        SettingsError, match=r"^SYMPHONY_DATABASE_POOLER: 'transaction' is possible"
    ):
        engines_for(settings_for(tmp_path, database_url=url))
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("source", ["url", "environment"])
def test_settings_of_a_session_are_refused(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = URL
    if source == "url":
        url += "?options=-c%20work_mem%3D8MB"
    else:
        monkeypatch.setenv("PGOPTIONS", "-c work_mem=8MB")
    with pytest.raises(
        SettingsError, match=r"_URL: options .*SYMPHONY_DATABASE_POOLER=transaction"
    ):
        engines_for(settings_for(tmp_path, database_url=url))


async def test_demo_mode_ignores_the_pooler_of_the_real_database(tmp_path: Path) -> None:
    engines = engines_for(settings_for(tmp_path, database_url=URL, demo_mode=True))
    assert engines.is_in_memory
    assert engines.has_sessions
    await engines.dispose()


async def test_time_limits_are_part_of_each_transaction() -> None:
    engines = create_engines(URL, is_pooled=True)
    assert engines.begin == (
        "BEGIN; SET LOCAL jit = 'off'; SET LOCAL statement_timeout = '10000';"
        " SET LOCAL lock_timeout = '8000';"
        " SET LOCAL idle_in_transaction_session_timeout = '10000'"
    )
    await engines.dispose()


async def test_no_migration_connects_through_a_pooler() -> None:
    engines = create_engines(URL, is_pooled=True)
    for change in (migrations.upgrade(engines, "013"), migrations.downgrade(engines, "012")):
        with pytest.raises(SchemaRefused, match="cannot be changed through a pooler"):
            await change
    await engines.dispose()


@pytest.mark.parametrize(
    "error", [asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError]
)
def test_a_statement_of_another_client_makes_the_database_unavailable(
    error: type[asyncpg.PostgresError],
) -> None:
    reason = f"{error.sqlstate}: a connection pooler needs SYMPHONY_DATABASE_POOLER=transaction$"
    with pytest.raises(StoreUnavailable, match=reason), errors.translated_errors("SELECT 1"):
        raise error("prepared statement ...")


@pytest.mark.parametrize("store_kind", ["postgresql"])
async def test_a_transaction_whose_settings_fail_is_rolled_back(engines: Engines) -> None:
    """Behind a pooler it would keep a connection of the server until it is ended."""
    begin = "BEGIN; SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)"
    connection = Connection(engines.write, begin)
    await connection.open()
    with pytest.raises(StoreUnavailable):
        await connection.fetch(select(1), {})
    await connection.close()
    async with engines.read.connect() as other:
        states = await other.execute(text(_OPEN))
        assert states.scalar() == 0
