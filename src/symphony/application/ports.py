"""What the application needs from the outside, beside the database."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from symphony.domain.vaults.keys import Derivation


class Overloaded(Exception):
    """So much is waiting that one more would wait too long."""


class PasswordHasher(Protocol):
    """Slow by intent, never on the event loop, and only so many at once. Raises: Overloaded."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password; against None it takes as long and is false."""
        ...


class PassphraseKeys(Protocol):
    """Keys from passphrases: slow by intent, never on the event loop, and only so many at once."""

    def derivation(self, salt: bytes | None = None) -> Derivation:
        """How keys are derived today, with a random salt unless one is given."""
        ...

    async def key(self, passphrase: bytes, derivation: Derivation) -> bytes:
        """Raises: Overloaded."""
        ...


class AccessTokens(Protocol):
    """Signed tokens that say for a while who somebody is."""

    lifetime: int
    """Seconds."""

    def issue(self, user_id: UUID) -> str: ...

    def read(self, token: str) -> tuple[UUID, datetime] | None:
        """Whose token this is, and when it ends; None when it is no token of ours, altered, or
        expired."""
        ...
