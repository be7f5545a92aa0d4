"""`symphony db` and `symphony serve` on a schema that a newer version of Symphony has migrated."""

import asyncio

import pytest
from sqlalchemy import text

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from tests.cli.conftest import Symphony, refusal

HEAD = migrations.head_revision()
NEWER = f"{int(HEAD) + 1:03d}"
COMMANDS = (("db", "check"), ("db", "upgrade"))
RECORD = (
    "UPDATE alembic_version SET version_num = :newer",
    "UPDATE schema_compatibility SET revision = :newer, compatible_with = :oldest",
)


def migrate(url: str, compatible_with: str) -> None:
    """Do what a newer version of Symphony does, without a change of tables."""

    async def change() -> None:
        engines = create_engines(url)
        await migrations.upgrade(engines)
        async with engines.write.begin() as connection:
            for statement in RECORD:
                values = {"newer": NEWER, "oldest": compatible_with}
                await connection.execute(text(statement), values)
        await engines.dispose()

    asyncio.run(change())


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_a_compatible_schema_is_accepted_and_stays_as_it_is(
    command: tuple[str, ...], symphony: Symphony, empty_postgresql: str
) -> None:
    migrate(empty_postgresql, HEAD)
    finished = symphony(*command, DATABASE_URL=empty_postgresql)
    assert (finished.status, finished.output, finished.errors) == (
        0,
        f"The schema is at {NEWER}, which is newer than this program ({HEAD}) and compatible with"
        " it.\n",
        "",
    )


@pytest.mark.long
@pytest.mark.parametrize("command", [*COMMANDS, ("serve", "--port", "0")])
@pytest.mark.parametrize("auto_migrate", ["false", "true"])
def test_another_one_is_refused_in_a_line_that_says_what_to_do(
    command: tuple[str, ...], auto_migrate: str, symphony: Symphony, empty_postgresql: str
) -> None:
    migrate(empty_postgresql, NEWER)
    finished = symphony(
        *command, DATABASE_URL=empty_postgresql, SECRET_KEY="k" * 32, AUTO_MIGRATE=auto_migrate
    )
    assert finished.status == 1
    assert "install a newer version of Symphony" in refusal(finished)
