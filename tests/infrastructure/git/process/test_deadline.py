"""Runs of git that have to end by a time."""

import os
import time
from pathlib import Path

import pytest

from symphony.infrastructure.git.process.program import OutOfTime, Program, ProgramOptions


def test_git_is_killed_at_the_deadline(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    program = Program(ProgramOptions())
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        program.stream(
            *("hash-object", "fifo"),
            directory=tmp_path,
            variables={},
            consume=lambda _: None,
            deadline=started + 0.05,
        )
    assert 0.05 <= time.monotonic() - started < 5
    assert b"git version" in program.run("version", directory=tmp_path, variables={})
