"""Databases that no command can use: one line with the reason and exit status 1, no traceback."""

import asyncio
import os
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from tests.cli.conftest import Symphony, refusal
from tests.cli.secured_postgres import ENCODED, PASSWORD, secured_server
from tests.cli.test_refusals import COMMANDS, SECRET
from tests.support import postgres
from tests.support.server import SYMPHONY, environment

DATABASE = "symphony.sqlite3"


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def in_place_of_the_file(create: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(file: Path) -> None:
        file.unlink()
        create(file)

    return replace


def damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(3 * 4096)
        opened.write(b"\xaa" * 4096 * 5)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a directory": (in_place_of_the_file(Path.mkdir), "is not a file"),
    "a pipe": (in_place_of_the_file(os.mkfifo), "is not a file"),
    "text": (lambda file: file.write_bytes(b"Dear Charles, " * 999), "not an SQLite database"),
    "half a file": (lambda file: os.truncate(file, file.stat().st_size // 2), "is damaged"),
    "a damaged file": (damage, "is damaged"),
    "a newer schema": (
        lambda file: execute(file, "UPDATE alembic_version SET version_num = '999'"),
        "999, which is newer than this program",
    ),
    "another program's revision": (
        lambda file: execute(file, "UPDATE alembic_version SET version_num = '3a1f'"),
        "belongs to another program",
    ),
    "two revisions": (
        lambda file: execute(file, "INSERT INTO alembic_version VALUES ('001')"),
        "not Symphony's",
    ),
    "another program's table of revisions": (
        lambda file: execute(file, "ALTER TABLE alembic_version RENAME version_num TO x"),
        "not Symphony's",
    ),
    "a revision without tables": (
        lambda file: execute(file, "ALTER TABLE user_profiles RENAME TO x"),
        "no table 'user_profiles'",
    ),
}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a database at the head."""
    directory = tmp_path_factory.mktemp("migrated")

    async def migrate() -> None:
        engines = create_engines(directory / DATABASE)
        await migrations.upgrade(engines)
        await engines.dispose()

    asyncio.run(migrate())
    (directory / DATABASE).chmod(0o600)  # as the service creates it
    return directory


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_not_symphonys_database_is_refused(
    fault: str, symphony: Symphony, data_dir: Path, migrated: Path
) -> None:
    shutil.copytree(migrated, data_dir)
    spoil, expected = FAULTS[fault]
    spoil(data_dir / DATABASE)
    for command in (COMMANDS["db upgrade"], COMMANDS["db check"], ("serve", "--workers", "2")):
        finished = symphony(*command)
        line = refusal(finished)
        assert finished.status == 1
        assert expected in line
        assert "db upgrade" not in line  # which would not help


def test_the_database_of_another_program_is_refused_and_not_changed(
    symphony: Symphony, data_dir: Path
) -> None:
    data_dir.mkdir()
    file = data_dir / DATABASE
    execute(file, "CREATE TABLE user_profiles (name)")
    before = file.read_bytes()
    for command in COMMANDS.values():
        assert "a table 'user_profiles'" in refusal(symphony(*command))
    assert file.read_bytes() == before


@pytest.mark.long
def test_files_without_rights_are_refused(migrated: Path, tmp_path: Path) -> None:
    def refused(directory: Path) -> str:
        # As root without the capability to pass over rights, so that root can run this test.
        bounded = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
        finished = subprocess.run(  # noqa: S603 - our own program
            [*(bounded if os.geteuid() == 0 else ()), SYMPHONY, "serve", "--port", "0"],
            env=environment(directory),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert finished.returncode == 1
        assert finished.stderr.count("\n") == 1
        return finished.stderr

    for name, mode in ((DATABASE, 0o000), (DATABASE, 0o400), (".", 0o500), (".", 0o000)):
        directory = tmp_path / secrets.token_hex(4)
        shutil.copytree(migrated, directory)
        (directory / name).chmod(mode)
        try:
            assert str(directory) in refused(directory)
        finally:
            (directory / name).chmod(0o700)


async def run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def stranger(empty_postgresql: str) -> Generator[str]:
    """The URL of a database in which the user has no rights."""
    role = f"stranger_{secrets.token_hex(4)}"
    asyncio.run(run(empty_postgresql, f"CREATE ROLE {role} LOGIN"))
    yield empty_postgresql.replace("://postgres", f"://{role}", 1)
    asyncio.run(run(empty_postgresql, f"DROP OWNED BY {role}", f"DROP ROLE {role}"))


@pytest.mark.long
def test_missing_rights_on_the_schema_are_told_with_the_grant(
    symphony: Symphony, stranger: str, empty_postgresql: str
) -> None:
    role = stranger.partition("://")[2].partition(":")[0]
    grant = f"GRANT USAGE, CREATE ON SCHEMA public TO {role}"
    assert grant in refusal(symphony("db", "upgrade", DATABASE_URL=stranger))
    asyncio.run(run(empty_postgresql, grant))
    assert symphony("db", "upgrade", DATABASE_URL=stranger).status == 0


@pytest.mark.long
def test_missing_rights_on_the_tables_are_told(
    symphony: Symphony, stranger: str, empty_postgresql: str
) -> None:
    assert symphony("db", "upgrade", DATABASE_URL=empty_postgresql).status == 0
    for command in (COMMANDS["db check"], COMMANDS["serve"]):
        finished = symphony(*command, DATABASE_URL=stranger, SECRET_KEY=SECRET)
        assert "permission denied for table alembic_version" in refusal(finished)


@pytest.mark.long
def test_a_newer_schema_in_postgresql_is_refused(symphony: Symphony, empty_postgresql: str) -> None:
    assert symphony("db", "upgrade", DATABASE_URL=empty_postgresql).status == 0
    asyncio.run(run(empty_postgresql, "UPDATE alembic_version SET version_num = '999'"))
    settings = {"DATABASE_URL": empty_postgresql, "SECRET_KEY": SECRET}
    for command in (COMMANDS["db check"], COMMANDS["db upgrade"], COMMANDS["user create"]):
        finished = symphony(*command, **settings)
        assert "999, which is newer than this program" in refusal(finished)
        assert "db upgrade" not in finished.errors
    finished = symphony("serve", AUTO_MIGRATE="true", **settings)
    assert "999, which is newer than this program" in refusal(finished)


def test_tables_of_another_program_in_postgresql_are_refused(
    symphony: Symphony, empty_postgresql: str
) -> None:
    asyncio.run(run(empty_postgresql, "CREATE TABLE user_profiles (name text)"))
    finished = symphony("db", "upgrade", DATABASE_URL=empty_postgresql)
    assert "a table 'user_profiles'" in refusal(finished)


def test_a_read_only_postgresql_is_not_upgraded(symphony: Symphony, empty_postgresql: str) -> None:
    url = f"{empty_postgresql}&options=-c%20default_transaction_read_only%3Don"
    assert "read-only" in refusal(symphony("db", "upgrade", DATABASE_URL=url))


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_is_not_utf8_is_refused(encoding: str, symphony: Symphony) -> None:
    name = f"test_{secrets.token_hex(8)}"
    administrator = postgres.address("postgres")
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    asyncio.run(run(administrator, f"CREATE DATABASE {name} {options}"))
    try:
        for command in (("db", "upgrade"), ("db", "check"), ("serve", "--port", "0")):
            finished = symphony(*command, DATABASE_URL=postgres.address(name), SECRET_KEY=SECRET)
            assert f"encoding is {encoding}, but must be UTF8" in refusal(finished)
    finally:
        asyncio.run(postgres.drop_database(name))


@pytest.mark.long
def test_wrong_passwords_users_databases_and_hosts_are_told(symphony: Symphony) -> None:
    with secured_server() as place:
        right = f"postgresql://symphony:{ENCODED}@{place}/symphony"
        assert symphony("db", "upgrade", DATABASE_URL=right).status == 0
        wrong = {
            f"postgresql://symphony:wrong@{place}/symphony": "password",
            f"postgresql://symphony@{place}/symphony": "needs a password",
            f"postgresql://nosuch:{ENCODED}@{place}/symphony": '"nosuch"',
            f"postgresql://symphony:{ENCODED}@{place}/nosuch": 'no database "nosuch"',
            f"postgresql://symphony:{ENCODED}@nosuch.invalid/symphony": "the host is unknown",
            f"{right}?sslmode=require": "no TLS",
        }
        for url, expected in wrong.items():
            for command in COMMANDS.values():
                finished = symphony(*command, DATABASE_URL=url, SECRET_KEY=SECRET)
                assert expected in refusal(finished)
                assert finished.status == 1
                assert PASSWORD not in finished.errors
                assert ENCODED not in finished.errors
        strange = symphony(
            "db", "upgrade", DATABASE_URL=f"postgresql://ada:{ENCODED}@{place}/others"
        )
        assert "GRANT USAGE, CREATE ON SCHEMA public TO ada" in refusal(strange)
