"""Ctrl-C at a terminal ends a command, a start and a running service without an error message."""

import os
import pty
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import STARTS_WITHIN, SYMPHONY, environment

pytestmark = pytest.mark.long

CTRL_C = b"\x03"
STARTED = "Next: "


def at_a_terminal(
    arguments: tuple[str, ...], data_dir: Path, is_time: Callable[[str], bool], times: int = 1
) -> tuple[int, str]:
    """Run a command in a terminal, press Ctrl-C; return the exit status and what is shown."""
    settings = environment(data_dir)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(SYMPHONY, [str(SYMPHONY), *arguments], settings)  # noqa: S606
    shown, pressed = "", 0
    deadline = time.monotonic() + STARTS_WITHIN
    os.set_blocking(terminal, False)
    while time.monotonic() < deadline:
        try:
            part = os.read(terminal, 4096).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.02)
            part = ""
        except OSError:  # the command has ended
            break
        shown += part
        if pressed < times and is_time(shown):
            os.write(terminal, CTRL_C)
            pressed += 1
            time.sleep(0.1)
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.replace("\r", "")


def after(seconds: float) -> Callable[[str], bool]:
    start = time.monotonic()
    return lambda _shown: time.monotonic() - start > seconds


@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.8])
def test_an_interrupted_start_shows_nothing(seconds: float, tmp_path: Path) -> None:
    status, shown = at_a_terminal(("serve", "--port", "0"), tmp_path / "data", after(seconds))
    assert status in {0, 130}
    assert "Traceback" not in shown
    assert "rror" not in shown
    assert "borted" not in shown


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_service_shows_only_how_it_was_started(
    workers: str, times: int, tmp_path: Path
) -> None:
    arguments = ("serve", "--port", "0", "--workers", workers)
    status, shown = at_a_terminal(
        arguments, tmp_path / "data", lambda shown: STARTED in shown, times
    )
    assert status == 0, shown
    own = ("Symphony listens on ", "Documentation: ", "Data: ", "Registration: ", STARTED, "^C")
    assert [line for line in shown.splitlines() if line and not line.startswith(own)] == []


def test_an_interrupted_prompt_ends_with_its_status_alone(tmp_path: Path) -> None:
    arguments = ("user", "create", "ada", "--email", "ada@example.org")
    status, shown = at_a_terminal(arguments, tmp_path / "data", lambda shown: "Password" in shown)
    assert status == 130
    assert shown.replace("^C", "").strip() == "Password:"
