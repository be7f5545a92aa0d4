"""The rules across vaults: the workspace, the limit, and what a lock forbids."""

from uuid import UUID

from symphony.domain import writes
from symphony.domain.moves import update_and_move
from symphony.domain.reach import Reach
from symphony.domain.vaults.keys import KeyRecord, VaultKeyRepository
from symphony.domain.vaults.sessions import SessionRecord, VaultSessionRepository
from symphony.domain.vaults.vaults import (
    Protection,
    Vault,
    VaultChanges,
    VaultRepository,
    passphrase_required,
)
from symphony.domain.workspaces import WorkspaceRepository


class VaultService:
    def __init__(
        self,
        vaults: VaultRepository,
        vault_keys: VaultKeyRepository,
        vault_sessions: VaultSessionRepository,
        workspaces: WorkspaceRepository,
        max_per_workspace: int,
    ) -> None:
        self._vaults = vaults
        self._vault_keys = vault_keys
        self._vault_sessions = vault_sessions
        self._workspaces = workspaces
        self._max_per_workspace = max_per_workspace

    async def create(self, reach: Reach, vault: Vault, key: KeyRecord | None = None) -> None:
        """Create a vault, with a key if it has a passphrase.

        Raises: NotFound for the workspace, LimitReached, AlreadyExists.
        """
        stats = await self._workspaces.count_contents(reach, vault.workspace_id, vault_count=1)
        writes.require_within(self._max_per_workspace, Vault.noun, stats.vault_count)
        await self._vaults.add(vault)
        if key is not None:
            await self._vault_keys.add(key)

    async def update(
        self,
        reach: Reach,
        vault_id: UUID,
        changes: VaultChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Vault:
        """Raises: NotFound, PreconditionFailed, Locked, Invalid, LimitReached, AlreadyExists."""

        def change(vault: Vault) -> Vault:
            vault.require_unlocked()
            return vault.updated(changes)

        if "workspace_id" not in changes:
            return await writes.update(self._vaults, reach, vault_id, expected_tags, change)
        return await update_and_move(
            self._vaults,
            self._workspaces,
            self._max_per_workspace,
            reach=reach,
            entity_id=vault_id,
            target_id=changes["workspace_id"],
            expected_tags=expected_tags,
            change=change,
        )

    async def lock(
        self, reach: Reach, vault_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> Vault:
        """Lock a vault and remove its sessions; locking it again changes nothing.

        Raises: NotFound, PreconditionFailed.
        """
        vault = await writes.get_expected(self._vaults, reach, vault_id, expected_tags)
        return await self._lock(vault)

    async def unlock(
        self, reach: Reach, vault_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> Vault:
        """Unlock a vault without a passphrase; unlocking it again changes nothing.

        Raises: NotFound, PreconditionFailed, Invalid for a vault with a passphrase.
        """

        def unlocked(vault: Vault) -> Vault:
            if vault.protection is not Protection.NONE:
                raise passphrase_required()
            return vault.updated({"is_locked": False})

        return await writes.update(self._vaults, reach, vault_id, expected_tags, unlocked)

    async def add_session(
        self,
        reach: Reach,
        session: SessionRecord,
        key: KeyRecord,
        expected_tags: frozenset[str] | None = None,
    ) -> Vault | None:
        """Unlock a vault for a session; returns None when `key` is no longer the vault's key.

        Raises: NotFound, PreconditionFailed.
        """
        vault = await writes.get_expected(self._vaults, reach, session.vault_id, expected_tags)
        if await self._vault_keys.find(reach, vault.id) != key:
            return None
        await self._vault_sessions.add(session)
        unlocked = vault.updated({"is_locked": False})
        saved = await writes.save_if_changed(self._vaults, vault, unlocked)
        # These sessions can be of vaults whose rows are not locked here. It is the last statement,
        # and skips locked rows, so no two units of work wait for each other.
        await self._vault_sessions.remove_expired()
        return saved

    async def revoke_sessions_of_access_tokens(self, user_id: UUID) -> None:
        """Remove the sessions of a user's access tokens; the user's profile is locked."""
        await self._vault_sessions.remove_of_access_tokens(user_id)

    async def replace_key(
        self,
        reach: Reach,
        old: KeyRecord,
        new: KeyRecord,
        expected_tags: frozenset[str] | None = None,
    ) -> bool:
        """Replace a vault's wrapped key and lock the vault.

        Returns False when `old` is no longer the vault's key. Raises: NotFound, PreconditionFailed.
        """
        vault = await writes.get_expected(self._vaults, reach, old.vault_id, expected_tags)
        if await self._vault_keys.find(reach, vault.id) != old:
            return False
        await self._vault_keys.replace(new)
        await self._lock(vault)
        return True

    async def remove(
        self,
        reach: Reach,
        vault_id: UUID,
        *,
        force: bool = False,
        expected_tags: frozenset[str] | None = None,
    ) -> None:
        """Remove a vault with all its entries; with `force` also a locked vault.

        Nothing at the vault's path is changed. Raises: NotFound, PreconditionFailed, Locked.
        """

        async def count(vault: Vault, added: int) -> None:
            await self._workspaces.count_contents(reach, vault.workspace_id, vault_count=added)

        async def require_unlocked(vault: Vault) -> None:
            if not force:
                vault.require_unlocked()

        await writes.remove_from_parent(
            self._vaults, reach, vault_id, expected_tags, count, require_unlocked
        )

    async def _lock(self, vault: Vault) -> Vault:
        if vault.protection is not Protection.NONE:
            await self._vault_sessions.remove_all(vault.id)
        locked = vault.updated({"is_locked": True})
        return await writes.save_if_changed(self._vaults, vault, locked)
