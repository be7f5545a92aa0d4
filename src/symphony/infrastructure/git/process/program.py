"""Runs of git: with an environment of their own and limits; each can be stopped at any time."""

import os
import selectors
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen

from symphony.infrastructure.git.files.stopping import Stopped
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.process.group_memory import GroupMemory
from symphony.infrastructure.git.process.resource_limits import CAN_LIMIT_OTHERS, ResourceLimits

_MAX_ERROR_OUTPUT = 1 << 16  # bytes
_CHUNK = 1 << 16  # bytes

# The environment of git, to which each call adds its own variables. Some of these forbid
# features that no private git directory uses; they cost nothing.
_ENVIRONMENT = {
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
    # For a single allocation: enough for the largest index. An object of a few bytes can claim to
    # be of any size.
    "GIT_ALLOC_LIMIT": "512m",
    # glibc reserves address space for each thread otherwise.
    "MALLOC_ARENA_MAX": "1",
}
MEMORY_SETTINGS = (
    ("core.packedGitWindowSize", "32m"),
    ("core.packedGitLimit", "256m"),
    ("core.preloadIndex", "false"),
    ("index.threads", "1"),
    ("pack.threads", "1"),
)
"""With these, all the work of real repositories fits into the limit of memory: git maps packs in
windows of 1 GiB otherwise, and each thread reserves address space for its stack."""
_GROUP_MEMORY = GroupMemory()


def _search_path() -> str:
    return os.environ.get("PATH", os.defpath)


@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """The options of all runs of git."""

    search_path: str = field(default_factory=_search_path)
    """The directories in which git and ssh are searched: by default the operator's `PATH`."""
    max_output: int = 16 << 20
    """The limit of output that is kept in memory, in bytes."""
    limits: ResourceLimits = field(default_factory=ResourceLimits)
    """The limits of each process."""


