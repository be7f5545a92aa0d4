"""What a reporter keeps on disk: the sequence of its last report, what git has
answered, and a lock."""

import json
import os
import stat
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from symphony.client.credentials import create_private_directory, write_private_file
from symphony.client.documents import as_object
from symphony.client.errors import ClientError
from symphony.client.this_machine import remember_machine, reports_directory
from symphony.infrastructure.git.history.memory import Memories
from symphony.infrastructure.git.history.stored_memories import read_memories, write_memories

MAX_SEQUENCE = (1 << 63) - 1
_COMPLETE_EVERY = 24 * 60 * 60  # seconds
_OTHERS_MAY_WRITE = 0o022


class AnotherReporter(ClientError):
    """Another process of this user reports to the same server."""


@dataclass(frozen=True, slots=True)
class State:
    """`sequence` is that of the last report, which may not have arrived. `complete_at` is when the
    last inspection began that used nothing of those before, in seconds since 1970."""

    sequence: int = 0
    complete_at: float = 0.0


class StateDirectory:
    """The files of the reports to one server: in `$XDG_STATE_HOME/symphony`, for this user only."""

    def __init__(self, url: str) -> None:
        """Raises: ClientError."""
        self._url = url
        self._directory = reports_directory(url)
        parent = self._directory.parent
        try:
            for each in (parent.parent, parent, self._directory):
                create_private_directory(each)
                _require_own(each)
        except OSError as error:
            raise _unusable(self._directory, error) from None

    @contextmanager
    def locked(self) -> Generator[None]:
        """Let only one process report to the server. Raises: AnotherReporter, ClientError."""
        lock = FileLock(self._directory / "lock", timeout=0, mode=0o600)
        running = self._directory / "running.json"
        try:
            lock.acquire()
        except Timeout:
            raise AnotherReporter(_another(running)) from None
        except OSError as error:
            raise _unusable(self._directory, error) from None
        try:
            for left in self._directory.glob(".*"):  # by a process that was killed
                left.unlink(missing_ok=True)
            write_private_file(running, json.dumps({"pid": os.getpid(), "since": _now()}))
            yield
        except OSError as error:
            raise _unusable(self._directory, error) from None
        finally:
            with suppress(OSError):
                running.unlink(missing_ok=True)
            lock.release()

    def load(self) -> State:
        """Return the state; a new one when there is none, or it is damaged."""
        try:
            return _parsed((self._directory / "state.json").read_text())
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return State()

    def save(self, state: State) -> State:
        """Store the state at once or not at all. Raises: ClientError."""
        try:
            write_private_file(self._directory / "state.json", json.dumps(asdict(state)) + "\n")
        except OSError as error:
            raise _unusable(self._directory, error) from None
        return state

    def save_machine(self, machine_id: str, *, is_host: bool) -> None:
        """Store as which machine this one reports; `is_host` unless a name was given for it.

        Raises: ClientError.
        """
        try:
            remember_machine(self._url, machine_id, is_host=is_host)
        except OSError as error:
            raise _unusable(self._directory, error) from None

    def take_sequence(self, state: State, *, above: int = 0) -> State:
        """Return the state with the sequence of the next report, which is stored.

        It is greater than all that were taken before and than `above`, also when the clock was set
        back: otherwise it is the time in milliseconds. Raises: ClientError.
        """
        sequence = max(state.sequence + 1, above + 1, time.time_ns() // 1_000_000)
        if sequence > MAX_SEQUENCE:
            raise ClientError(
                "The sequence of this machine's reports cannot grow any more. Delete the machine,"
                " and report again."
            )
        return self.save(replace(state, sequence=sequence))

    def memories(self, state: State) -> tuple[Memories, State]:
        """Return what earlier inspections asked git; nothing once a day, with the new state."""
        now = time.time()
        if 0 <= now - state.complete_at < _COMPLETE_EVERY:
            return read_memories(self._directory / "history.gz"), state
        return Memories(), replace(state, complete_at=now)

    def save_memories(self, memories: Memories) -> None:
        """Store what the inspections asked git; a failure costs only the next report time."""
        with suppress(OSError):
            descriptor, name = tempfile.mkstemp(prefix=".history.", dir=self._directory)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    write_memories(memories, file)
                Path(name).replace(self._directory / "history.gz")
            except BaseException:
                with suppress(OSError):
                    Path(name).unlink()
                raise


def _require_own(directory: Path) -> None:
    """Raises: ClientError, OSError."""
    status = directory.stat()
    if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
        mode = stat.S_IMODE(status.st_mode)
        raise ClientError(
            f"Other users may write to {directory} (mode {mode:04o}): what it says may be theirs."
            " Check what it contains and run `chmod 700` on it, or delete it."
        )


def _parsed(text: str) -> State:
    """Raises: ValueError, KeyError, TypeError."""
    stored = as_object(json.loads(text)) or {}
    state = State(int(stored["sequence"]), float(stored["complete_at"]))
    return state if 0 <= state.sequence <= MAX_SEQUENCE else State()


def _another(running: Path) -> str:
    try:
        stored = as_object(json.loads(running.read_text())) or {}
        who = f"process {int(stored['pid'])}, since {stored['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "its process is not known yet"
    return f"Another reporter is running ({who}). Only one at a time can report to a server."


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unusable(directory: Path, error: OSError) -> ClientError:
    return ClientError(f"Cannot use {directory}: {error.strerror or 'unknown error'}.")
