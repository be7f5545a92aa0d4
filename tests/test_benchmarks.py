"""The benchmarks compare like with like, and fail where they cannot; nothing is timed here."""

import asyncio
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.checkout import TOP
from tests.support.leftovers import left_behind
from tests.support.server import until

BENCHMARKS = TOP / "benchmarks"
MODULES = (
    "command",
    "comparison",
    "content",
    "databases",
    "services",
    "wrk",
    "tables",
    "run",
    "growth",
    "plans",
)
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk makes the load")


@pytest.fixture
def place() -> Generator[Path]:
    """A folder that PostgreSQL, which may be another user, can get into."""
    with tempfile.TemporaryDirectory(prefix="symphony-place-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in MODULES:
        del sys.modules[name]


@pytest.mark.bench
async def test_all_services_give_the_same_answers_on_both_databases(
    scripts: Any, place: Path
) -> None:
    with scripts.databases.running_postgresql(place) as server:
        for database in (
            await server.database("bench"),
            await scripts.databases.sqlite_database(place / "bench.sqlite3"),
        ):
            shape = scripts.content.Shape(users=2, workspaces=2, empty=1)
            content = await scripts.content.fill(database, shape)
            async with scripts.run.running(database, place, 1) as services:
                assert [each.name for each in services] == ["handwritten", "Symphony", "textbook"]
                await scripts.comparison.require_same_answers(services, content, database)


@pytest.mark.bench
async def test_an_answer_that_differs_is_told(scripts: Any, place: Path) -> None:
    one = await scripts.databases.sqlite_database(place / "one.sqlite3")
    other = await scripts.databases.sqlite_database(place / "other.sqlite3")
    content = await scripts.content.fill(one, scripts.content.Shape(users=2, workspaces=1, empty=1))
    async with (
        scripts.services.symphony(one.address, place / "a") as first,
        scripts.services.symphony(other.address, place / "b", name="the empty one") as second,
    ):
        with pytest.raises(scripts.services.Failed, match="the empty one: a creation is answered with 404"):
            await scripts.comparison.require_same_answers([first, second], content, one)


@pytest.mark.bench
@needs_wrk
async def test_load_that_gets_bad_answers_fails_the_run(scripts: Any, place: Path) -> None:
    database = await scripts.databases.sqlite_database(place / "bench.sqlite3")
    shape = scripts.content.Shape(users=1, workspaces=1, empty=1)
    content = await scripts.content.fill(database, shape)
    targets = place / "targets.lua"
    scripts.wrk.write_targets(targets, content)
    await database.execute("DELETE FROM repos")
    async with scripts.services.symphony(database.address, place) as service:
        with pytest.raises(scripts.services.Failed, match="were errors"):
            await scripts.wrk.load(service, "get one", 1, targets)


def start_growth(place: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, BENCHMARKS / "growth.py", "--repos", "5000", "--pages", "30"],
        env=os.environ | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.bench
async def test_told_to_stop_it_leaves_no_process_and_no_file(place: Path) -> None:
    async def has_started_a_server() -> bool:
        assert process.poll() is None, process.communicate()
        return bool(list(await asyncio.to_thread(place.glob, "symphony-*/*/small.*.log")))

    with start_growth(place) as process:
        try:
            await until(has_started_a_server, within=60)
            process.send_signal(signal.SIGTERM)
            output, errors = await asyncio.to_thread(process.communicate, timeout=60)
        finally:
            process.terminate()
    assert (process.returncode, errors) == (130, "stopped\n"), output
    assert left_behind(place) == []


@pytest.mark.bench
@needs_wrk
def test_a_quick_run_prints_its_tables_and_writes_its_figures(place: Path) -> None:
    done = _run(BENCHMARKS / "run.py", "--quick", "--json", place / "results" / "bench.json")
    assert "PostgreSQL, 1 process: requests/s" in done.stdout
    figures = json.loads((place / "results" / "bench.json").read_text())["figures"]
    assert [(each["database"], each["processes"]) for each in figures] == [
        ("PostgreSQL", 1),
        ("SQLite", 1),
    ]
    assert all(each["operations"]["get one"]["Symphony"] for each in figures)


@pytest.mark.bench
def test_growth_is_measured_and_every_plan_looked_at(place: Path) -> None:
    # In a smaller table a user's few hundred repos are so many of all that it is read whole.
    growth = (BENCHMARKS / "growth.py", "--repos", "100000", "--pages", "30", "--calls", "2")
    done = _run(*growth, "--json", place / "growth.json")
    figures = json.loads((place / "growth.json").read_text())
    for kind in ("PostgreSQL", "SQLite"):
        assert f"{kind}: milliseconds per request, median" in done.stdout
        assert set(map(len, figures[kind]["milliseconds"]["page 1, page 30"])) == {2}
        asked = "\n".join(figures[kind]["plans"])
        for table in ("user_profiles", "workspaces", "repos", "vaults", "api_tokens"):
            assert f"FROM {table}" in asked


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
def test_a_table_that_is_read_whole_is_found(plan: str, tables: set[str], scripts: Any) -> None:
    assert scripts.plans.scanned_tables(plan) == tables


def _run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *command], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done
