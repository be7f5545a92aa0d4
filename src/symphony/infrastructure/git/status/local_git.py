"""Git repositories on this machine's disk: a queue of inspections, each with a time limit."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar
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
from symphony.infrastructure.git.process.program import Program, Stopped
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.process.watching import wait_watched
from symphony.infrastructure.git.status.inspector import Inspector
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.worker_messages import Inspected, WorkerSetup
from symphony.infrastructure.git.status.worker_pool import (
    InspectionWorker,
    InspectionWorkers,
    Shares,
    WorkerEnded,
)

_LOG = logging.getLogger("symphony")
_USER_CONFIG = (
    "The git configuration of the service's user cannot be used; the log of the service says why."
)
_UNEXPECTED = "The inspection failed unexpectedly; the log of the service has the error."
_MARGIN = 5.0  # seconds
T = TypeVar("T")
Inspect = Callable[[Inspector], T]


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
        landlock = detect()
        self._confinement = Confinement(
            directories, self._limits.program.search_path, lambda: landlock
        )
        self._use_user_config = use_user_config
        self._user_config = user_config
        self._temporary = ServiceTemporaryDirectory()
        self._queue = FairQueue(
            "git", per_user=self._limits.concurrency_per_user, total=self._limits.concurrency
        )
        self._programs = set[Program]()
        self._memories = Memories() if memories is None else memories
        self._workers = InspectionWorkers(
            WorkerSetup(directories, self._limits, landlock, use_user_config, user_config),
            self._limits.worker_processes,
        )

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
        wanted = list(directories)
        with self._workers.lent(len(wanted)) as workers:
            shares = Shares(wanted, len(workers) or 1)

            async def inspect_remaining(share: int, worker: InspectionWorker | None) -> None:
                while (directory := shares.next_for(share)) is not None:
                    with suppress(QueueTimeout):
                        statuses[directory] = await self._status_by(worker, user_id, directory)

            # In threads no more tasks than the user may have of them, so that a single status is
            # queued behind few of these.
            shared = list(enumerate(workers)) or [(0, None)] * self._limits.concurrency_per_user
            tasks = [asyncio.create_task(inspect_remaining(*each)) for each in shared]
            await _run_all(tasks, within)
        return statuses

    def close(self) -> None:
        """Stop the running inspections and remove the temporary directory."""
        for program in self._programs:
            program.stop()
        self._workers.close()
        self._queue.close()
        self._temporary.close()

    async def _status_by(
        self, worker: InspectionWorker | None, user_id: UUID, directory: Directory
    ) -> RepoStatus:
        """Return the status; by a thread of this process if the worker does not start."""
        if worker is not None and not worker.is_stopped:
            queue = self._queue.for_user(user_id)
            with queue.slot(self._limits.max_queued):
                status = await self._inspect_by(worker, queue, directory)
            if status is not None:
                return status
        return await self.status(user_id, directory.path, directory.synced)

    async def _inspect_by(
        self, worker: InspectionWorker, queue: UserQueue, directory: Directory
    ) -> RepoStatus | None:
        """Return the status; None if the worker did not start."""
        requested_at = utc_now()
        time_limit = self._limits.time_limit
        inspection = await queue.submit(partial(worker.inspect, directory), time_limit)
        try:
            # The worker has the same time limit; beyond it, it is stuck.
            async with asyncio.timeout(time_limit + _MARGIN):
                inspected = await asyncio.shield(inspection)
        except TimeoutError:
            reason = _too_long(time_limit)
        except WorkerEnded:
            if not worker.has_answered:
                _LOG.error("a process for inspections did not start")
                return None
            _LOG.error("a process for inspections ended unexpectedly")
            reason = _UNEXPECTED
        else:
            for line in inspected.log:
                _LOG.error("%s", line)
            return inspected.status
        finally:
            if not inspection.done():
                worker.stop()
                inspection.add_done_callback(_retrieved)
        return RepoStatus(state=RepoState.ERROR, reason=reason, observed_at=requested_at)

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
            reason = _too_long(limits.time_limit)
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
            reason = _UNEXPECTED
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


async def _run_all(tasks: Sequence[asyncio.Task[None]], within: float) -> None:
    """Wait for the tasks; cancel them after `within` seconds, or when one fails.

    Raises: the error of that one.
    """
    try:
        done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _too_long(time_limit: float) -> str:
    return f"The inspection took longer than {time_limit} seconds."


def _retrieved(inspection: "asyncio.Future[Inspected]") -> None:
    """Take the error of an inspection that nothing waits for any more."""
    if not inspection.cancelled():
        inspection.exception()
