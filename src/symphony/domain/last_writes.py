"""The mark of each user's last write, by which a replica shows whether it has that write."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class UserState:
    """What the primary says about a user before a replica is asked."""

    token_generation: int
    last_write: UUID | None
    """The mark of the last write; None if none was marked."""


class LastWriteRepository(ABC):
    """The marks. Each is unique, so equal marks are the same write, whatever failed over since."""

    @abstractmethod
    async def find(self, user_id: UUID) -> UserState | None:
        """Return the state of a user; None if there is no such user."""

    @abstractmethod
    async def record(self, user_id: UUID, mark: UUID) -> None:
        """Mark the unit of work as the last write of a user, unless it has deleted the user.

        The last statement before the commit: until then, it keeps other writes of the user waiting.
        """
