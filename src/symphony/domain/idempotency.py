"""Idempotency keys: a request that is sent twice does its work once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from symphony.domain.base import Entity
from symphony.domain.errors import DomainError
from symphony.domain.reach import Reach

# What a request creates: one entity, or several of one noun.
Creation: TypeAlias = Entity | Sequence[Entity]

KEPT_FOR = timedelta(hours=24)
KEPT_BYTES = 67_108_864
"""Per user: the oldest keys with more than this in later ones are removed before their time."""
LEAST_KEPT_BYTES = 8192
"""What a key counts at least, so that a user has 8,192 keys at most."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key that a caller has chosen for one request, and a keyed hash of the request.

    The tokens of a user share their keys, except that each confined one has keys of its own.
    """

    reach: Reach
    key: str
    fingerprint: bytes


class KeyReused(DomainError):
    """The key was used for another request."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency-key-reused",
            "The idempotency key was used for another request; use a new key.",
        )


class CreationGone(DomainError):
    """What a confined token created under the key is no longer there for it."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency-key-reused",
            "What was created under the idempotency key no longer exists; use a new key.",
        )


class IdempotencyKeyRepository(ABC):
    """The keys of the last 24 hours, each with the entities that were created under it.

    A user's keys are removed earlier, the oldest first, when they take more than `KEPT_BYTES`.

    For a confined token, each method raises CreationGone unless the token still reaches all of
    these entities. It cannot tell what was deleted from what was moved to another workspace.
    """

    @abstractmethod
    async def claim(self, key: IdempotencyKey) -> Creation | None:
        """Claim a key for this unit of work, or return the entities that were created under it.

        Waits for another unit of work that has claimed the same key. Raises: KeyReused.
        """

    @abstractmethod
    async def created(self, key: IdempotencyKey) -> Creation | None:
        """Return what was created under a key, whatever the fingerprint is."""

    @abstractmethod
    async def replay(self, key: IdempotencyKey) -> Creation | None:
        """Return what was created under a key, without a claim. Raises: KeyReused."""

    @abstractmethod
    async def save(self, key: IdempotencyKey, created: Creation) -> None:
        """Store the entities that were created under a key that this unit of work has claimed.

        There is at least one; several have the same noun.
        """
