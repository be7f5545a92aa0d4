"""What the application needs from the outside, beside the database."""

from typing import Protocol
from uuid import UUID


class Overloaded(Exception):
    """So much is waiting that one more would wait too long."""


class PasswordHasher(Protocol):
    """Slow by intent, never on the event loop, and only so many at once. Raises: Overloaded."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password; against None it takes as long and is false."""
        ...


class AccessTokens(Protocol):
    """Signed tokens that say for a while who somebody is."""

    lifetime: int
    """Seconds."""

    def issue(self, user_id: UUID) -> str: ...

    def user_id(self, token: str) -> UUID | None:
        """Whose token this is; None when it is no token of ours, altered, or expired."""
        ...
