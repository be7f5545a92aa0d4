"""Limits that the operating system enforces on each process of git (setrlimit(2))."""

import re
import resource
import signal
from collections.abc import Sequence
from dataclasses import dataclass

_KIB, _MIB = 1 << 10, 1 << 20
_BLOCK = 512  # bytes: the unit of `ulimit -f` (POSIX)
CAN_LIMIT_OTHERS = hasattr(resource, "prlimit")
"""Whether the limits of a running process can be changed: only Linux can."""
_ADVICE = "Use git itself for this repository."
# What git and the libraries that it uses print, with LC_ALL=C, when an allocation fails. A line
# that quotes the remote says nothing about this machine.
_NO_MEMORY = re.compile(
    r"^(?:fatal|error): (?!remote error)[^\n]{0,1000}?"
    r"(?:[Oo]ut of memory|[Cc]annot allocate memory|cannot be mapped|mmap failed"
    r"|[mc]alloc failed|unable to create (?:\w+ )?thread)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """The limits of one process: its memory in bytes of address space, its processor time in
    seconds, and the size of a file that it writes in bytes. It dumps no core.

    `memory` is also the limit for the resident memory of git and all processes that it started.
    Nearly all repositories need less than a tenth of it; docs/decisions/git.md has measurements.
    """

    memory: int = 768 * _MIB
    cpu_time: int = 30
    file_size: int = 1024 * _MIB

    def apply(self, process: int) -> None:
        """Apply the limits to a process that runs already; processes that it starts inherit them.

        Raises: OSError.
        """
        for kind, limits in self._values():
            resource.prlimit(process, kind, limits)

    def command(self, command: Sequence[str]) -> list[str]:
        """Return a command that applies the limits to itself before it runs the given one.

        A system that does not know one of the limits (macOS: memory) ignores it.
        """
        values = dict(self._values())
        soft, hard = values[resource.RLIMIT_CPU]
        settings = (
            "-c 0",
            f"-v {values[resource.RLIMIT_AS][1] // _KIB}",
            f"-f {values[resource.RLIMIT_FSIZE][1] // _BLOCK}",
            f"-S -t {soft}",  # first, since a hard limit below the soft one is refused
            f"-H -t {hard}",
        )
        script = "".join(f"ulimit {setting} 2>&-\n" for setting in settings) + 'exec "$@"'
        return ["/bin/sh", "-c", script, "sh", *command]

    def exceeded(self, status: int, error_output: str) -> str | None:
        """Return which limit stopped git, as a sentence; None when none did.

        `status` is negative for a signal, as in `Popen.returncode`.
        """
        if _was_ended_by(signal.SIGXCPU, status, error_output):
            unit = "second" if self.cpu_time == 1 else "seconds"
            return f"git needs more than {self.cpu_time} {unit} of processor time. {_ADVICE}"
        if _was_ended_by(signal.SIGXFSZ, status, error_output):
            return f"git writes a file of more than {self.file_size:,} bytes."
        if _NO_MEMORY.search(error_output):
            return self.too_much_memory()
        return None

    def too_much_memory(self) -> str:
        return f"git needs more than {self.memory // _MIB} MiB of memory. {_ADVICE}"

    def _values(self) -> list[tuple[int, tuple[int, int]]]:
        """Return the soft and the hard limit of each resource, none above those of this process.

        Beyond the soft limit of processor time, a process gets a signal that tells this limit from
        a kill by the service; one second later, at the hard limit, it is killed.
        """
        wanted = (
            (resource.RLIMIT_AS, self.memory, self.memory),
            (resource.RLIMIT_CPU, self.cpu_time, self.cpu_time + 1),
            (resource.RLIMIT_FSIZE, self.file_size, self.file_size),
            (resource.RLIMIT_CORE, 0, 0),
        )
        values: list[tuple[int, tuple[int, int]]] = []
        for kind, soft, hard in wanted:
            own = resource.getrlimit(kind)[1]
            highest = hard if own == resource.RLIM_INFINITY else min(own, hard)
            values.append((kind, (min(soft, highest), highest)))
        return values


def _was_ended_by(number: signal.Signals, status: int, error_output: str) -> bool:
    """Return whether a signal ended git, or a process that git started and waited for."""
    return status == -number or f"died of signal {number.value}\n" in f"{error_output}\n"
