"""Password hashes: Argon2id (RFC 9106), away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from symphony.application.ports import Overloaded

T = TypeVar("T")
# OWASP's password storage sheet: 19 MiB, two passes, one lane.
TIME_COST = 2
MEMORY_COST = 19_456  # KiB
MAX_WAITING = 200  # a few seconds of work


class Argon2Passwords:
    """Hashes in threads of its own, so many at a time and no more.

    Argon2 takes tens of milliseconds of a core and releases Python's lock: in a thread it stops
    nobody, and with one thread less than cores it leaves room for everybody else.
    """

    def __init__(self, threads: int) -> None:
        self._waiting = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._hasher = _hasher(TIME_COST, MEMORY_COST)
        self._nobody = _hash_of_nobody(TIME_COST, MEMORY_COST)

    async def hash(self, password: str) -> str:
        return await self._run(partial(self._hasher.hash, _encoded(password)))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Against None it takes as long as against a hash, and is false."""
        matches = await self._run(partial(self._matches, password_hash or self._nobody, password))
        return matches and password_hash is not None

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Overloaded
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _hasher(time_cost: int, memory_cost: int) -> PasswordHasher:
    return PasswordHasher(time_cost, memory_cost, parallelism=1)


@lru_cache
def _hash_of_nobody(time_cost: int, memory_cost: int) -> str:
    """What a password is compared with when there is no account: once a process."""
    return _hasher(time_cost, memory_cost).hash("nobody")


def _encoded(password: str) -> bytes:
    # Whatever somebody tries is merely wrong, even what is no text.
    return password.encode("utf-8", "surrogatepass")
