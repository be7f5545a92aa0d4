"""The unlocking of a vault: Argon2 runs while no database connection is held."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.application.ports import Requester
from symphony.application.vaults.passphrases import unwrap_by_passphrase
from symphony.application.vaults.vaults import (
    AddVaultSession,
    GetVaultWithKey,
    UnlockVault,
    add_vault_session,
    get_vault_with_key,
    unlock_vault,
)
from symphony.domain import fields as rules
from symphony.domain.errors import FieldError, Invalid
from symphony.domain.vaults import vaults as domain
from symphony.domain.vaults.sessions import new_session, session_expiry
from symphony.domain.vaults.vaults import Protection, Vault, passphrase_required

_DEFAULT_TTL = 900  # seconds


@dataclass(frozen=True, slots=True)
class OpenVault:
    """Unlock a vault; only one with a passphrase accepts `passphrase` and `ttl_seconds` (900)."""

    actor: Caller
    vault_id: UUID
    passphrase: str | None = field(repr=False)
    ttl_seconds: int | None
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class OpenedVault:
    """An unlocked vault; with a passphrase also the session, which is returned only once."""

    vault: Vault
    session: str | None = field(default=None, repr=False)
    unlocked_until: datetime | None = None


async def open_vault(command: OpenVault, app: Application) -> OpenedVault:
    """Raises: NotFound, PreconditionFailed, Invalid, WrongPassphrase, TooManyAttempts,
    VaultDamaged, Overloaded, TokenRefused.
    """
    caller = command.actor
    vault, record = await app.ask(
        get_vault_with_key, GetVaultWithKey(caller.reach, command.vault_id)
    )
    vault.require(command.expected_tags)
    if vault.protection is Protection.NONE:
        _require_no_passphrase(command)
        unlock = UnlockVault(caller.reach, vault.id, command.expected_tags)
        return OpenedVault(await app.run(unlock_vault, unlock))
    if command.passphrase is None:
        raise passphrase_required()
    passphrase = rules.checked("passphrase", domain.passphrase, command.passphrase)
    requester = Requester.account(caller.user_id)
    data_key, record = await unwrap_by_passphrase(vault.id, record, passphrase, requester, app)
    ttl_seconds = _DEFAULT_TTL if command.ttl_seconds is None else command.ttl_seconds
    expires_at = session_expiry(ttl_seconds, caller.token_expires_at)
    session, stored = new_session(data_key, caller.token_hash, caller.api_token_id, expires_at)
    opened = await app.run(
        add_vault_session, AddVaultSession(caller, stored, record, command.expected_tags)
    )
    if opened is None:  # the passphrase was updated while Argon2 was running
        return await open_vault(command, app)
    return OpenedVault(opened, session, expires_at)


def _require_no_passphrase(command: OpenVault) -> None:
    detail = "Must be omitted; the vault has no passphrase."
    given = {"passphrase": command.passphrase, "ttl_seconds": command.ttl_seconds}
    unknown = [name for name, value in given.items() if value is not None]
    if unknown:
        raise Invalid([FieldError(name, "unknown-field", detail) for name in unknown])
