"""Vaults in the database."""

from uuid import UUID

from symphony.domain.reach import Reach
from symphony.domain.vaults.vaults import Protection, Vault, VaultRepository
from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.mappings import VAULTS


class SqlAlchemyVaults(SqlAlchemyPagedRepository[Vault], VaultRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, VAULTS)

    async def get_for_update(self, reach: Reach, entity_id: UUID) -> Vault:
        vault = await super().get_for_update(reach, entity_id)
        if vault.protection is Protection.NONE:
            return vault
        # After it has waited for the lock, PostgreSQL reads the locked row again, but not the
        # sessions that `is_locked` is derived from.
        return await self.get(reach, entity_id)
