"""Git on this machine's disk: so many observations at once, each with an end."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.domain.base import utc_now
from symphony.domain.git import Git, RepoState, RepoStatus
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.process.fair_queue import FairQueue, QueueTimeout, UserQueue
from symphony.infrastructure.git.process.program import Program, Stopped
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.status.inspector import Inspector

TIME_LIMIT = 10  # seconds, and as many again to wait for a turn
AT_ONCE = 2 * (os.cpu_count() or 1)  # of one user
IN_ALL = 4 * AT_ONCE  # that many users have to be held up before anybody else is
MAX_WAITING = 200  # of one user: a few seconds of work


class LocalGit(Git):
    """Looks at repositories in the allowed folders, in threads of its own.

    Raises Overloaded when too many of a user wait already, one has waited too long, or the service
    is being stopped.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = Roots(roots)
        self._temporary = ServiceTemporaryDirectory()
        self._queue = FairQueue("git", of_one=AT_ONCE, in_all=IN_ALL)
        self._programs = set[Program]()

    async def status(self, user_id: UUID, path: str) -> RepoStatus:
        line = self._queue.line(user_id)
        with line.place(MAX_WAITING):
            return await self._looked_at(line, path)

    async def statuses(
        self, user_id: UUID, paths: Iterable[str], within: float
    ) -> Mapping[str, RepoStatus]:
        found = dict[str, RepoStatus]()
        waiting = iter(paths)

        async def look() -> None:
            for path in waiting:
                with suppress(QueueTimeout):
                    found[path] = await self.status(user_id, path)

        # No more at once than the user has threads: looking at one comes soon between them.
        lookers = [asyncio.create_task(look()) for _ in range(AT_ONCE)]
        try:
            done, _ = await asyncio.wait(
                lookers, timeout=within, return_when=asyncio.FIRST_EXCEPTION
            )
            for each in done:
                each.result()
        finally:
            for each in lookers:
                each.cancel()
            await asyncio.gather(*lookers, return_exceptions=True)
        return found

    def close(self) -> None:
        """Ends what is still running, and removes the temporary folder."""
        for program in self._programs:
            program.stop()
        self._queue.close()
        self._temporary.close()

    async def _looked_at(self, line: UserQueue, path: str) -> RepoStatus:
        asked_at = utc_now()
        program = Program()
        inspector = Inspector(self._roots, self._temporary.path, program)
        self._programs.add(program)
        try:
            look = await line.begin(partial(inspector.status, path), TIME_LIMIT)
            async with asyncio.timeout(TIME_LIMIT):
                return await look
        except TimeoutError:
            return RepoStatus(
                state=RepoState.ERROR,
                reason=f"Reading it took longer than {TIME_LIMIT} seconds.",
                observed_at=asked_at,
            )
        except Stopped:
            raise Overloaded from None  # the service is being stopped
        finally:
            # Whoever waited may be gone: then git and the thread that runs it have no reason to go
            # on. The thread removes what it has made.
            program.stop()
            self._programs.discard(program)
