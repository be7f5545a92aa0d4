"""Vaults: places for notes and secrets, which can be locked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, PagedRepository, Rule
from symphony.domain.errors import LimitReached, Locked
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Vault(Entity):
    """A vault's record. Its name is unique among the vaults of its workspace."""

    noun: ClassVar[str] = "vault"
    rules: ClassVar[Mapping[str, Rule]] = {
        "workspace_id": rules.identity,
        "name": rules.folder_name,
        "path": rules.path,
        "metadata": json_object,
        "is_locked": rules.boolean,
    }

    workspace_id: UUID
    name: str
    path: str
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    is_locked: bool = False

    @property
    def name_key(self) -> str:
        return comparison_key(self.name)

    def require_unlocked(self) -> None:
        """Raises: Locked."""
        if self.is_locked:
            raise Locked("vault-locked", "The vault is locked; unlock it first.")


class VaultChanges(TypedDict, total=False):
    """The fields to change; `metadata` is a merge patch."""

    name: str
    path: str
    metadata: JsonObject


class VaultRepository(PagedRepository[Vault]):
    """The vaults of all workspaces."""


class VaultService:
    """The rules across vaults: in whose workspace they are, how many, and what a lock forbids."""

    def __init__(self, uow: "UnitOfWork", max_per_workspace: int) -> None:
        self._uow = uow
        self._max_per_workspace = max_per_workspace

    async def create(self, user_id: UUID, vault: Vault) -> None:
        """Raises: NotFound for the workspace, LimitReached, AlreadyExists."""
        stats = await self._uow.workspaces.count_contents(user_id, vault.workspace_id, vaults=1)
        if stats.vault_count > self._max_per_workspace:
            raise LimitReached(
                Vault.noun, limit=self._max_per_workspace, used=stats.vault_count - 1
            )
        await self._uow.vaults.add(vault)

    async def change(
        self,
        user_id: UUID,
        vault_id: UUID,
        changes: VaultChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Vault:
        """Raises: NotFound, PreconditionFailed, Locked, Invalid, AlreadyExists."""
        vault = await self._uow.vaults.get_for_change(user_id, vault_id)
        vault.require(expected_tags)
        vault.require_unlocked()
        return await self._save_if_changed(vault, vault.changed(changes))

    async def lock(
        self, user_id: UUID, vault_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> Vault:
        """A second time changes nothing. Raises: NotFound, PreconditionFailed."""
        vault = await self._uow.vaults.get_for_change(user_id, vault_id)
        vault.require(expected_tags)
        return await self._save_if_changed(vault, vault.changed({"is_locked": True}))

    async def unlock(
        self, user_id: UUID, vault_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> Vault:
        """A second time changes nothing. Raises: NotFound, PreconditionFailed."""
        vault = await self._uow.vaults.get_for_change(user_id, vault_id)
        vault.require(expected_tags)
        return await self._save_if_changed(vault, vault.changed({"is_locked": False}))

    async def remove(
        self,
        user_id: UUID,
        vault_id: UUID,
        *,
        force: bool = False,
        expected_tags: frozenset[str] | None = None,
    ) -> None:
        """Removes the record, a locked one only by force; nothing on disk is touched.

        Raises: NotFound, PreconditionFailed, Locked.
        """
        # The workspace is locked before what it holds; the vault may be gone by then.
        found = await self._uow.vaults.get(user_id, vault_id)
        await self._uow.workspaces.count_contents(user_id, found.workspace_id)
        vault = await self._uow.vaults.get_for_change(user_id, vault_id)
        vault.require(expected_tags)
        if not force:
            vault.require_unlocked()
        await self._uow.vaults.remove(vault)
        await self._uow.workspaces.count_contents(user_id, vault.workspace_id, vaults=-1)

    async def _save_if_changed(self, vault: Vault, changed: Vault) -> Vault:
        if changed is not vault:
            await self._uow.vaults.save(changed)
        return changed
