"""The limits of inspections."""

from dataclasses import dataclass, field, replace
from typing import Self

from symphony.infrastructure.control_groups import usable_cores
from symphony.infrastructure.git.process.machine_memory import concurrency_within
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.status.inspector import MAX_COPIED

_CPUS = usable_cores()


@dataclass(frozen=True, slots=True)
class InspectionLimits:
    """The limits of inspections.

    Times are in seconds: `time_limit` for the inspection and again for the wait in the queue,
    `watch_interval` between two measurements of the memory that git takes. The total
    concurrency is four times that of a user, so four users have to be stuck before others wait.
    `max_queued` per user is work for a few seconds. `worker_processes` inspect the repositories of
    large boards; each takes about 30 MB while it exists.
    """

    time_limit: float = 10
    concurrency_per_user: int = 2 * _CPUS
    concurrency: int = 8 * _CPUS
    max_queued: int = 200
    max_copied: int = MAX_COPIED
    watch_interval: float = 0.25
    worker_processes: int = 0 if _CPUS == 1 else min(_CPUS, 4)
    program: ProgramOptions = field(default_factory=ProgramOptions)

    def within(self, memory: int) -> Self:
        """Return the limits with which all inspections together take this much memory, in bytes."""
        total, per_user = concurrency_within(
            memory, self.program.limits.memory, self.concurrency, self.concurrency_per_user
        )
        workers = min(self.worker_processes, per_user)
        return replace(
            self, concurrency=total, concurrency_per_user=per_user, worker_processes=workers
        )
