"""The update of a vault's passphrase: Argon2 runs while no database connection is held."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.vaults.passphrases import unwrap_by_passphrase, wrap_by_passphrase
from symphony.application.vaults.vaults import (
    GetVaultWithKey,
    ReplaceVaultKey,
    get_vault_with_key,
    replace_vault_key,
)
from symphony.domain import fields as rules
from symphony.domain.errors import InUse
from symphony.domain.reach import Reach
from symphony.domain.vaults import vaults as domain
from symphony.domain.vaults.vaults import Protection


class NoPassphrase(InUse):
    """The vault has no passphrase to update."""

    def __init__(self) -> None:
        super().__init__("vault-without-passphrase", "The vault was created without a passphrase.")


@dataclass(frozen=True, slots=True)
class UpdatePassphrase:
    actor: Reach
    vault_id: UUID
    old: str = field(repr=False)
    new: str = field(repr=False)
    expected_tags: frozenset[str] | None = None


async def update_passphrase(command: UpdatePassphrase, app: Application) -> None:
    """Wrap a vault's data key by another passphrase, and lock the vault.

    Raises: NotFound, PreconditionFailed, NoPassphrase, Invalid, WrongPassphrase, TooManyAttempts,
    VaultDamaged, Overloaded.
    """
    old = rules.checked("old", domain.passphrase, command.old)
    new = rules.checked("new", domain.passphrase, command.new)
    vault, record = await app.ask(
        get_vault_with_key, GetVaultWithKey(command.actor, command.vault_id)
    )
    vault.require(command.expected_tags)
    if vault.protection is Protection.NONE:
        raise NoPassphrase
    requester = Requester.account(command.actor.user_id)
    data_key, record = await unwrap_by_passphrase(vault.id, record, old, requester, app)
    wrapped = await wrap_by_passphrase(data_key, new, requester, app)
    replace = ReplaceVaultKey(command.actor, record, wrapped, command.expected_tags)
    if not await app.run(replace_vault_key, replace):
        # The passphrase was updated while Argon2 was running: `old` is compared again.
        await update_passphrase(command, app)
