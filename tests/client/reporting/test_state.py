"""What a reporter keeps on disk."""

import json
import os
import re
import socket
import stat
import time
from functools import partial
from pathlib import Path

import pytest

from symphony.client.errors import ClientError
from symphony.client.reporting.state import (
    MAX_SEQUENCE,
    AnotherReporter,
    State,
    StateDirectory,
)
from symphony.client.this_machine import ThisMachine, machine_of_host
from symphony.infrastructure.git.history.memory import Memories
from tests.client.reporting.conftest import URL

DAY = 24 * 60 * 60


def directory_of(home: Path) -> Path:
    (directory,) = (home / ".local/state/symphony/reports").iterdir()
    return directory


def test_a_sequence_is_the_time_and_grows_at_each_report(
    state_directory: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000_000)
    first = state_directory.take_sequence(state_directory.load())
    second = state_directory.take_sequence(state_directory.load())
    assert (first.sequence, second.sequence) == (5_000, 5_001)


def test_a_sequence_grows_when_the_clock_is_set_back(
    state_directory: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000_000)
    state_directory.take_sequence(state_directory.load())
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    assert state_directory.take_sequence(state_directory.load()).sequence == 5_001
    above = state_directory.take_sequence(state_directory.load(), above=9_000)
    assert above.sequence == 9_001
    assert StateDirectory(URL).load() == above


def test_a_sequence_that_cannot_grow_is_an_error(state_directory: StateDirectory) -> None:
    with pytest.raises(ClientError, match="cannot grow any more"):
        state_directory.take_sequence(State(sequence=MAX_SEQUENCE))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"sequence": -1, "complete_at": 0}', '{"sequence": "x"}', "null"]
)
def test_damaged_state_is_a_new_one(
    state_directory: StateDirectory, home: Path, content: str
) -> None:
    state_directory.take_sequence(State())
    (directory_of(home) / "state.json").write_text(content)
    assert state_directory.load() == State()


def test_only_the_user_can_read_the_files(state_directory: StateDirectory, home: Path) -> None:
    with state_directory.locked():
        state_directory.take_sequence(State())
        state_directory.save_memories(Memories())
        directory = directory_of(home)
        files = list(directory.iterdir())
    assert {each.name for each in files} == {"lock", "running.json", "state.json", "history.gz"}
    for each in (directory, directory.parent, directory.parent.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in directory.iterdir()} == {0o600}


def test_a_directory_that_others_can_write_is_refused(
    state_directory: StateDirectory, home: Path
) -> None:
    assert state_directory.load() == State()
    directory_of(home).chmod(0o722)
    with pytest.raises(ClientError, match=r"Other users may write to .* \(mode 0722\)"):
        StateDirectory(URL)


def test_a_second_reporter_is_refused_and_learns_which_process_is_the_first(
    state_directory: StateDirectory,
) -> None:
    second = StateDirectory(URL)
    with state_directory.locked():
        with pytest.raises(AnotherReporter) as refused, second.locked():
            pass
        assert re.fullmatch(
            rf"Another reporter is running \(process {os.getpid()}, since \d{{4}}-\S+Z\)\. Only one"
            r" at a time can report to a server\.",
            str(refused.value),
        )
        with StateDirectory("https://other.example.org").locked():
            pass
    with second.locked():
        pass


def test_files_of_a_process_that_was_killed_are_removed(
    state_directory: StateDirectory, home: Path
) -> None:
    left = directory_of(home) / ".history.abc"
    left.write_text("half")
    with state_directory.locked():
        assert not left.exists()


def test_once_a_day_nothing_is_remembered(
    state_directory: StateDirectory, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    _, state = state_directory.memories(State())
    assert state.complete_at == now
    state_directory.save_memories(Memories())
    reads = list[Path]()

    def read(file: Path) -> Memories:
        reads.append(file)
        return Memories()

    monkeypatch.setattr("symphony.client.reporting.state.read_memories", read)
    for passed, is_read in ((1, True), (DAY - 1, True), (DAY, False), (-1, False)):
        reads.clear()
        later = now + passed
        monkeypatch.setattr(time, "time", partial(float, later))
        _, after = state_directory.memories(state)
        assert (reads == [directory_of(home) / "history.gz"]) == is_read
        assert after.complete_at == (now if is_read else later)


def test_state_is_stored_at_once(state_directory: StateDirectory, home: Path) -> None:
    stored = state_directory.take_sequence(State(complete_at=3.5))
    assert json.loads((directory_of(home) / "state.json").read_text()) == {
        "sequence": stored.sequence,
        "complete_at": 3.5,
    }


def test_the_machine_of_a_host_is_remembered_unless_it_was_named_or_another_host_has_reported(
    state_directory: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine_of_host(URL) is None
    state_directory.save_machine("1", is_host=True)
    assert machine_of_host(URL) == "1"
    monkeypatch.setattr(socket, "gethostname", lambda: "another host with this home directory")
    assert machine_of_host(URL) is None
    state_directory.save_machine("2", is_host=False)
    assert machine_of_host(URL) is None
    assert ThisMachine(URL).is_it({"id": "2", "name": "named"})