def config_variables(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return environment variables that give git these settings (git-config(1),
    `GIT_CONFIG_COUNT`), in which no value can become another setting."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


def config_text(settings: Sequence[tuple[str, str]]) -> str:
    """Return the text of a configuration file with settings of our own; git reads it faster than
    variables."""
    named = ((*setting.split("."), value) for setting, value in settings)
    return "".join(f"[{section}]\n\t{name} = {value}\n" for section, name, value in named)


class GitFailed(Exception):
    """git exited with an error."""

    def __init__(self, error_output: str) -> None:
        super().__init__("git failed")
        self.error_output = error_output


class OutOfTime(Exception):
    """git was killed at the deadline of its caller."""


class Program:
    """git, run by one thread for one inspection or sync; any thread may stop it.

    The limits of its processes apply some microseconds after git was started, or milliseconds while
    other threads are busy. Where git starts other programs (`has_children`) they apply before: what
    it starts earlier would have no limits.
    """

    def __init__(self, options: ProgramOptions, *, has_children: bool = False) -> None:
        self._options = options
        self._environment = _encoded({"PATH": options.search_path, **_ENVIRONMENT})
        self._encoded_of: tuple[Mapping[str, str], dict[bytes, bytes]] | None = None
        self._git: str | None = None
        self._is_limited_first = has_children or not CAN_LIMIT_OTHERS
        self._lock = threading.Lock()
        self._running: Popen[bytes] | None = None
        self._is_stopped = False
        self._has_too_much_memory = False
        self.error_output = ""
        """The beginning of what the last run printed as errors and warnings."""

    def run(
        self,
        *arguments: str,
        directory: Path,
        variables: Mapping[str, str],
        input_file: Path | None = None,
    ) -> bytes:
        """Run git in a directory and return its output; without `input_file` it has no input.

        Raises: GitFailed, Stopped, Unreadable when git exceeds a limit, prints too much, or is not
        installed.
        """
        limit = self._options.max_output
        output = bytearray()

        def consume(chunk: bytes) -> None:
            output.extend(chunk)
            if len(output) > limit:
                raise broken(f"git printed more than {limit:,} bytes.")

        self.stream(
            *arguments,
            directory=directory,
            variables=variables,
            input_file=input_file,
            consume=consume,
        )
        return bytes(output)

    def stream(
        self,
        *arguments: str,
        directory: Path,
        variables: Mapping[str, str],
        consume: Callable[[bytes], None],
        input_file: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        """Run git and pass its output, of any length, to `consume` in chunks.

        `deadline` is a time of the monotonic clock.

        Raises: GitFailed, Stopped, Unreadable when git exceeds a limit or is not installed,
        OutOfTime at the deadline, and what `consume` raises, which kills git.
        """
        with (
            open(input_file or os.devnull, "rb") as opened,
            self._start(["git", *arguments], directory, variables, opened.fileno()) as process,
        ):
            try:
                if not self._is_limited_first:
                    self._options.limits.apply(process.pid)
                error_output = _read(process, consume, deadline)
                process.wait()
            except BaseException:
                _kill(process)
                raise
            finally:
                with self._lock:
                    self._running = None
        self.error_output = error_output.decode("utf-8", "replace")
        self._check_end(process.returncode, self.error_output)

    def stop(self) -> None:
        """Kill git and every process that it started; later runs raise Stopped."""
        with self._lock:
            self._is_stopped = True
            if self._running is not None:
                _kill(self._running)

    def check_stopped(self) -> None:
        """Raises: Stopped after `stop`; for loops of the thread that runs git."""
        if self._is_stopped:
            raise Stopped

    def limit_memory(self) -> None:
        """Kill git when it and the processes that it started take too much memory together."""
        process = self._running
        limits = self._options.limits
        if process is not None and _GROUP_MEMORY.of(process.pid) > limits.memory:
            with self._lock:
                if self._running is process:
                    self._has_too_much_memory = True
                    _kill(process)

    def _check_end(self, status: int, error_output: str) -> None:
        self.check_stopped()
        limits = self._options.limits
        if self._has_too_much_memory:
            raise broken(limits.too_much_memory())
        if status != 0:
            exceeded = limits.exceeded(status, error_output)
            raise GitFailed(error_output) if exceeded is None else broken(exceeded)

    def _start(
        self,
        command: list[str],
        directory: Path,
        variables: Mapping[str, str],
        standard_input: int,
    ) -> Popen[bytes]:
        with self._lock:
            if self._is_stopped:
                raise Stopped
            options = self._options
            if self._git is None:
                self._git = shutil.which(command[0], path=options.search_path)
            if self._git is None:
                raise broken("git is not installed on the machine that runs this service.")
            process = Popen(  # noqa: S603 - git, and arguments of our own choice
                options.limits.command(command) if self._is_limited_first else command,
                cwd=directory,
                executable=None if self._is_limited_first else self._git,
                env=self._complete(variables),
                stdin=standard_input,
                stdout=PIPE,
                stderr=PIPE,
                # A process group that can be killed as a whole, without a terminal for prompts.
                start_new_session=True,
            )
            self._has_too_much_memory = False
            self._running = process
            return process

    def _complete(self, variables: Mapping[str, str]) -> dict[bytes, bytes]:
        """Return the whole environment, encoded once for all runs with the same variables."""
        if self._encoded_of is None or self._encoded_of[0] is not variables:
            self._encoded_of = variables, {**self._environment, **_encoded(variables)}
        return self._encoded_of[1]


def _encoded(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}


def _read(process: Popen[bytes], consume: Callable[[bytes], None], deadline: float | None) -> bytes:
    """Pass on all standard output; return the beginning of the error output.

    Raises: OutOfTime.
    """
    assert process.stdout is not None  # noqa: S101 - pipes were requested
    assert process.stderr is not None  # noqa: S101
    error_output = bytearray()
    with selectors.PollSelector() as pipes:  # it needs no descriptor of its own, as epoll does
        pipes.register(process.stdout, selectors.EVENT_READ)
        pipes.register(process.stderr, selectors.EVENT_READ)
        while pipes.get_map():
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                raise OutOfTime
            for pipe, _ in pipes.select(remaining):
                chunk = os.read(pipe.fd, _CHUNK)
                if not chunk:
                    pipes.unregister(pipe.fileobj)
                elif pipe.fileobj is process.stdout:
                    consume(chunk)
                elif len(error_output) < _MAX_ERROR_OUTPUT:
                    error_output.extend(chunk)
    return bytes(error_output)


def _kill(process: Popen[bytes]) -> None:
    """Kill the process group: what git started can outlive it and keep the pipes open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
