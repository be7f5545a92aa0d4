"""Use cases of vaults."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Services
from symphony.domain.base import Page, PageRequest, new_id
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.unit_of_work import Repositories
from symphony.domain.vaults.keys import KeyRecord
from symphony.domain.vaults.vaults import Protection, Vault, VaultChanges


@dataclass(frozen=True, slots=True)
class CreateVault:
    actor: UUID
    workspace_id: UUID
    name: str
    path: str
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    vault_id: UUID = field(default_factory=new_id)
    key: KeyRecord | None = None
    """Its data key, wrapped by a passphrase: see `vault_locks`."""


@dataclass(frozen=True, slots=True)
class UpdateVault:
    actor: UUID
    vault_id: UUID
    changes: VaultChanges
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class LockVault:
    actor: UUID
    vault_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class UnlockVault:
    actor: UUID
    vault_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteVault:
    """`force` deletes it though it is locked."""

    actor: UUID
    vault_id: UUID
    force: bool = False
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetVault:
    actor: UUID
    vault_id: UUID


@dataclass(frozen=True, slots=True)
class ListVaults:
    actor: UUID
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
    """Raises: NotFound, PreconditionFailed, Locked, Invalid, AlreadyExists."""
    return await services.vaults.change(
        command.actor, command.vault_id, command.changes, command.expected_tags
    )


async def lock_vault(command: LockVault, services: Services) -> Vault:
    """Raises: NotFound, PreconditionFailed."""
    return await services.vaults.lock(command.actor, command.vault_id, command.expected_tags)


async def unlock_vault(command: UnlockVault, services: Services) -> Vault:
    """Open a vault without a passphrase. Raises: NotFound, PreconditionFailed, Invalid."""
    return await services.vaults.unlock(command.actor, command.vault_id, command.expected_tags)


async def delete_vault(command: DeleteVault, services: Services) -> None:
    """Raises: NotFound, PreconditionFailed, Locked."""
    await services.vaults.remove(
        command.actor, command.vault_id, force=command.force, expected_tags=command.expected_tags
    )


async def get_vault(query: GetVault, repositories: Repositories) -> Vault:
    """Raises: NotFound."""
    return await repositories.vaults.get(query.actor, query.vault_id)


async def list_vaults(query: ListVaults, repositories: Repositories) -> Page[Vault]:
    """Raises: NotFound for the workspace."""
    return await repositories.vaults.page(query.actor, query.workspace_id, query.page)
