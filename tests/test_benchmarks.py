"""The benchmarks compare like with like, and fail where they cannot; times are not checked here."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from benchmarks import services
from benchmarks.comparison import require_same_answers
from benchmarks.content import Shape, fill
from benchmarks.databases import running_postgresql, sqlite_database
from benchmarks.pairs.processes import limited
from benchmarks.plans import scanned_tables
from benchmarks.run import running
from benchmarks.services import Failed
from benchmarks.wrk import load, write_targets
from scripts.support.pgbouncer import PGBOUNCER
from symphony.infrastructure.database.models import Model
from tests.support.checkout import TOP
from tests.support.leftovers import left_behind, stopped_run
from tests.support.prerequisites import missing


@pytest.fixture
def wrk() -> None:
    """The program that makes the load."""
    if shutil.which("wrk") is None:
        missing("there is no wrk on the path: apt-get install wrk")


@pytest.fixture
def control_groups() -> None:
    """The right to limit the processor time of a process, which not every container has."""
    with subprocess.Popen(["sleep", "60"]) as idle:  # noqa: S607
        try:
            with limited([idle.pid], 0.5):
                pass
        except Failed as refused:
            pytest.skip(str(refused))
        finally:
            idle.kill()


@pytest.fixture
def place() -> Generator[Path]:
    """A temporary directory that PostgreSQL, which may run as another user, can read."""
    with tempfile.TemporaryDirectory(prefix="symphony-place-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.bench
async def test_all_services_give_the_same_answers_on_both_databases(place: Path) -> None:
    with running_postgresql(place) as server:
        for database in (
            await server.database("bench"),
            await sqlite_database(place / "bench.sqlite3"),
        ):
            content = await fill(database, Shape(users=2, workspaces=2, empty=1))
            async with running(database, place, 1) as compared:
                assert [each.name for each in compared] == ["handwritten", "Symphony", "textbook"]
                await require_same_answers(compared, content, database)


@pytest.mark.bench
async def test_an_answer_that_differs_is_reported(place: Path) -> None:
    one = await sqlite_database(place / "one.sqlite3")
    other = await sqlite_database(place / "other.sqlite3")
    content = await fill(one, Shape(users=2, workspaces=1, empty=1))
    async with (
        services.symphony(one.address, place / "a") as first,
        services.symphony(other.address, place / "b", name="the empty one") as second,
    ):
        with pytest.raises(Failed, match="the empty one: a creation is answered with 401"):
            await require_same_answers([first, second], content, one)


@pytest.mark.bench
@pytest.mark.usefixtures("wrk")
async def test_an_error_under_load_fails_the_run(place: Path) -> None:
    database = await sqlite_database(place / "bench.sqlite3")
    shape = Shape(users=1, workspaces=1, empty=1)
    content = await fill(database, shape)
    targets = place / "targets.lua"
    write_targets(targets, content)
    await database.execute("DELETE FROM repos")
    async with services.symphony(database.address, place) as service:
        with pytest.raises(Failed, match="were errors"):
            await load(service, "get one", 1, targets)


@pytest.mark.bench
async def test_sigterm_stops_it_without_a_process_or_file_left(place: Path) -> None:
    def has_started_a_server() -> bool:
        return bool(list(place.glob("symphony-*/*/small.*.log")))

    command = [sys.executable, "-m", "benchmarks.growth", "--repos", "5000", "--pages", "30"]
    status, output, errors = await stopped_run(command, place, has_started_a_server)
    assert (status, errors) == (130, "stopped\n"), output
    assert left_behind(place) == []


@pytest.mark.bench
@pytest.mark.usefixtures("wrk")
def test_a_quick_run_prints_its_tables_and_writes_its_figures(place: Path) -> None:
    done = _run("benchmarks.run", "--quick", "--json", place / "results" / "bench.json")
    assert "PostgreSQL, 1 process: requests/s" in done.stdout
    figures = json.loads((place / "results" / "bench.json").read_text())["figures"]
    assert [(each["database"], each["processes"]) for each in figures] == [
        ("PostgreSQL", 1),
        ("SQLite", 1),
    ]
    assert all(each["operations"]["get one"]["Symphony"] for each in figures)


@pytest.mark.bench
def test_growth_is_measured_and_every_plan_is_checked(place: Path) -> None:
    # In a smaller table a user owns so large a part of the repos that a scan is the best plan.
    growth = ("benchmarks.growth", "--repos", "100000", "--pages", "30", "--calls", "2")
    done = _run(*growth, "--json", place / "growth.json")
    figures = json.loads((place / "growth.json").read_text())
    for kind in ("PostgreSQL", "SQLite"):
        assert f"{kind}: milliseconds per request, median" in done.stdout
        assert set(map(len, figures[kind]["milliseconds"]["page 1, page 30"])) == {2}
        asked = "\n".join(figures[kind]["plans"])
        for table in ("user_profiles", "workspaces", "repos", "vaults", "api_tokens"):
            assert f"FROM {table}" in asked


@pytest.mark.bench
def test_a_failed_sign_in_does_not_tell_whether_the_user_exists(place: Path) -> None:
    done = _run("benchmarks.sign_in", "--users", "8", "--json", place / "sign-in.json")
    assert "unknown/known: " in done.stdout
    milliseconds = json.loads((place / "sign-in.json").read_text())["milliseconds"]
    assert {kind: len(each) for kind, each in milliseconds.items()} == {
        "known user": 8,
        "unknown user": 8,
    }


@pytest.mark.bench
def test_a_confined_token_costs_little_and_no_time_tells_what_it_does_not_reach(
    place: Path,
) -> None:
    done = _run("benchmarks.tokens", "--rounds", "60", "--json", place / "tokens.json")
    for kind in ("SQLite", "PostgreSQL"):
        assert f"{kind}: milliseconds of a request, medians" in done.stdout
    figures = json.loads((place / "tokens.json").read_text())
    assert {name: len(each["cost"]) for name, each in figures.items()} == {
        "SQLite": 3,
        "PostgreSQL": 3,
    }


@pytest.mark.bench
def test_the_board_is_measured_for_repositories_with_many_branches(place: Path) -> None:
    few = ("--repos", "2", "--remembered", "5", "--branches", "30", "--rounds", "2")
    done = _run("benchmarks.board", *few, "--json", place / "board.json")
    assert "with/without: " in done.stdout
    milliseconds = json.loads((place / "board.json").read_text())["milliseconds"]
    assert len(milliseconds) == 6
    assert all(each > 0 for times in milliseconds.values() for each in times)


@pytest.mark.bench
def test_boards_and_reports_of_many_machines_are_measured(place: Path) -> None:
    few = ("--workspaces", "1", "--machines", "3", "--reported", "20", "--rounds", "2")
    done = _run("benchmarks.reports.machines", *few, "--json", place / "machines.json")
    milliseconds = json.loads((place / "machines.json").read_text())["milliseconds"]
    for kind in ("PostgreSQL", "SQLite"):
        assert f"{kind}: 15 items with 45 checkouts" in done.stdout
        assert f"{kind}: milliseconds" in done.stdout
        assert all(each > 0 for times in milliseconds[kind].values() for each in times)
        assert len(milliseconds[kind]["report, all checkouts new, at once"]) == 3


@pytest.mark.bench
def test_reports_are_measured_with_and_without_what_is_remembered(place: Path) -> None:
    few = ("--repos", "20", "--files", "10", "--rounds", "1")
    done = _run("benchmarks.reports.reporter", *few, "--json", place / "report.json")
    assert "processor time with/without what is remembered: " in done.stdout
    figures = json.loads((place / "report.json").read_text())
    assert len(figures["seconds"]) == len(figures["processor"]) == 4
    assert all(each > 0 for times in figures["seconds"].values() for each in times)
    assert 20 < figures["mebibytes"] < 100


@pytest.mark.bench
@pytest.mark.usefixtures("wrk")
def test_what_a_user_stores_is_measured_for_every_table(place: Path) -> None:
    few = ("--users", "20", "--seconds", "1", "--hashes", "20")
    _run("benchmarks.sizing.run", *few, "--json", place / "sizing.json")
    figures = json.loads((place / "sizing.json").read_text())
    assert set(figures["stored"]) == set(Model.metadata.tables)
    assert figures["stored"]["repo_inspections"]["rows"] == 60
    assert all(50 < each["memory"] < 1000 for each in figures["taken"].values())


@pytest.mark.bench
@pytest.mark.usefixtures("wrk", "control_groups")
def test_two_processes_are_compared_with_one(place: Path) -> None:
    few = ("--rounds", "1", "--seconds", "1", "--share", "0.5")
    _run("benchmarks.pairs.processes", *few, "--json", place / "processes.json")
    figures = json.loads((place / "processes.json").read_text())
    assert figures["rounds"].keys() == {"get one", "list 50", "create", "patch", "mix"}
    assert all(each["other"]["rate"] > 0 for (each,) in figures["rounds"].values())
    assert not any(Path("/sys/fs/cgroup").glob("**/symphony-bench-*"))


@pytest.mark.bench
@pytest.mark.usefixtures("wrk")
def test_a_pooler_is_compared_with_a_direct_connection(place: Path) -> None:
    if PGBOUNCER is None:
        missing("pgbouncer is not on the path: apt-get install pgbouncer")
    few = ("--rounds", "1", "--seconds", "1")
    _run("benchmarks.pairs.pooler", *few, "--json", place / "pooler.json")
    figures = json.loads((place / "pooler.json").read_text())
    assert figures["rounds"].keys() == {"get one", "list 50", "create", "patch", "mix"}
    assert all(each["other"]["rate"] > 0 for (each,) in figures["rounds"].values())


@pytest.mark.parametrize(
    ("plan", "tables"),
    [
        ("Limit\n  ->  Seq Scan on repos  (cost=0.00..8.27 rows=1)", {"repos"}),
        ("  ->  Parallel Seq Scan on vaults  (cost=0.00..8.27 rows=1)", {"vaults"}),
        ("Index Scan using pk_repos on repos  (cost=0.29..8.30 rows=1)", set[str]()),
        ("SEARCH workspaces USING INDEX x (id=?)\nSCAN repos", {"repos"}),
        ("SCAN repos USING INDEX ix_repos_created_at", {"repos"}),
        ("SEARCH repos USING COVERING INDEX x (workspace_id=?)", set[str]()),
    ],
)
def test_a_table_that_is_scanned_is_found(plan: str, tables: set[str]) -> None:
    assert scanned_tables(plan) == tables


def _run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", *command],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done
