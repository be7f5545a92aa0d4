"""Password hashes: Argon2id (RFC 9106), computed outside the event loop."""

from functools import lru_cache, partial

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from symphony.application.ports import Requester
from symphony.infrastructure.argon2_costs import PASSWORD_COST, Argon2Cost
from symphony.infrastructure.hashing_threads import HashingThreads


class Argon2Passwords:
    """Hashes of passwords, and comparisons of passwords with hashes."""

    def __init__(self, threads: HashingThreads, cost: Argon2Cost = PASSWORD_COST) -> None:
        self._threads = threads
        self._hasher = _hasher(cost)
        self._decoy_hash = _decoy_hash(cost)

    async def hash(self, password: str, requester: Requester) -> str:
        return await self._threads.run(partial(self._hasher.hash, _encoded(password)), requester)

    async def verify(self, password: str, password_hash: str | None, requester: Requester) -> bool:
        """Compare; without a hash it takes the same time, and returns False."""
        work = partial(self._matches, password_hash or self._decoy_hash, password)
        is_right = await self._threads.run(work, requester) and password_hash is not None
        if is_right:
            self._threads.remember(requester)
        return is_right

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False


def _hasher(cost: Argon2Cost) -> PasswordHasher:
    return PasswordHasher(cost.passes, cost.memory, parallelism=cost.lanes)


@lru_cache
def _decoy_hash(cost: Argon2Cost) -> str:
    """Return a hash to compare with when there is no account; computed once per process."""
    return _hasher(cost).hash("nobody")


def _encoded(password: str) -> bytes:
    # A password with lone surrogates is wrong, not an error.
    return password.encode("utf-8", "surrogatepass")
