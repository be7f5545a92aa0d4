"""The storage that the entries of vaults take, and its limits per vault and per user."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from symphony.domain.errors import LimitReached

RECOUNTED_AFTER = timedelta(hours=1)
"""How long after a recount the next one of the same user is possible.

Counting 100,000 versions takes 0.1 s, in which SQLite has no other writer.
"""


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """The most bytes that all entries of a vault, and of all vaults of a user, may have."""

    per_vault: int = 67_108_864
    per_user: int = 67_108_864


class StorageLimitReached(LimitReached):
    """A change would add `added` bytes to the `used` ones, of at most `limit`."""

    def __init__(self, container: str, *, limit: int, used: int, added: int) -> None:
        detail = (
            f"The entries of {container} take {used:,} of at most {limit:,} bytes, encrypted and"
            f" with all versions; this would add {added:,}. Delete entries first."
        )
        super().__init__(noun="storage", limit=limit, used=used, detail=detail)


class StorageCounters(ABC):
    """The bytes of the encrypted entries of each vault: their keys, and all versions.

    A counter is deleted with its vault.
    """

    @abstractmethod
    async def lock(self, user_id: UUID) -> None:
        """Lock a user: until this unit of work is over, no other one adds bytes for this user."""

    @abstractmethod
    async def count(self, vault_id: UUID, *, added: int = 0, freed: int = 0) -> int:
        """Count bytes that were just freed in a vault, and others that are to be added next.

        Returns the new number. The vault's row is locked.
        """

    @abstractmethod
    async def of_user(self, user_id: UUID) -> int:
        """The sum of the counters of all vaults of a user."""

    @abstractmethod
    async def recount(self, user_id: UUID) -> bool:
        """Replace the counters of all vaults of a user, who is locked, by what is stored.

        Does nothing and returns False when that was done within `RECOUNTED_AFTER`.
        """


class VaultStorage:
    """The limits of storage. A change that adds no bytes is possible beyond a limit as well."""

    def __init__(self, counters: StorageCounters, limits: StorageLimits) -> None:
        self._counters = counters
        self._limits = limits

    async def lock(self, user_id: UUID) -> None:
        """Lock a user before the vault to whose entries bytes are added."""
        await self._counters.lock(user_id)

    async def replace(self, user_id: UUID, vault_id: UUID, *, added: int, freed: int) -> None:
        """Count bytes that were just freed, and others that are to be added next.

        Raises: StorageLimitReached.
        """
        in_vault = await self._counters.count(vault_id, added=added, freed=freed)
        growth = added - freed
        if growth <= 0:
            return
        for container, stored, limit in (
            ("the vault", in_vault, self._limits.per_vault),
            ("all your vaults", await self._counters.of_user(user_id), self._limits.per_user),
        ):
            if stored > limit:
                raise StorageLimitReached(
                    container, limit=limit, used=stored - growth, added=growth
                )

    async def free(self, vault_id: UUID, freed: int) -> None:
        """Count bytes that were just freed."""
        await self._counters.count(vault_id, freed=freed)

    async def recount(self, user_id: UUID) -> bool:
        """Count again what a user stores, unless that was done recently; returns whether it was.

        Processes of the previous version do not count, and neither does an operator who repairs
        the database.
        """
        await self._counters.lock(user_id)
        return await self._counters.recount(user_id)
