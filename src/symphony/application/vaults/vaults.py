"""Use cases of vaults."""

from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.application.callers import Caller
from symphony.domain.base import Page, PageRequest, new_id
from symphony.domain.idempotency import Creation, IdempotencyKey
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.reach import Reach
from symphony.domain.vaults.keys import KeyRecord
from symphony.domain.vaults.sessions import SessionRecord
from symphony.domain.vaults.vaults import Protection, Vault, VaultChanges


@dataclass(frozen=True, slots=True)
class CreateVault:
    actor: Reach
    workspace_id: UUID
    name: str
    path: str
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    vault_id: UUID = field(default_factory=new_id)
    key: KeyRecord | None = None
    """The data key, wrapped by a passphrase: see `orchestrations.vault_creation`."""


@dataclass(frozen=True, slots=True)
class UpdateVault:
    actor: Reach
    vault_id: UUID
    changes: VaultChanges
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class LockVault:
    actor: Reach
    vault_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class UnlockVault:
    """Unlock a vault without a passphrase; for others see `orchestrations.vault_unlocking`."""

    actor: Reach
    vault_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class AddVaultSession:
    """Unlock a vault for a session that `orchestrations.vault_unlocking` has prepared.

    `key` is the record from which the session's data key was unwrapped.
    """

    actor: Caller
    session: SessionRecord
    key: KeyRecord
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ReplaceVaultKey:
    """Replace a data key by the same one, wrapped again by `orchestrations.passphrase_update`."""

    actor: Reach
    old: KeyRecord
    new: KeyRecord
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteVault:
    """Delete a vault; with `force` also a locked one."""

    actor: Reach
    vault_id: UUID
    force: bool = False
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetVault:
    actor: Reach
    vault_id: UUID


@dataclass(frozen=True, slots=True)
class GetVaultWithKey:
    actor: Reach
    vault_id: UUID


@dataclass(frozen=True, slots=True)
class CheckVaultCreation:
    """Check the workspace of a new vault before Argon2 derives a key from its passphrase.

    A creation under a key is replayed even if its workspace no longer exists.
    """

    actor: Reach
    workspace_id: UUID
    key: IdempotencyKey | None


@dataclass(frozen=True, slots=True)
class ReplayVaultCreation:
    """Get the vault that was created under a key by the same request."""

    key: IdempotencyKey


@dataclass(frozen=True, slots=True)
class ListVaults:
    actor: Reach
    workspace_id: UUID
    page: PageRequest


async def create_vault(command: CreateVault, services: Services) -> Vault:
    """Raises: Invalid, NotFound for the workspace, LimitReached, AlreadyExists."""
    vault = Vault(
        id=command.vault_id,
        workspace_id=command.workspace_id,
        name=command.name,
        path=command.path,
        metadata=command.metadata,
        is_locked=command.key is not None,
        protection=Protection.NONE if command.key is None else Protection.PASSPHRASE,
    )
    await services.vaults.create(command.actor, vault, command.key)
    return vault


async def update_vault(command: UpdateVault, services: Services) -> Vault:
    """Raises: NotFound, PreconditionFailed, Locked, Invalid, LimitReached, AlreadyExists."""
    return await services.vaults.update(
        command.actor, command.vault_id, command.changes, command.expected_tags
    )


async def lock_vault(command: LockVault, services: Services) -> Vault:
    """Raises: NotFound, PreconditionFailed."""
    return await services.vaults.lock(command.actor, command.vault_id, command.expected_tags)


async def unlock_vault(command: UnlockVault, services: Services) -> Vault:
    """Raises: NotFound, PreconditionFailed, Invalid for a vault with a passphrase."""
    return await services.vaults.unlock(command.actor, command.vault_id, command.expected_tags)


async def add_vault_session(command: AddVaultSession, services: Services) -> Vault | None:
    """Return None when `key` is no longer the vault's key.

    Raises: TokenRefused, NotFound, PreconditionFailed.
    """
    caller = command.actor
    await services.user_profiles.require_generation(caller.user_id, caller.generation)
    return await services.vaults.add_session(
        caller.reach, command.session, command.key, command.expected_tags
    )


async def replace_vault_key(command: ReplaceVaultKey, services: Services) -> bool:
    """Return False when `old` is no longer the vault's key.

    Raises: NotFound, PreconditionFailed.
    """
    return await services.vaults.replace_key(
        command.actor, command.old, command.new, command.expected_tags
    )


async def delete_vault(command: DeleteVault, services: Services) -> None:
    """Raises: NotFound, PreconditionFailed, Locked."""
    await services.vaults.remove(
        command.actor, command.vault_id, force=command.force, expected_tags=command.expected_tags
    )


async def get_vault(query: GetVault, queries: Queries) -> Vault:
    """Raises: NotFound."""
    return await queries.repositories.vaults.get(query.actor, query.vault_id)


async def get_vault_with_key(
    query: GetVaultWithKey, queries: Queries
) -> tuple[Vault, KeyRecord | None]:
    """Raises: NotFound."""
    # The key first, because a vault with a passphrase is created and deleted together with it: if
    # the vault exists after its key was not found, then the key was removed by other means.
    key = await queries.repositories.vault_keys.find(query.actor, query.vault_id)
    return await queries.repositories.vaults.get(query.actor, query.vault_id), key


async def check_vault_creation(query: CheckVaultCreation, queries: Queries) -> Creation | None:
    """Return what was created under the key before, by the same request or another one.

    Raises: NotFound for the workspace, if that is nothing.
    """
    repositories = queries.repositories
    created = await repositories.idempotency_keys.created(query.key) if query.key else None
    if created is None:
        await repositories.workspaces.get(query.actor, query.workspace_id)
    return created


async def replay_vault_creation(query: ReplayVaultCreation, queries: Queries) -> Vault | None:
    """Return None if nothing was created under the key. Raises: KeyReused."""
    created = await queries.repositories.idempotency_keys.replay(query.key)
    return cast("Vault | None", created)  # the fingerprint proves that it was the same request


async def list_vaults(query: ListVaults, queries: Queries) -> Page[Vault]:
    """Raises: NotFound for the workspace."""
    return await queries.repositories.vaults.page(query.actor, query.workspace_id, query.page)
