"""Password hashes: Argon2id (RFC 9106), away from the event loop."""

from functools import lru_cache, partial

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from symphony.infrastructure.hashing_threads import HashingThreads

# OWASP's password storage sheet: 19 MiB, two passes, one lane.
TIME_COST = 2
MEMORY_COST = 19_456  # KiB


class Argon2Passwords:
    """Hashes passwords, and compares them with their hashes."""

    def __init__(self, threads: HashingThreads) -> None:
        self._threads = threads
        self._hasher = _hasher(TIME_COST, MEMORY_COST)
        self._nobody = _hash_of_nobody(TIME_COST, MEMORY_COST)

    async def hash(self, password: str) -> str:
        return await self._threads.run(partial(self._hasher.hash, _encoded(password)))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Against None it takes as long as against a hash, and is false."""
        work = partial(self._matches, password_hash or self._nobody, password)
        return await self._threads.run(work) and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False


def _hasher(time_cost: int, memory_cost: int) -> PasswordHasher:
    return PasswordHasher(time_cost, memory_cost, parallelism=1)


@lru_cache
def _hash_of_nobody(time_cost: int, memory_cost: int) -> str:
    """What a password is compared with when there is no account: once a process."""
    return _hasher(time_cost, memory_cost).hash("nobody")


def _encoded(password: str) -> bytes:
    # Whatever somebody tries is merely wrong, even what is no text.
    return password.encode("utf-8", "surrogatepass")
