"""The three stores that everything is tried on: PostgreSQL, an SQLite file, SQLite in memory."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from symphony.config.settings import Settings
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import Engines, create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.support import postgres

STORES = ("postgresql", "sqlite-file", "sqlite-memory")
SECRET = "a secret that is only good for tests, and long enough"

_server: postgres.TestServer | None = None


def pytest_configure(config: pytest.Config) -> None:
    global _server  # noqa: PLW0603 - one server a run, started here and stopped below
    for name in [name for name in os.environ if name.startswith("SYMPHONY_")]:
        del os.environ[name]  # what a developer has set must not decide how tests end
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        _server = postgres.TestServer()
        asyncio.run(_server.prepare())


def pytest_unconfigure() -> None:
    if _server is not None:
        _server.stop()


@pytest.fixture(params=STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    """Which store a test runs on: each test that needs one runs on all."""
    return request.param


@pytest.fixture
async def database_url(store_kind: str, tmp_path: Path) -> AsyncGenerator[str]:
    """The address of a fresh database with the newest schema.

    In memory every engine has a database of its own, which is migrated by whoever opens it.
    """
    if store_kind == "postgresql":
        name = f"test_{secrets.token_hex(8)}"
        yield await postgres.create_database(name)
        await postgres.drop_database(name)
    elif store_kind == "sqlite-file":
        url = f"sqlite:///{tmp_path / 'test.sqlite3'}"
        engines = create_engines(url)
        await migrations.upgrade(engines)
        await engines.dispose()
        yield url
    else:
        yield "sqlite://"


@pytest.fixture
async def engines(database_url: str) -> AsyncGenerator[Engines]:
    engines = create_engines(database_url)
    if engines.is_in_memory:
        await migrations.upgrade(engines)
    yield engines
    await engines.dispose()


@pytest.fixture
def store(engines: Engines) -> SqlAlchemyStore:
    return SqlAlchemyStore(engines)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a service on the store."""
    return Settings.model_validate(
        {"database_url": database_url, "secret_key": SECRET, "data_dir": tmp_path}
    )
