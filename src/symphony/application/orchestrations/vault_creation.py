"""The preparation of a vault with a passphrase, from which Argon2 derives a key."""

from dataclasses import dataclass, field, replace

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.vaults.passphrases import wrap_by_passphrase
from symphony.application.vaults.vaults import (
    CheckVaultCreation,
    CreateVault,
    check_vault_creation,
)
from symphony.domain import fields as rules
from symphony.domain.errors import FieldError, Invalid
from symphony.domain.idempotency import IdempotencyKey
from symphony.domain.vaults import vaults as domain
from symphony.domain.vaults.vaults import Protection, passphrase_required


@dataclass(frozen=True, slots=True)
class ProtectVault:
    """Prepare the creation of a vault, which will run under the idempotency key `key`."""

    vault: CreateVault
    protection: Protection
    passphrase: str | None = field(repr=False)
    key: IdempotencyKey | None = None


async def protect_vault(command: ProtectVault, app: Application) -> CreateVault:
    """Return the command that creates the vault, with a new data key that the passphrase wraps.

    Raises: Invalid, NotFound for the workspace, Overloaded.
    """
    if command.protection is Protection.NONE:
        detail = "Must be omitted unless `protection` is `passphrase`."
        raise Invalid([FieldError("passphrase", "unknown-field", detail)])
    if command.passphrase is None:
        raise passphrase_required()
    passphrase = rules.checked("passphrase", domain.passphrase, command.passphrase)
    vault = command.vault
    await app.ask(
        check_vault_creation, CheckVaultCreation(vault.actor, vault.workspace_id, command.key)
    )
    data_key = app.keyring.new_key(vault.vault_id)
    requester = Requester.account(vault.actor)
    return replace(vault, key=await wrap_by_passphrase(data_key, passphrase, requester, app))
