"""What the operating system enforces on git, and what becomes of a process that exceeds it."""

import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.program import Program, ProgramOptions
from symphony.infrastructure.git.process.resource_limits import ResourceLimits
from tests.support.repositories import running

LIMITS = ResourceLimits(memory=512 << 20, cpu_time=7, file_size=3 << 20)
HAS_CHILDREN = pytest.mark.parametrize("has_children", [False, True], ids=["alone", "children"])
NewProgram = Callable[..., Program]


@pytest.fixture
def new_program(tmp_path: Path) -> NewProgram:
    """Creates programs in which a shell script is git."""

    def create(script: str, limits: ResourceLimits, *, has_children: bool) -> Program:
        git = tmp_path / "git"
        git.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        git.chmod(0o755)
        options = ProgramOptions(search_path=str(tmp_path), limits=limits)
        return Program(options, has_children=has_children)

    return create


def run(program: Program, directory: Path) -> str:
    return program.run(directory=directory, variables={"GIT_DIR": "none"}).decode()


def limits_in(listed: str) -> dict[str, list[str]]:
    """Return the soft and the hard limits in `/proc/self/limits`."""
    return {line[:26].strip(): line[26:].split()[:2] for line in listed.splitlines()}


@HAS_CHILDREN
def test_each_process_has_limits(
    new_program: NewProgram, tmp_path: Path, *, has_children: bool
) -> None:
    wait = "" if has_children else "sleep 0.2"  # then the limits come after the start
    program = new_program(f"{wait}\ncat /proc/self/limits", LIMITS, has_children=has_children)
    limits = limits_in(run(program, tmp_path))
    assert limits["Max address space"] == [str(512 << 20)] * 2
    assert limits["Max cpu time"] == ["7", "8"]
    assert limits["Max file size"] == [str(3 << 20)] * 2
    assert limits["Max core file size"] == ["0", "0"]


@HAS_CHILDREN
def test_lower_limits_of_the_service_itself_stay(
    new_program: NewProgram, tmp_path: Path, *, has_children: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {resource.RLIMIT_CPU: 5, resource.RLIMIT_FSIZE: 1 << 20}

    def own_limits(kind: int) -> tuple[int, int]:
        return 0, own.get(kind, resource.RLIM_INFINITY)

    monkeypatch.setattr(resource, "getrlimit", own_limits)
    wait = "" if has_children else "sleep 0.2"
    program = new_program(f"{wait}\ncat /proc/self/limits", LIMITS, has_children=has_children)
    limits = limits_in(run(program, tmp_path))
    assert limits["Max cpu time"] == ["5", "5"]
    assert limits["Max file size"] == [str(1 << 20)] * 2


@HAS_CHILDREN
def test_a_file_that_grows_too_large_is_the_reason(
    new_program: NewProgram, tmp_path: Path, *, has_children: bool
) -> None:
    script = "sleep 0.1\nexec head -c 4000000 /dev/zero > large"
    program = new_program(script, LIMITS, has_children=has_children)
    with pytest.raises(Unreadable, match=r"git writes a file of more than 3,145,728 bytes\."):
        run(program, tmp_path)
    assert (tmp_path / "large").stat().st_size == 3 << 20


@pytest.mark.long
@HAS_CHILDREN
def test_processor_time_that_is_exceeded_is_the_reason(
    new_program: NewProgram, tmp_path: Path, *, has_children: bool
) -> None:
    limits = ResourceLimits(cpu_time=1)
    program = new_program("while :; do :; done", limits, has_children=has_children)
    reason = r"git needs more than 1 second of processor time\. Use git itself"
    with pytest.raises(Unreadable, match=reason):
        run(program, tmp_path)


def test_a_limit_that_ended_a_process_of_git_is_the_reason() -> None:
    limits = ResourceLimits()
    for printed in (
        "fatal: Out of memory, malloc failed (tried to allocate 5 bytes)",
        "error: inflate: out of memory\nfatal: loose object is corrupt",
        "fatal: packfile x.pack cannot be mapped: Cannot allocate memory",
        "fatal: unable to create threaded lstat: Resource temporarily unavailable",
    ):
        assert limits.exceeded(128, printed) == limits.too_much_memory()
    by_time = limits.exceeded(128, "error: index-pack died of signal 24\nfatal: fetch-pack failed")
    assert by_time == (
        "git needs more than 30 seconds of processor time. Use git itself for this repository."
    )
    for printed in (
        "fatal: not a git repository",
        "fatal: remote error: Out of memory",
        "remote: fatal: Out of memory",
        "error: index-pack died of signal 245",
    ):
        assert limits.exceeded(128, printed) is None


def test_processes_that_take_too_much_memory_together_are_killed(
    new_program: NewProgram, tmp_path: Path
) -> None:
    take = f"'{sys.executable}' -SIc 'import time; x = b\"x\" * (40 << 20); time.sleep(60)'"
    limits = ResourceLimits(memory=100 << 20)
    program = new_program(f"{take} &\n{take} &\n{take} &\nwait", limits, has_children=True)

    failures: list[str] = []

    def work() -> None:
        try:
            run(program, tmp_path)
        except Unreadable as unreadable:
            failures.append(unreadable.reason)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline:
        program.limit_memory()
        thread.join(0.05)
    program.stop()
    thread.join()
    assert failures == [
        "git needs more than 100 MiB of memory. Use git itself for this repository."
    ]
    assert running() == []
