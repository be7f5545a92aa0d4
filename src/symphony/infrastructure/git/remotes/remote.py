"""Asking remotes: so many at once, each with an end, and each repo's by one at a time."""

import asyncio
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.domain.base import utc_now
from symphony.domain.sync import RemoteFailed, Remotes, RemoteState, RemoteTimeout
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.fair_queue import FairQueue
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import Program, Stopped
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.process.threads import start_thread
from symphony.infrastructure.git.remotes import mirrors
from symphony.infrastructure.git.remotes.address import (
    Address,
    LookUp,
    RemoteAddress,
    system_look_up,
)
from symphony.infrastructure.git.remotes.mirrors import Mirror, Mirrors
from symphony.infrastructure.git.remotes.repository import RemoteRepository, short
from symphony.infrastructure.git.status.inspector import Inspector

TIME_LIMIT = 30  # seconds, and as many again to wait for a turn
AT_ONCE = 8  # of one user
IN_ALL = 4 * AT_ONCE  # they wait for the network most of the time
MAX_WAITING = 16  # of one user, those at work included
_PAUSE = 0.5  # seconds between two looks at the size of what is fetched


class RemoteGit(Remotes):
    """Asks with git, in threads of its own.

    Raises Overloaded when too many of a user wait already, or one has waited too long.

    Mirrors are kept in `folder`; without one they end with the process.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        folder: Path | None,
        *,
        allow_private: bool,
        look_up: LookUp = system_look_up,
    ) -> None:
        self._roots = Roots(roots)
        self._allow_private = allow_private
        self._look_up = look_up
        self._temporary = ServiceTemporaryDirectory()
        self._mirrors = Mirrors(self._temporary.path / "mirrors" if folder is None else folder)
        self._queue = FairQueue("remote", of_one=AT_ONCE, in_all=IN_ALL)
        self._programs = set[Program]()

    async def sync(self, user_id: UUID, repo_id: UUID, path: str, remote_url: str) -> RemoteState:
        remote = RemoteAddress.parsed(remote_url)
        line = self._queue.line(user_id)
        program = Program()
        self._programs.add(program)
        try:
            with line.place(MAX_WAITING):
                began = time.monotonic()
                async with asyncio.timeout(TIME_LIMIT):
                    address = await remote.looked_up(
                        self._look_up, allow_private=self._allow_private
                    )
                left = TIME_LIMIT - (time.monotonic() - began)
                asking = partial(self._ask, program, remote, address, repo_id, path)
                work = await line.begin(asking, TIME_LIMIT)
                async with asyncio.timeout(left):
                    return await self._bounded(work, self._mirrors.of(repo_id))
        except TimeoutError:
            raise RemoteTimeout(TIME_LIMIT) from None
        except Stopped:
            raise Overloaded from None  # the service is being stopped
        except OSError as error:
            words = error.strerror or "unknown"
            raise RemoteFailed(f"This service cannot keep what it fetches: {words}.") from None
        finally:
            # Whoever waited may be gone. The thread finds git ended, and gives the mirror back.
            program.stop()
            self._programs.discard(program)

    async def forget(self, repo_id: UUID) -> None:
        await asyncio.wrap_future(start_thread(partial(self._mirrors.remove, repo_id), "mirror"))

    def close(self) -> None:
        """Ends what is still running, and removes the temporary folder."""
        for program in self._programs:
            program.stop()
        self._queue.close()
        self._temporary.close()

    async def _bounded(self, work: "asyncio.Future[RemoteState]", mirror: Mirror) -> RemoteState:
        """Waits for the work, for as long as what it fetches is not too much."""
        try:
            while not (await asyncio.wait([work], timeout=_PAUSE))[0]:
                if (
                    await asyncio.wrap_future(start_thread(mirror.size, "mirror"))
                    > mirrors.MAX_SIZE
                ):
                    raise RemoteFailed(f"It sends more than {mirrors.MAX_SIZE:,} bytes.")
            return work.result()
        finally:
            work.cancel()

    def _ask(
        self, program: Program, remote: RemoteAddress, address: Address, repo_id: UUID, path: str
    ) -> RemoteState:
        """Raises: SyncInProgress, RemoteFailed, Stopped."""
        with (
            self._mirrors.held(repo_id) as mirror,
            tempfile.TemporaryDirectory(dir=self._temporary.path) as folder,
            _opened(Inspector(self._roots, self._temporary.path, program), path) as private,
        ):
            asked = RemoteRepository(remote, address, mirror, program, Path(folder))
            asked_at = utc_now()
            listing = asked.listed()
            branches = dict(listing.branches)
            branch = None if private is None else _counterpart(private, remote)
            ahead, behind = None, None
            if private is not None and branch is not None and branch in branches:
                # Which may be a newer one than a moment ago.
                branches[branch] = asked.fetch(branch, listing)
                ahead, behind = _counted(private, branches[branch], mirror)
            return RemoteState(
                branches={short(name): commit for name, commit in branches.items()},
                default_branch=None if listing.default is None else short(listing.default),
                ahead=ahead,
                behind=behind,
                synced_at=asked_at,
            )


@contextmanager
def _opened(inspector: Inspector, path: str) -> Generator[PrivateDirectory | None]:
    """The repository in a folder; None when it cannot be read."""
    with ExitStack() as stack:
        private = None
        with suppress(Unreadable, OSError):
            private = stack.enter_context(inspector.opened(inspector.folder(path)))
        yield private


def _counterpart(private: PrivateDirectory, asked: RemoteAddress) -> str | None:
    """The full name that the branch that is checked out has at the remote, if it is there."""
    branch, config = private.branch, private.config
    if branch is None:
        return None
    # Whoever has given it another name there has it as the branch's upstream.
    upstream = config.first(f"branch.{branch}.merge")
    remote = config.last(f"branch.{branch}.remote")
    if upstream is not None and remote is not None:
        # In place of a remote's name there may be an address.
        url = config.first(f"remote.{remote}.url") or remote
        if asked.is_also_at(url):
            return upstream
    return f"refs/heads/{branch}"


def _counted(
    private: PrivateDirectory, commit: str, mirror: Mirror
) -> tuple[int, int] | tuple[None, None]:
    """How many commits only HEAD has, and how many only the other one."""
    with suppress(Unreadable):
        counted = private.beside(mirror.objects).git(
            "rev-list", "--left-right", "--count", f"HEAD...{commit}", "--"
        )
        ahead, behind = map(int, counted.split())
        return ahead, behind
    return None, None
