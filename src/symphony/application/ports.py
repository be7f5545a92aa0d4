"""What the application needs from outside, except for the database."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from symphony.domain.vaults.keys import Derivation


class Overloaded(Exception):
    """The queue is full: another caller would wait too long."""


class PasswordHasher(Protocol):
    """Slow by intent. Runs outside the event loop, with a concurrency limit. Raises: Overloaded."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password matches; against None it takes the same time and returns False."""
        ...


class PassphraseKeys(Protocol):
    """Derives keys from passphrases: slow by intent, outside the event loop, with a concurrency
    limit."""

    def derivation(self, salt: bytes | None = None) -> Derivation:
        """The parameters for new keys; with a random salt by default."""
        ...

    async def key(self, passphrase: bytes, derivation: Derivation) -> bytes:
        """Raises: Overloaded."""
        ...


class AccessTokens(Protocol):
    """Signed tokens that identify a user for a limited time."""

    lifetime: int
    """Seconds."""

    def issue(self, user_id: UUID) -> str: ...

    def read(self, token: str) -> tuple[UUID, datetime] | None:
        """The user and the expiry time; None for a token that is foreign, tampered or expired."""
        ...
