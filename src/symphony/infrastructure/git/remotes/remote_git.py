"""Syncs with remotes: a queue, a time limit for each, and one sync of a repo at a time."""

import asyncio
import logging
import tempfile
import time
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.domain.base import utc_now
from symphony.domain.errors import DomainError
from symphony.domain.git.work import Comparison
from symphony.domain.sync import RemoteFailed, Remotes, RemoteState, RemoteTimeout
from symphony.infrastructure.git.confinement.confinement import Confinement, ConfinementFailed
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.fair_queue import FairQueue
from symphony.infrastructure.git.process.machine_memory import concurrency_within
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import Program, ProgramOptions, Stopped
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.process.threads import start_thread
from symphony.infrastructure.git.process.watching import wait_watched
from symphony.infrastructure.git.remotes.address import (
    RemoteAddress,
    Resolver,
    system_resolver,
)
from symphony.infrastructure.git.remotes.mirrors import Mirror, MirrorLimits, Mirrors
from symphony.infrastructure.git.remotes.public_addresses import IpAddress
from symphony.infrastructure.git.remotes.remote_repository import (
    MAX_BRANCHES,
    RemoteRepository,
    branch_name,
)
from symphony.infrastructure.git.status.inspector import Inspector

_LOG = logging.getLogger("symphony")


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """The limits of syncs; times are in seconds.

    `time_limit` is for the sync, and again for the wait in the queue. Syncs wait for the network
    most of the time, so many can run. `max_queued` per user includes the running syncs.

    The refusal of a host comes after a multiple of `refusal_interval`: its time must not reveal
    whether the service's own network has such a name. `watch_interval` is the time between two
    measurements of what git fetches and of its memory.
    """

    time_limit: float = 30
    concurrency_per_user: int = 8
    concurrency: int = 32
    max_queued: int = 16
    max_branches: int = MAX_BRANCHES
    watch_interval: float = 0.5
    refusal_interval: float = 1
    mirrors: MirrorLimits = field(default_factory=MirrorLimits)
    program: ProgramOptions = field(default_factory=ProgramOptions)

    def within(self, memory: int) -> Self:
        """Return the limits with which all syncs together take this much memory, in bytes."""
        total, per_user = concurrency_within(
            memory, self.program.limits.memory, self.concurrency, self.concurrency_per_user
        )
        return replace(self, concurrency=total, concurrency_per_user=per_user)


