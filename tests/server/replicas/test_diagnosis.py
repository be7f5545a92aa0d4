"""`symphony db check` says of each replica whether the service can use it, and changes nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.support.database_clusters import Cluster, replica_url_of
from scripts.support.polling import until
from symphony.infrastructure.database import migrations
from tests.cli.conftest import Finished
from tests.server.replicas.service import (
    a_primary_and_its_replica,
    pause,
    processes,
    resume,
    settings_of,
    until_used,
)
from tests.support.server import SYMPHONY, environment

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

SCHEMA = f"The schema is at {migrations.head_revision()}."
NAMED = "symphony: SYMPHONY_DATABASE_REPLICA_URL: "


def db(
    command: str, folder: Path, primary: Cluster, *replicas: Cluster, **settings: str
) -> Finished:
    given = {
        **settings_of(primary, replicas[0]),
        "DATABASE_REPLICA_URL": replica_url_of(*replicas),
        **settings,
    }
    finished = subprocess.run(  # noqa: S603
        [SYMPHONY, "db", command],
        env={**os.environ, **environment(folder / "data", **given)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr)


def usable(finished: Finished, replica: Cluster) -> bool:
    lines = finished.output.splitlines()
    return any(
        each.startswith(f"The replica {replica.place} can be used. It is ") for each in lines
    )


async def test_each_replica_is_checked_as_the_service_judges_it(tmp_path: Path) -> None:
    async with a_primary_and_its_replica() as (primary, standby):
        assert db("upgrade", tmp_path, primary, standby).status == 0
        nowhere = Cluster("nowhere", tmp_path)

        both = db("check", tmp_path, primary, standby)
        assert (both.status, both.errors) == (0, "")
        assert both.output.splitlines()[0] == SCHEMA
        assert usable(both, standby)

        away = db("check", tmp_path, primary, standby, nowhere, primary)
        assert away.status == 1
        assert away.output.splitlines()[0] == SCHEMA
        assert usable(away, standby)
        assert away.errors == (
            f"{NAMED}{nowhere.place} cannot be used: PostgreSQL cannot be reached at"
            f" {nowhere.place}: Connection refused; {primary.place} cannot be used: it is not a"
            " standby.\n"
        )

        await pause(standby)
        await primary.run("CREATE TABLE later (id integer)")
        behind = db("check", tmp_path, primary, standby)
        assert behind.status == 1
        assert behind.errors == f"{NAMED}{standby.place} cannot be used: it is too far behind.\n"
        await resume(standby)
        assert db("check", tmp_path, primary, standby).status == 0

        standby.freeze()
        frozen = db("check", tmp_path, primary, standby)
        standby.thaw()
        assert frozen.status == 1
        assert frozen.errors.endswith(
            f" cannot be reached at {standby.place}: no answer in time.\n"
        )

        await standby.promote()
        promoted = db("check", tmp_path, primary, standby)
        assert promoted.errors == f"{NAMED}{standby.place} cannot be used: it is not a standby.\n"
        assert await primary.run("SELECT count(*) FROM heartbeats") == 0


async def test_a_standby_of_another_primary_or_with_another_schema_is_refused(
    tmp_path: Path,
) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        a_primary_and_its_replica() as (other, of_other),
    ):
        empty = db("upgrade", tmp_path, primary, standby)
        assert empty.status == 0
        lacks = db("check", tmp_path, primary, of_other)
        assert lacks.status == 1
        assert lacks.errors.startswith(
            f"{NAMED}{of_other.place} cannot be used: PostgreSQL refuses: "
        )
        assert db("upgrade", tmp_path, other, of_other).status == 0
        for each in (primary, other):  # so that the other log is longer, and its heartbeat another
            await each.run("INSERT INTO heartbeats (number, beat) VALUES (1, gen_random_uuid())")
        await other.run("SELECT pg_switch_wal()")
        await other.run("CREATE TABLE later (id integer)")

        async def is_refused() -> bool:
            finished = db("check", tmp_path, primary, of_other)
            assert finished.status == 1
            return finished.errors == (
                f"{NAMED}{of_other.place} cannot be used: it does not follow this primary.\n"
            )

        await until(is_refused, 60)
        await other.run("UPDATE alembic_version SET version_num = '012'")

        async def has_other_schema() -> bool:
            finished = db("check", tmp_path, primary, of_other)
            return "its schema is not the one of this program" in finished.errors

        await until(has_other_schema, 60)
        on_standby = db("check", tmp_path, primary, standby, DATABASE_URL=replica_url_of(standby))
        assert on_standby.status == 1
        assert on_standby.errors == (
            "symphony: the database is a standby; its replicas need the primary\n"
        )


async def test_beside_a_service_that_writes_a_replica_is_usable(tmp_path: Path) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby, 1) as [(_, client)],
    ):
        await until_used(client)
        for _ in range(3):
            checked = db("check", tmp_path, primary, standby)
            assert (checked.status, checked.errors) == (0, "")
            assert usable(checked, standby)
