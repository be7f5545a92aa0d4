"""`symphony report` and a server that does what a test wants."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from scripts.support.ports import free_port
from tests.client.reporting.command import TestMachine, ended, stopped
from tests.client.reporting.scripted_server import (
    CLOSED,
    MACHINE,
    ScriptedServer,
    accepted,
    problem,
    scripted_server,
)
from tests.support import processes

ENDS_WITHIN = 1.5  # seconds; a second, and some time for a busy machine
Machine = Callable[[str], TestMachine]


@pytest.fixture
def machine(home: Path, root: Path, repo: Repository) -> Machine:
    assert repo.path.exists()
    return lambda url: TestMachine(home, root, url, "sym_abc")


def state_file(home: Path) -> Path:
    (file,) = home.glob(".local/state/symphony/reports/*/state.json")
    return file


async def arrived(server: ScriptedServer, reports: int = 1) -> None:
    async def have_arrived() -> bool:
        return len(server.reports) >= reports

    await until(have_arrived, within=30)


async def test_a_report_is_sent_and_its_result_is_printed(machine: Machine) -> None:
    with scripted_server(accepted(0, 1)) as server:
        result = await machine(server.url).report()
        again = await machine(server.url).report("--json")
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("Reported 1 checkout of laptop in ")
    assert result.output.endswith(" s; 1 belongs to no repo.\n")
    assert again.output.count("\n") == 1
    assert again.json | {"seconds": 0, "sequence": 0} == {
        "machine": MACHINE,
        "sequence": 0,
        "checkouts": 1,
        "matched": 0,
        "unmatched": 1,
        "seconds": 0,
        "notes": [],
    }
    first, second = server.reports
    assert second["sequence"] == again.json["sequence"] > first["sequence"]
    assert [Path(each["path"]).name for each in first["checkouts"]] == ["repo"]


@pytest.mark.long
async def test_a_preview_is_printed_and_nothing_is_sent(machine: Machine, home: Path) -> None:
    with scripted_server() as server:
        preview = await machine(server.url).report("--dry-run")
        line = await machine(server.url).report("--dry-run", "--json")
    assert server.reports == []
    assert preview.json["checkouts"][0]["status"]["state"] == "clean"
    assert line.output.count("\n") == 1
    assert line.json.keys() == preview.json.keys()
    assert not list((home / ".local/state/symphony/reports").glob("*/*"))


@pytest.mark.long
async def test_a_preview_needs_no_login(home: Path, machine: Machine) -> None:
    started = machine("http://127.0.0.1:1")
    assert (await ended(await started.start_signed_out())).status == 1
    result = await ended(await started.start_signed_out("--dry-run"))
    assert len(result.json["checkouts"]) == 1
    assert not (home / ".config").exists()


@pytest.mark.long
@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_an_error_before_anything_is_inspected(
    machine: Machine, status: int
) -> None:
    with scripted_server(token=problem(status, "refused")) as server:
        for arguments in ((), ("--every", "1")):
            result = await machine(server.url).report(*arguments)
            assert (result.status, result.output) == (1, "")
            assert result.errors.startswith("symphony: Because of refused.")
            assert result.errors.endswith("(refused, request r-1)\n")
    assert server.reports == []


@pytest.mark.long
async def test_a_refused_report_is_an_error(machine: Machine) -> None:
    with scripted_server(problem(404, "machine-not-found")) as server:
        result = await machine(server.url).report()
    assert (result.status, result.output) == (1, "")
    assert "Because of machine-not-found." in result.errors


@pytest.mark.long
async def test_a_server_that_cannot_be_reached_is_another_error(machine: Machine) -> None:
    result = await machine(f"http://127.0.0.1:{free_port()}").report()
    assert (result.status, result.output) == (4, "")
    assert "no server listens there" in result.errors


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--every", "0"), "--every: '0' is invalid; must be an integer from 1 to 1440."),
        (("--every", "5", "--dry-run"), "--dry-run and --every exclude each other."),
    ],
)
async def test_wrong_options_are_errors_of_usage(
    machine: Machine, arguments: tuple[str, ...], error: str
) -> None:
    result = await machine("http://127.0.0.1:1").report(*arguments)
    assert (result.status, result.output, result.errors) == (2, "", f"symphony: {error}\n")


@pytest.mark.long
async def test_a_root_that_does_not_exist_is_an_error(
    home: Path, tmp_path: Path, machine: Machine
) -> None:
    assert machine
    with scripted_server() as server:
        result = await TestMachine(home, tmp_path / "unmounted", server.url, "sym_abc").report()
    assert (result.status, server.reports) == (1, [])
    assert "unmounted' is not a directory. Nothing was reported" in result.errors


@pytest.mark.long
async def test_a_second_reporter_is_refused_and_says_who_is_the_first(machine: Machine) -> None:
    with scripted_server(waits=True) as server:
        first = await machine(server.url).start()
        await arrived(server)
        second = await machine(server.url).report()
        assert second.status == 1
        assert f"Another reporter is running (process {first.pid}, since " in second.errors
        server.may_answer.set()
        assert (await ended(first)).status == 0
        assert (await machine(server.url).report()).status == 0
    assert server.most_in_flight == 1


@pytest.mark.long
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_signal_ends_a_report_that_the_server_does_not_answer(
    machine: Machine, number: signal.Signals, status: int
) -> None:
    with scripted_server(waits=True) as server:
        process = await machine(server.url).start()
        await arrived(server)
        result, seconds = await stopped(process, number)
        assert (result.status, result.output, result.errors) == (status, "", "")
        assert seconds < ENDS_WITHIN


@pytest.mark.long
async def test_a_signal_ends_an_inspection_that_does_not_end(
    machine: Machine, repo: Repository
) -> None:
    os.mkfifo(repo.path / ".gitignore")  # git waits for it
    with scripted_server() as server:
        process = await machine(server.url).start()
        reporter = psutil.Process(process.pid)

        async def is_inspecting() -> bool:
            return any(processes.name(each) == "git" for each in reporter.children(recursive=True))

        await until(is_inspecting, within=30)
        result, seconds = await stopped(process, signal.SIGTERM)
    assert (result.status, result.errors, server.reports) == (143, "", [])
    assert seconds < ENDS_WITHIN


@pytest.mark.long
async def test_a_signal_ends_the_pause_between_two_reports(machine: Machine) -> None:
    with scripted_server() as server:
        process = await machine(server.url).start("--every", "1")
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"Reported 1 checkout")
        result, seconds = await stopped(process, signal.SIGTERM)
    assert (result.status, result.errors) == (0, "")
    assert seconds < ENDS_WITHIN


@pytest.mark.long
async def test_a_report_that_was_killed_is_followed_by_a_later_one(machine: Machine) -> None:
    """At any moment: during the inspection, while it is sent, and before the answer arrives."""
    with scripted_server(waits=True) as server:
        for moment in (0.3, 0.6, 0.9, 1.2, None, None):
            process = await machine(server.url).start()
            if moment is None:
                await arrived(server, len(server.reports) + 1)
            else:
                await asyncio.sleep(moment)
            process.kill()
            await process.wait()
        server.may_answer.set()
        assert (await machine(server.url).report()).status == 0
    sequences = server.sequences
    assert len(sequences) >= 3
    assert sequences == sorted(set(sequences))


@pytest.mark.long
async def test_after_a_failure_the_next_round_tries_again(machine: Machine) -> None:
    with scripted_server(problem(404, "machine-not-found"), accepted()) as server:
        process = await machine(server.url).start("--every", "1", "--json")
        assert process.stderr is not None
        assert process.stdout is not None
        assert b"machine-not-found" in await process.stderr.readline()
        started = time.monotonic()
        line = json.loads(await process.stdout.readline())
        assert 50 < time.monotonic() - started < 80
        assert line["checkouts"] == 1
        await stopped(process, signal.SIGTERM)


@pytest.mark.long
async def test_a_report_without_an_answer_is_sent_again_as_the_same_one(machine: Machine) -> None:
    with scripted_server(CLOSED, accepted()) as server:
        result = await machine(server.url).report("--json")
    assert result.json["checkouts"] == 1
    assert len(set(server.sequences)) == 1
    assert len(server.sequences) == 2


@pytest.mark.long
async def test_a_clock_that_is_set_back_does_not_matter(machine: Machine, home: Path) -> None:
    with scripted_server() as server:
        assert (await machine(server.url).report()).status == 0
        state = state_file(home)
        stored = json.loads(state.read_text())
        tomorrow = stored["sequence"] + 24 * 60 * 60 * 1000
        state.write_text(json.dumps(stored | {"sequence": tomorrow}))
        assert (await machine(server.url).report()).status == 0
    assert server.sequences[1] == tomorrow + 1
