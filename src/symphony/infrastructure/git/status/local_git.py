"""Git repositories on this machine's disk: a queue of inspections, each with a time limit."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.domain.base import utc_now
from symphony.domain.git.assessment import assess
from symphony.domain.git.disposal import Disposal, unknown_disposal
from symphony.domain.git.status import Directory, Git, RepoState, RepoStatus
from symphony.domain.git.work import RemoteHeads
from symphony.infrastructure.git.confinement.confinement import Confinement, ConfinementFailed
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.disposal.search import DisposalSearch
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.user_config import (
    UserConfig,
    UserConfigUnusable,
    read_user_config,
)
from symphony.infrastructure.git.history.memory import Memories
from symphony.infrastructure.git.identity.identity import Identification, RepositoryIdentity
from symphony.infrastructure.git.identity.remote_heads import remote_to_ask
from symphony.infrastructure.git.process.fair_queue import FairQueue, QueueTimeout, UserQueue
from symphony.infrastructure.git.process.machine_memory import concurrency_within
from symphony.infrastructure.git.process.program import Program, ProgramOptions, Stopped
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.process.watching import wait_watched
from symphony.infrastructure.git.status.inspector import MAX_COPIED, Inspector

_CPUS = os.cpu_count() or 1
_LOG = logging.getLogger("symphony")
_USER_CONFIG = (
    "The git configuration of the service's user cannot be used; the log of the service says why."
)
T = TypeVar("T")
Inspect = Callable[[Inspector], T]


@dataclass(frozen=True, slots=True)
class InspectionLimits:
    """The limits of inspections.

    Times are in seconds: `time_limit` for the inspection and again for the wait in the queue,
    `watch_interval` between two measurements of the memory that git takes. The total
    concurrency is four times that of a user, so four users have to be stuck before others wait.
    `max_queued` per user is work for a few seconds.
    """

    time_limit: float = 10
    concurrency_per_user: int = 2 * _CPUS
    concurrency: int = 8 * _CPUS
    max_queued: int = 200
    max_copied: int = MAX_COPIED
    watch_interval: float = 0.25
    program: ProgramOptions = field(default_factory=ProgramOptions)

    def within(self, memory: int) -> Self:
        """Return the limits with which all inspections together take this much memory, in bytes."""
        total, per_user = concurrency_within(
            memory, self.program.limits.memory, self.concurrency, self.concurrency_per_user
        )
        return replace(self, concurrency=total, concurrency_per_user=per_user)


class LocalGit(Git):
    """Inspections of repositories in the git roots, in threads.

    Raises Overloaded when the queue of the user is full, the wait in it takes too long, or the
    service is stopping.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        limits: InspectionLimits | None = None,
        detect: DetectLandlock = detect_landlock,
        *,
        use_user_config: bool = False,
        user_config: UserConfig | None = None,
        memories: Memories | None = None,
    ) -> None:
        """`use_user_config`: each inspection reads the git configuration of the user again;
        otherwise `user_config` is used. `memories` has what earlier inspections asked git, also
        those of another process."""
        directories = tuple(roots)
        self._limits = limits or InspectionLimits()
        self._roots = GitRoots(directories)
        self._confinement = Confinement(directories, self._limits.program.search_path, detect)
        self._use_user_config = use_user_config
        self._user_config = user_config
        self._temporary = ServiceTemporaryDirectory()
        self._queue = FairQueue(
            "git", per_user=self._limits.concurrency_per_user, total=self._limits.concurrency
        )
        self._programs = set[Program]()
        self._memories = Memories() if memories is None else memories

    async def status(
        self, user_id: UUID, path: str, synced: RemoteHeads | None = None
    ) -> RepoStatus:
        requested_at = utc_now()

        def inspect(inspector: Inspector) -> RepoStatus:
            return inspector.inspect(path, synced, memories=self._memories)

        def not_inspected(reason: str) -> RepoStatus:
            return RepoStatus(state=RepoState.ERROR, reason=reason, observed_at=requested_at)

        return await self._inspect(user_id, inspect, not_inspected)

    async def identified_status(
        self, user_id: UUID, path: str, synced: RemoteHeads | None = None
    ) -> tuple[RepoStatus, RepositoryIdentity]:
        """As `status`, with what the repository is recognized by elsewhere. Raises: Overloaded."""
        requested_at = utc_now()

        def inspect(inspector: Inspector) -> tuple[RepoStatus, RepositoryIdentity]:
            identification = Identification(synced)
            status = inspector.inspect(path, synced, identification.visit, self._memories)
            return status, identification.identity

        def not_inspected(reason: str) -> tuple[RepoStatus, RepositoryIdentity]:
            status = RepoStatus(state=RepoState.ERROR, reason=reason, observed_at=requested_at)
            return status, RepositoryIdentity()

        return await self._inspect(user_id, inspect, not_inspected)

    async def remote_address(self, user_id: UUID, path: str) -> str | None:
        """Return the address of the remote to ask about a repository, with its credentials.

        None without a remote, or when the repository cannot be read. Raises: Overloaded.
        """

        def read(inspector: Inspector) -> str | None:
            try:
                with inspector.open(path) as private:
                    return remote_to_ask(private.config, private.branch)
            except (Unreadable, OSError):
                return None  # the inspection says why

        return await self._inspect(user_id, read, lambda _: None)

    async def disposal(
        self, user_id: UUID, path: str, synced: RemoteHeads | None = None
    ) -> Disposal:
        requested_at = utc_now()

        def inspect(inspector: Inspector) -> Disposal:
            search = DisposalSearch(synced)
            # Without `synced`: a branch that a sync saw may have been deleted at the remote since.
            status = inspector.inspect(path, visit=search.visit)
            return assess(status, search.findings(status))

        def not_inspected(reason: str) -> Disposal:
            return unknown_disposal(reason, requested_at)

        return await self._inspect(user_id, inspect, not_inspected)

    async def statuses(
        self, user_id: UUID, directories: Iterable[Directory], within: float
    ) -> Mapping[Directory, RepoStatus]:
        statuses = dict[Directory, RepoStatus]()
        remaining = iter(directories)

        async def inspect_remaining() -> None:
            for directory in remaining:
                with suppress(QueueTimeout):
                    statuses[directory] = await self.status(
                        user_id, directory.path, directory.synced
                    )

        # No more tasks than the user may have threads, so that a single status is queued behind few
        # of these.
        tasks = [
            asyncio.create_task(inspect_remaining())
            for _ in range(self._limits.concurrency_per_user)
        ]
        try:
            done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return statuses

    def close(self) -> None:
        """Stop the running inspections and remove the temporary directory."""
        for program in self._programs:
            program.stop()
        self._queue.close()
        self._temporary.close()

    async def _inspect(
        self, user_id: UUID, inspect: Inspect[T], not_inspected: Callable[[str], T]
    ) -> T:
        """Run an inspection in the queue of the user; `not_inspected` returns the result when it
        cannot be completed, for a reason."""
        queue = self._queue.for_user(user_id)
        with queue.slot(self._limits.max_queued):
            return await self._inspect_queued(queue, inspect, not_inspected)

    async def _inspect_queued(
        self, queue: UserQueue, inspect: Inspect[T], not_inspected: Callable[[str], T]
    ) -> T:
        limits = self._limits
        program = Program(limits.program)
        self._programs.add(program)
        try:
            confined = partial(self._inspect_confined, inspect, program)
            inspection = await queue.submit(confined, limits.time_limit)
            async with asyncio.timeout(limits.time_limit):
                return await wait_watched(inspection, program.limit_memory, limits.watch_interval)
        except TimeoutError:
            reason = f"The inspection took longer than {limits.time_limit} seconds."
        except ConfinementFailed as failed:
            reason = str(failed)
        except UserConfigUnusable as unusable:
            _LOG.warning("the git configuration of this user cannot be used: %s", unusable)
            reason = _USER_CONFIG
        except Stopped:
            raise Overloaded from None  # the service is stopping
        except Overloaded:
            raise
        except OSError as error:
            cause = error.strerror or "unknown error"
            reason = f"The service cannot use its temporary directory: {cause}."
        except Exception:  # one repository must not make a whole board fail
            _LOG.exception("an inspection failed")
            reason = "The inspection failed unexpectedly; the log of the service has the error."
        finally:
            # The caller may have been cancelled: then git, and the thread that runs it, are not
            # needed any more. The thread removes its temporary files.
            program.stop()
            self._programs.discard(program)
        return not_inspected(reason)

    def _inspect_confined(self, inspect: Inspect[T], program: Program) -> T:
        user_config = read_user_config() if self._use_user_config else self._user_config
        with tempfile.TemporaryDirectory(dir=self._temporary.path) as own:
            directory = Path(own)
            inspector = Inspector(
                self._roots, directory, program, self._limits.max_copied, user_config
            )
            return self._confinement.run_in_roots(partial(inspect, inspector), writable=directory)
