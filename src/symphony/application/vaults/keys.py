"""Use cases of the wrapped keys of vaults."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Services
from symphony.domain.vaults.keys import RewrappedBatch


@dataclass(frozen=True, slots=True)
class RewrapVaultKeys:
    """Rewrap at most `limit` keys, of the vaults with ids after `after`."""

    after: UUID
    limit: int


async def rewrap_vault_keys(command: RewrapVaultKeys, services: Services) -> RewrappedBatch | None:
    """Return None when no key is left. Raises: MasterKeyMissing."""
    return await services.vault_keys.rewrap_batch(command.after, command.limit)
