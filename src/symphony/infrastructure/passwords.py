"""Password hashes: Argon2id (RFC 9106), away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")


class Argon2Passwords:
    """Hashes in threads of its own, so many at a time and no more.

    Argon2 takes tens of milliseconds of a core and releases Python's lock: in a thread it stops
    nobody, and with one thread less than cores it leaves room for everybody else.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        # OWASP's password storage sheet: 19 MiB, two passes, one lane.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._nobody = self._hasher.hash("nobody")

    async def hash(self, password: str) -> str:
        return await self._run(partial(self._hasher.hash, password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Against None it takes as long as against a hash, and is false."""
        matches = await self._run(partial(self._matches, password_hash or self._nobody, password))
        return matches and password_hash is not None

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
