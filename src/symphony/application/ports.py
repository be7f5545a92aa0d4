"""Ports of the application: password hashes, keys from passphrases, and access tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self
from uuid import UUID

from symphony.domain.vaults.keys import Derivation


class Overloaded(Exception):
    """The service is overloaded: a queue is full, or the wait in it is too long.

    A retry makes sense after `retry_after` seconds.
    """

    def __init__(self, reason: str = "", *, retry_after: int = 1) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Requester:
    """The party for which a slow hash is computed; each one has its own queue."""

    key: str
    has_token: bool

    @classmethod
    def account(cls, user_id: UUID) -> Self:
        """A caller with a token, or the operator who acts for a user."""
        return cls(str(user_id), has_token=True)

    @classmethod
    def address(cls, client_address: str) -> Self:
        """A caller without a token; `client_address` is the same for all requests of a client."""
        return cls(client_address, has_token=False)


class PasswordHasher(Protocol):
    """Hashes of passwords: slow by intent, outside the event loop, with a concurrency limit.

    Each method raises Overloaded.
    """

    async def hash(self, password: str, requester: Requester) -> str: ...

    async def verify(self, password: str, password_hash: str | None, requester: Requester) -> bool:
        """Return whether the password matches; a hash of None takes the same time and is False."""
        ...


class PassphraseKeys(Protocol):
    """Keys from passphrases: slow by intent, outside the event loop, with a concurrency limit."""

    def derivation(self, salt: bytes | None = None) -> Derivation:
        """The parameters for new keys; with a random salt by default."""
        ...

    async def key(self, passphrase: bytes, derivation: Derivation, requester: Requester) -> bytes:
        """Raises: Overloaded."""
        ...


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The claims of an access token: `generation` counts the passwords of the user."""

    user_id: UUID
    generation: int
    issued_at: datetime | None
    expires_at: datetime


class AccessTokens(Protocol):
    """Signed tokens that identify a user for a limited time, or until the next password."""

    lifetime: int
    """Seconds."""

    def issue(self, user_id: UUID, generation: int) -> str: ...

    def read(self, token: str) -> AccessToken | None:
        """The claims; None for a token that is invalid or expired. The generation may be old."""
        ...

    def has_expired(self, token: str) -> bool:
        """Return whether a token that `read` refuses was valid before its expiry time."""
        ...
