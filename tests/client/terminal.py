"""Commands in a pseudo-terminal, with answers to their questions."""

import os
import pty
import select
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fcntl import ioctl
from time import monotonic

_ENDS_WITHIN = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command showed on its terminal, and its exit status."""

    status: int
    text: str


def in_terminal(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    answers: Sequence[tuple[str, str]] = (),
    *,
    columns: int = 100,
    interrupts_at: str | None = None,
) -> Shown:
    """Run a command; type each answer when its question is shown, Ctrl-C at `interrupts_at`.

    Raises: TimeoutError, with what was shown.
    """
    pid, terminal = pty.fork()
    if pid == 0:  # the size is set here, so that the command cannot be quicker
        ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.execve(arguments[0], list(arguments), dict(environment))  # noqa: S606
    shown, asked_from, left = b"", 0, list(answers)
    deadline = monotonic() + _ENDS_WITHIN
    try:
        while piece := _read(terminal, deadline - monotonic()):
            shown += piece
            if left and left[0][0].encode() in shown[asked_from:]:
                asked_from = len(shown)
                os.write(terminal, f"{left.pop(0)[1]}\n".encode())
            if interrupts_at is not None and interrupts_at.encode() in shown:
                interrupts_at = None
                os.write(terminal, b"\x03")
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise TimeoutError(shown.decode(errors="replace")) from None
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    return Shown(os.waitstatus_to_exitcode(status), shown.decode(errors="replace"))


def _read(terminal: int, within: float) -> bytes:
    """Return the next piece of output; nothing at its end. Raises: TimeoutError."""
    if not select.select([terminal], [], [], max(0, within))[0]:
        raise TimeoutError
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux reports the end so
        return b""
