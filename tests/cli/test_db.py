"""`symphony db`: the schema is upgraded or checked."""

from pathlib import Path

import pytest

from symphony.infrastructure.database import migrations
from tests.cli.conftest import Symphony, refusal

HEAD = f"The schema is at {migrations.head_revision()}.\n"


@pytest.mark.long
def test_check_exits_with_1_and_names_the_remedy_until_the_schema_is_upgraded(
    symphony: Symphony, database_settings: dict[str, str]
) -> None:
    before = symphony("db", "check", **database_settings)
    assert before.status == 1
    assert "symphony db upgrade" in refusal(before)

    upgraded = symphony("db", "upgrade", **database_settings)
    assert (upgraded.status, upgraded.output) == (0, HEAD)

    after = symphony("db", "check", **database_settings)
    assert (after.status, after.output) == (0, HEAD)


def test_upgrading_twice_changes_nothing(
    symphony: Symphony, database_settings: dict[str, str]
) -> None:
    for _ in range(2):
        upgraded = symphony("db", "upgrade", **database_settings)
        assert (upgraded.status, upgraded.output, upgraded.errors) == (0, HEAD, "")


@pytest.mark.long
def test_the_schema_needs_no_secret(symphony: Symphony, empty_postgresql: str) -> None:
    assert symphony("db", "upgrade", DATABASE_URL=empty_postgresql).status == 0


@pytest.mark.long
@pytest.mark.parametrize("form", ["postgresql://", "postgresql+asyncpg://"])
@pytest.mark.parametrize("mode", ["", "&sslmode=disable", "&sslmode=prefer"])
def test_a_postgresql_is_named_as_its_own_tools_name_it(
    form: str, mode: str, symphony: Symphony, empty_postgresql: str
) -> None:
    assert "?host=" in empty_postgresql  # a socket's folder
    url = empty_postgresql.replace("postgresql://", form) + mode
    assert symphony("db", "upgrade", DATABASE_URL=url).output == HEAD
    assert symphony("db", "check", DATABASE_URL=empty_postgresql).output == HEAD


@pytest.mark.long
def test_an_sqlite_file_is_named_by_its_path(symphony: Symphony, tmp_path: Path) -> None:
    file = tmp_path / "not there yet" / "own.sqlite3"
    assert symphony("db", "upgrade", DATABASE_URL=f"sqlite:///{file}").output == HEAD
    assert file.is_file()


def test_a_check_refuses_replicas_of_a_file(symphony: Symphony) -> None:
    assert symphony("db", "upgrade").status == 0
    checked = symphony("db", "check", DATABASE_REPLICA_URL="postgresql://symphony@127.0.0.1:1/x")
    assert checked.status == 2
    assert refusal(checked).startswith("SYMPHONY_DATABASE_REPLICA_URL: only a PostgreSQL database")


@pytest.mark.long
def test_a_check_names_a_replica_that_cannot_be_used(
    symphony: Symphony, empty_postgresql: str
) -> None:
    given = {"DATABASE_URL": empty_postgresql, "DATABASE_REPLICA_URL": empty_postgresql}
    assert symphony("db", "upgrade", **given).status == 0
    checked = symphony("db", "check", **given)
    assert (checked.status, checked.output) == (1, HEAD)
    assert checked.errors.startswith("symphony: SYMPHONY_DATABASE_REPLICA_URL: the socket /")
    assert checked.errors.endswith(" cannot be used: it is not a standby.\n")
