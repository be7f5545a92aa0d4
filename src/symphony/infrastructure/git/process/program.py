"""Running git: with nothing but what it is handed, bounded, and ended whenever that is asked."""

import os
import selectors
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen

from symphony.infrastructure.git.files.unreadable import broken

MAX_OUTPUT = 16 << 20  # bytes
_MAX_COMPLAINTS = 1 << 16  # bytes
_CHUNK = 1 << 16

# All that git knows of the world, beside what each call adds. Several of these say no to what
# nothing in a private git directory asks for; they cost nothing.
_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),  # the operator's, where git may be anywhere
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    # At a time: enough for the largest index, and an object of a few bytes can claim any size.
    "GIT_ALLOC_LIMIT": "512m",
}


def config_variables(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings as git takes them from its environment (git-config(1), `GIT_CONFIG_COUNT`)."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


class Stopped(Exception):
    """Nobody waits for the result any more."""


class GitFailed(Exception):
    """git has ended with an error, and complained in these words."""

    def __init__(self, complaint: str) -> None:
        super().__init__("git failed")
        self.complaint = complaint


class Program:
    """git, run for one observation by one thread; any other may stop it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Popen[bytes] | None = None
        self._stopped = False

    def run(
        self, *arguments: str, folder: Path, variables: Mapping[str, str], given: Path | None = None
    ) -> bytes:
        """What git prints. The file `given`, or nothing, is its standard input.

        Raises: GitFailed, Stopped, Unreadable when it prints too much or is not there.
        """
        output = bytearray()

        def take(piece: bytes) -> None:
            output.extend(piece)
            if len(output) > MAX_OUTPUT:
                raise broken(f"There is more to tell than {MAX_OUTPUT:,} bytes.")

        self.stream(*arguments, folder=folder, variables=variables, given=given, take=take)
        return bytes(output)

    def stream(
        self,
        *arguments: str,
        folder: Path,
        variables: Mapping[str, str],
        take: Callable[[bytes], None],
        given: Path | None = None,
    ) -> None:
        """Hands what git prints to `take`, piece by piece: there may be any amount of it.

        Raises: GitFailed, Stopped, Unreadable when git is not there; and what `take` raises, which
        ends git.
        """
        with (
            open(given or os.devnull, "rb") as standard_input,
            self._start(["git", *arguments], folder, variables, standard_input.fileno()) as process,
        ):
            try:
                complaints = _read(process, take)
                process.wait()
            except BaseException:
                _end(process)
                raise
            finally:
                with self._lock:
                    self._running = None
        if self._stopped:
            raise Stopped
        if process.returncode != 0:
            raise GitFailed(complaints.decode("utf-8", "replace"))

    def stop(self) -> None:
        """Ends git, and all that it may have started, now; nothing is started afterwards."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                _end(self._running)

    def _start(
        self,
        command: list[str],
        folder: Path,
        variables: Mapping[str, str],
        standard_input: int,
    ) -> Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise Stopped
            try:
                self._running = Popen(  # noqa: S603 - git, and arguments of our own choice
                    command,
                    cwd=folder,
                    env={**_ENVIRONMENT, **variables},
                    stdin=standard_input,
                    stdout=PIPE,
                    stderr=PIPE,
                    # A group that can be ended as a whole, and no terminal to ask anybody at.
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise broken("There is no git on the machine that runs this service.") from None
            return self._running


def _read(process: Popen[bytes], take: Callable[[bytes], None]) -> bytes:
    """Hands on all of standard output; the beginning of what else was said."""
    assert process.stdout is not None  # noqa: S101 - pipes were asked for
    assert process.stderr is not None  # noqa: S101
    complaints = bytearray()
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdout, selectors.EVENT_READ)
        pipes.register(process.stderr, selectors.EVENT_READ)
        while pipes.get_map():
            for pipe, _ in pipes.select():
                piece = os.read(pipe.fd, _CHUNK)
                if not piece:
                    pipes.unregister(pipe.fileobj)
                elif pipe.fileobj is process.stdout:
                    take(piece)
                elif len(complaints) < _MAX_COMPLAINTS:
                    complaints.extend(piece)
    return bytes(complaints)


def _end(process: Popen[bytes]) -> None:
    """Ends the whole group: what git has begun can outlive it, and keep the pipes open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
