"""Vaults: places for notes and secrets, which can be locked."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, PagedRepository, Rule
from symphony.domain.errors import FieldError, Invalid, LimitReached, Locked, RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork
    from symphony.domain.vaults.keys import KeyRecord
    from symphony.domain.vaults.sessions import SessionRecord


MIN_PASSPHRASE = 12
MAX_PASSPHRASE = 1024


class Protection(StrEnum):
    """What keeps a vault's entries from whoever has the database."""

    NONE = "none"
    """The service's master key; its lock is the owner's switch."""
    PASSPHRASE = "passphrase"  # noqa: S105 - a word
    """What only the owner knows: unless a session has it open, nobody can read it."""


def passphrase(value: object) -> str:
    """12 to 1,024 characters of any kind."""
    given = rules.text(value)
    if not MIN_PASSPHRASE <= len(given) <= MAX_PASSPHRASE:
        raise RuleBroken("passphrase-length", f"{MIN_PASSPHRASE} to {MAX_PASSPHRASE:,} characters.")
    return given


def passphrase_bytes(given: str) -> bytes:
    """What a passphrase means, whatever keyboard it was typed on.

    Spaces of all kinds are the same space, and letters are composed (NFC), as in the profile
    OpaqueString of RFC 8265, section 4.2.
    """
    spaced = (" " if unicodedata.category(each) == "Zs" else each for each in given)
    return unicodedata.normalize("NFC", "".join(spaced)).encode()


@dataclass(frozen=True, kw_only=True)
class Vault(Entity):
    """A vault's record. Its name is unique among the vaults of its workspace.

    `is_locked` is what is so when it is looked at: without its owner doing anything, a vault with a
    passphrase becomes locked when the last session that has it open ends.
    """

    noun: ClassVar[str] = "vault"
    rules: ClassVar[Mapping[str, Rule]] = {
        "workspace_id": rules.identity,
        "name": rules.folder_name,
        "path": rules.path,
        "metadata": json_object,
        "is_locked": rules.boolean,
        "protection": rules.one_of(Protection),
    }

    workspace_id: UUID
    name: str
    path: str
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    is_locked: bool = False
    protection: Protection = Protection.NONE

    @property
    def name_key(self) -> str:
        return comparison_key(self.name)

    @property
    def tag(self) -> str:
        return f"{super().tag}-{'locked' if self.is_locked else 'open'}"

    def require_unlocked(self) -> None:
        """Raises: Locked."""
        if self.is_locked:
            raise VaultLocked


class VaultLocked(Locked):
    """Its entries cannot be reached now, nor can its record be changed."""

    def __init__(self) -> None:
        super().__init__("vault-locked", "The vault is locked; unlock it first.")


def passphrase_needed() -> Invalid:
    detail = "The vault is protected by a passphrase, which this needs."
    return Invalid([FieldError("passphrase", "missing", detail)])


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

    async def create(self, user_id: UUID, vault: Vault, key: "KeyRecord | None" = None) -> None:
        """Keeps it, with its key if it has one from the start.

        Raises: NotFound for the workspace, LimitReached, AlreadyExists.
        """
        stats = await self._uow.workspaces.count_contents(user_id, vault.workspace_id, vaults=1)
        if stats.vault_count > self._max_per_workspace:
            raise LimitReached(
                Vault.noun, limit=self._max_per_workspace, used=stats.vault_count - 1
            )
        await self._uow.vaults.add(vault)
        if key is not None:
            await self._uow.vault_keys.add(key)

    async def change(
        self,
        user_id: UUID,
        vault_id: UUID,
        changes: VaultChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Vault:
        """Raises: NotFound, PreconditionFailed, Locked, Invalid, AlreadyExists."""
        vault = await self._uow.vaults.get_for_update(user_id, vault_id)
        vault.require(expected_tags)
        vault.require_unlocked()
        return await self._save_if_changed(vault, vault.updated(changes))

    async def lock(
        self, user_id: UUID, vault_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> Vault:
        """Ends every session; a second time changes nothing.

        Raises: NotFound, PreconditionFailed.
        """
        vault = await self._uow.vaults.get_for_update(user_id, vault_id)
        vault.require(expected_tags)
        return await self._close(vault)

    async def unlock(
        self, user_id: UUID, vault_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> Vault:
        """For those that a switch opens; a second time changes nothing.

        Raises: NotFound, PreconditionFailed, Invalid for one that needs its passphrase.
        """
        vault = await self._uow.vaults.get_for_update(user_id, vault_id)
        vault.require(expected_tags)
        if vault.protection is not Protection.NONE:
            raise passphrase_needed()
        return await self._save_if_changed(vault, vault.updated({"is_locked": False}))

    async def open(
        self,
        user_id: UUID,
        session: "SessionRecord",
        key: "KeyRecord",
        expected_tags: frozenset[str] | None = None,
    ) -> Vault | None:
        """Opens a vault for a session; None when it no longer has the key that was unwrapped.

        Raises: NotFound, PreconditionFailed.
        """
        vault = await self._uow.vaults.get_for_update(user_id, session.vault_id)
        vault.require(expected_tags)
        if await self._uow.vault_keys.find(user_id, vault.id) != key:
            return None
        await self._uow.vault_sessions.add(session)
        changed = await self._save_if_changed(vault, vault.updated({"is_locked": False}))
        # Of vaults that are not locked here, so nothing is waited for from now on.
        await self._uow.vault_sessions.remove_expired()
        return changed

    async def change_key(
        self,
        user_id: UUID,
        old: "KeyRecord",
        new: "KeyRecord",
        expected_tags: frozenset[str] | None = None,
    ) -> bool:
        """Wraps a vault's key anew and ends every session; false when it has changed meanwhile.

        Raises: NotFound, PreconditionFailed.
        """
        vault = await self._uow.vaults.get_for_update(user_id, old.vault_id)
        vault.require(expected_tags)
        if await self._uow.vault_keys.find(user_id, vault.id) != old:
            return False
        await self._uow.vault_keys.replace(new)
        await self._close(vault)
        return True

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
        vault = await self._uow.vaults.get_for_update(user_id, vault_id)
        vault.require(expected_tags)
        if not force:
            vault.require_unlocked()
        await self._uow.vaults.remove(vault)
        await self._uow.workspaces.count_contents(user_id, vault.workspace_id, vaults=-1)

    async def _close(self, vault: Vault) -> Vault:
        if vault.protection is not Protection.NONE:
            await self._uow.vault_sessions.end_all(vault.id)
        return await self._save_if_changed(vault, vault.updated({"is_locked": True}))

    async def _save_if_changed(self, vault: Vault, changed: Vault) -> Vault:
        if changed is not vault:
            await self._uow.vaults.save(changed)
        return changed
