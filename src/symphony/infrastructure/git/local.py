"""Git on this machine's disk: so many observations at once, each with an end."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from symphony.application.ports import Overloaded
from symphony.domain.git import Git, RepoState, RepoStatus
from symphony.infrastructure.git.observation import Observer
from symphony.infrastructure.git.program import Program, Stopped
from symphony.infrastructure.git.roots import Roots
from symphony.infrastructure.git.scratch import Scratch

TIME_LIMIT = 10  # seconds, waiting in line included
AT_ONCE = 2 * (os.cpu_count() or 1)
MAX_WAITING = 200  # a few seconds of work


class LocalGit(Git):
    """Looks at repositories in the allowed folders, in threads of its own.

    Raises Overloaded when too many wait already.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = Roots(roots)
        self._scratch = Scratch()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="git")
        self._programs = set[Program]()

    async def status(self, path: str) -> RepoStatus:
        if len(self._programs) >= MAX_WAITING:
            raise Overloaded
        program = Program()
        observer = Observer(self._roots, self._scratch.path, program)
        self._programs.add(program)
        try:
            async with asyncio.timeout(TIME_LIMIT):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, partial(observer.status, path)
                )
        except TimeoutError:
            return RepoStatus(
                state=RepoState.ERROR, reason=f"Reading it took longer than {TIME_LIMIT} seconds."
            )
        except Stopped:
            return RepoStatus(state=RepoState.ERROR, reason="The service is being stopped.")
        finally:
            # Whoever waited may be gone: then git and the thread that runs it have no reason to go
            # on. The thread removes what it has made.
            program.stop()
            self._programs.discard(program)

    async def statuses(self, paths: Iterable[str], within: float) -> Mapping[str, RepoStatus]:
        found = dict[str, RepoStatus]()
        waiting = iter(paths)

        async def look() -> None:
            for path in waiting:
                found[path] = await self.status(path)

        # No more at once than there are threads: whoever looks at one comes soon between them.
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
        self._threads.shutdown(cancel_futures=True)
        self._scratch.close()
