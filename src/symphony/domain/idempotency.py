"""Requests that may be sent twice and must do their work once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from symphony.domain.base import Entity
from symphony.domain.errors import DomainError

# What a request makes: one thing, or several at once.
Creation: TypeAlias = Entity | Sequence[Entity]

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A user's own name for one request, and a keyed hash of what it asks for."""

    user_id: UUID
    key: str
    fingerprint: bytes


class KeyReused(DomainError):
    """The key has been used for something else."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency-key-reused",
            "This Idempotency-Key was sent before with another request; use a new one.",
        )


class IdempotencyKeys(ABC):
    """The keys of the last 24 hours, each with what was made under it."""

    @abstractmethod
    async def claim(self, key: IdempotencyKey) -> Creation | None:
        """Claims a key for this unit of work, or gives what was made under it.

        Waits for another unit of work that has claimed the same key. Raises: KeyReused.
        """

    @abstractmethod
    async def knows(self, key: IdempotencyKey) -> bool:
        """Whether anything was made under a key, whatever was asked for."""

    @abstractmethod
    async def keep(self, key: IdempotencyKey, made: Creation) -> None:
        """Keeps what was made under a key that this unit of work has claimed.

        Several things are of one noun, and at least one.
        """