class RemoteGit(Remotes):
    """Syncs with remotes by git, in threads.

    Raises Overloaded when the queue of the user is full, or the wait in it takes too long.

    `mirror_directory` has the mirrors; without one they are removed when the service stops. With
    `allow_private`, all addresses and ports may be contacted; otherwise only public addresses, at
    the usual port of each scheme and at `ports`.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        mirror_directory: Path | None,
        *,
        allow_private: bool,
        ports: Collection[int] = (),
        resolver: Resolver = system_resolver,
        limits: SyncLimits | None = None,
        detect: DetectLandlock = detect_landlock,
    ) -> None:
        directories = tuple(roots)
        self._limits = limits or SyncLimits()
        self._roots = GitRoots(directories)
        self._confinement = Confinement(directories, self._limits.program.search_path, detect)
        self._allow_private = allow_private
        self._ports = ports
        self._resolver = resolver
        self._temporary = ServiceTemporaryDirectory()
        self._mirrors = Mirrors(
            mirror_directory or self._temporary.path / "mirrors", self._limits.mirrors
        )
        self._queue = FairQueue(
            "remote", per_user=self._limits.concurrency_per_user, total=self._limits.concurrency
        )
        self._programs = set[Program]()

    async def sync(self, user_id: UUID, repo_id: UUID, path: str, remote_url: str) -> RemoteState:
        time_limit = self._limits.time_limit
        remote = RemoteAddress.parse(remote_url)
        queue = self._queue.for_user(user_id)
        program = Program(self._limits.program, has_children=True)
        self._programs.add(program)
        try:
            with queue.slot(self._limits.max_queued):
                started = time.monotonic()
                async with asyncio.timeout(time_limit):
                    address = await self._resolve(remote)
                remaining = time_limit - (time.monotonic() - started)
                sync = partial(self._sync, program, remote, address, repo_id, path)
                work = await queue.submit(sync, time_limit)
                async with asyncio.timeout(remaining):
                    mirror = self._mirrors.mirror(repo_id)
                    return await wait_watched(
                        work, partial(self._check, program, mirror), self._limits.watch_interval
                    )
        except TimeoutError:
            raise RemoteTimeout(time_limit) from None
        except Stopped:
            raise Overloaded from None  # the service is stopping
        except ConfinementFailed as failed:
            raise RemoteFailed(str(failed)) from None
        except OSError as error:
            reason = error.strerror or "unknown error"
            raise RemoteFailed(f"The service cannot store what it fetches: {reason}.") from None
        except (DomainError, Overloaded):
            raise
        except Exception:
            _LOG.exception("a sync failed")
            raise RemoteFailed(
                "The sync failed unexpectedly; the log of the service has the error."
            ) from None
        finally:
            # The caller may have been cancelled. The thread then finds git killed, and unlocks the
            # mirror.
            program.stop()
            self._programs.discard(program)

    async def forget(self, repo_id: UUID) -> None:
        await asyncio.wrap_future(start_thread(partial(self._mirrors.remove, repo_id), "mirror"))

    def close(self) -> None:
        """Stop the running syncs and remove the temporary directory."""
        for program in self._programs:
            program.stop()
        self._queue.close()
        self._temporary.close()

    async def _resolve(self, remote: RemoteAddress) -> IpAddress:
        """Raises: RemoteFailed."""
        started = time.monotonic()
        try:
            address = await remote.resolve(self._resolver, allow_private=self._allow_private)
        except RemoteFailed:
            if self._limits.refusal_interval:
                elapsed = time.monotonic() - started
                await asyncio.sleep(-elapsed % self._limits.refusal_interval)
            raise
        if not self._allow_private:
            remote.require_port(self._ports)
        return address

    def _check(self, program: Program, mirror: Mirror) -> None:
        """Stop git when it takes too much memory. Raises: RemoteFailed when it fetches too much."""
        program.limit_memory()
        max_size = self._limits.mirrors.max_size
        if mirror.size() > max_size:
            raise RemoteFailed(f"The remote sends more than {max_size:,} bytes.")

    def _sync(
        self, program: Program, remote: RemoteAddress, address: IpAddress, repo_id: UUID, path: str
    ) -> RemoteState:
        """Raises: SyncInProgress, RemoteFailed, ConfinementFailed, Stopped.

        Each part is confined on its own: no thread can both read the roots and contact the remote.
        """
        with (
            self._mirrors.lock(repo_id) as mirror,
            tempfile.TemporaryDirectory(dir=self._temporary.path) as directory,
            ExitStack() as opened,
        ):
            local, contacting = Path(directory, "local"), Path(directory, "remote")
            local.mkdir()
            contacting.mkdir()
            in_roots = partial(self._confinement.run_in_roots, writable=local)
            with_network = partial(
                self._confinement.run_with_network, writable=(contacting, mirror.path)
            )
            inspector = Inspector(self._roots, local, program)
            private = in_roots(partial(_open, opened, inspector, path))
            repository = RemoteRepository(
                remote, address, mirror, program, contacting, self._limits.max_branches
            )
            requested_at = utc_now()
            branches = with_network(repository.list_branches)
            commits = dict(branches.commits)
            branch = None if private is None else _remote_branch(private, remote)
            comparison = None
            if private is not None and branch is not None and branch in commits:
                # The branch may have moved since it was listed.
                commits[branch] = with_network(partial(repository.fetch, branch, branches))
                compare = partial(_comparison, private, commits[branch], mirror)
                comparison = in_roots(compare, readable=mirror.objects)
            return RemoteState(
                branches={branch_name(ref): commit for ref, commit in commits.items()},
                default_branch=None if branches.default is None else branch_name(branches.default),
                comparison=comparison,
                tags=frozenset(branches.tags.values()),
                synced_at=requested_at,
            )


def _open(opened: ExitStack, inspector: Inspector, path: str) -> PrivateDirectory | None:
    """Open the repository at a path until the stack is closed; None when it cannot be read."""
    with suppress(Unreadable, OSError):
        return opened.enter_context(inspector.open(path))
    return None


def _remote_branch(private: PrivateDirectory, address: RemoteAddress) -> str | None:
    """Return the full ref name that the checked out branch has at the remote, if it has one."""
    branch, config = private.branch, private.config
    if branch is None:
        return None
    # A branch with another name at the remote has that one as its upstream.
    upstream = config.first(f"branch.{branch}.merge")
    remote = config.last(f"branch.{branch}.remote")
    if upstream is not None and remote is not None:
        # git accepts a URL in place of the name of a remote.
        url = config.first(f"remote.{remote}.url") or remote
        if address.is_same_remote(url):
            return upstream
    return f"refs/heads/{branch}"


def _comparison(private: PrivateDirectory, commit: str, mirror: Mirror) -> Comparison | None:
    """Compare HEAD with a commit of the remote; None when one of them cannot be read."""
    with suppress(Unreadable):
        together = private.with_objects(mirror.objects)
        head = together.git("rev-parse", "--verify", "HEAD^{commit}").decode().strip()
        output = together.git("rev-list", "--left-right", "--count", f"{head}...{commit}", "--")
        ahead, behind = map(int, output.split())
        return Comparison(head, commit, ahead, behind)
    return None
