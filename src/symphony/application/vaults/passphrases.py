"""Use cases of vaults that a passphrase protects: making, opening, and another passphrase.

Argon2 runs while no connection to the database is held. What it was run on may have changed by the
time there is one: then everything begins anew.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.application.authentication import Caller, throttled
from symphony.application.vaults.vaults import CreateVault, UnlockVault, unlock_vault
from symphony.domain import fields as rules
from symphony.domain.errors import FieldError, Forbidden, InUse, Invalid
from symphony.domain.idempotency import IdempotencyKey
from symphony.domain.unit_of_work import Repositories
from symphony.domain.vaults import vaults as domain
from symphony.domain.vaults.keys import DataKey, KeyRecord, VaultDamaged
from symphony.domain.vaults.sessions import SessionRecord, lifetime_end, new_session
from symphony.domain.vaults.vaults import Protection, Vault, passphrase_needed

_TTL = 900  # seconds


class WrongPassphrase(Forbidden):
    """The vault does not open with it."""

    def __init__(self) -> None:
        super().__init__("wrong-passphrase", "The passphrase is wrong.")


class NoPassphrase(InUse):
    """The vault is protected by no passphrase that could be changed."""

    def __init__(self) -> None:
        super().__init__("vault-without-passphrase", "The vault was made without a passphrase.")


@dataclass(frozen=True, slots=True)
class OpenVault:
    """`passphrase` is for vaults that have one; the session then lives for `ttl_seconds`, 900 when
    they are not given."""

    actor: Caller
    vault_id: UUID
    passphrase: str | None = field(repr=False)
    ttl_seconds: int | None
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class OpenedVault:
    """A vault that is open; the session, for those that take one, is shown this once."""

    vault: Vault
    session: str | None = field(default=None, repr=False)
    unlocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UpdatePassphrase:
    actor: UUID
    vault_id: UUID
    old: str = field(repr=False)
    new: str = field(repr=False)
    expected_tags: frozenset[str] | None = None


async def protected(
    command: CreateVault,
    protection: Protection,
    passphrase: str | None,
    app: Application,
    key: IdempotencyKey | None = None,
) -> CreateVault:
    """The command for a vault with a passphrase.

    Raises: Invalid, NotFound for the workspace, Overloaded.
    """
    if protection is Protection.NONE:
        detail = "Only for vaults whose `protection` is `passphrase`."
        raise Invalid([FieldError("passphrase", "unknown-field", detail)])
    if passphrase is None:
        raise passphrase_needed()
    given = rules.checked("passphrase", domain.passphrase, passphrase)
    await app.ask(_require_workspace, (command, key))
    data_key = app.keyring.new_key(command.vault_id)
    return replace(command, key=await _wrapped(data_key, given, app))


async def open_vault(command: OpenVault, app: Application) -> OpenedVault:
    """Raises: NotFound, PreconditionFailed, Invalid, WrongPassphrase, TooManyAttempts,
    VaultDamaged, Overloaded, TokenRevoked.
    """
    vault, record = await app.ask(_find, (command.actor.user_id, command.vault_id))
    vault.require(command.expected_tags)
    if vault.protection is Protection.NONE:
        detail = "The vault was made without a passphrase."
        given = {"passphrase": command.passphrase, "ttl_seconds": command.ttl_seconds}
        unknown = [name for name, value in given.items() if value is not None]
        if unknown:
            raise Invalid([FieldError(name, "unknown-field", detail) for name in unknown])
        switched = UnlockVault(command.actor.user_id, vault.id, command.expected_tags)
        return OpenedVault(await app.run(unlock_vault, switched))
    if command.passphrase is None:
        raise passphrase_needed()
    given = rules.checked("passphrase", domain.passphrase, command.passphrase)
    data_key, record = await _unwrapped(vault.id, record, given, app)
    caller = command.actor
    ttl_seconds = _TTL if command.ttl_seconds is None else command.ttl_seconds
    ends_at = lifetime_end(ttl_seconds, caller.token_ends_at)
    session, kept = new_session(data_key, caller.token_hash, caller.api_token_id, ends_at)
    opened = await app.run(_open, (command, kept, record))
    if opened is None:
        return await open_vault(command, app)
    return OpenedVault(opened, session, ends_at)


async def update_passphrase(command: UpdatePassphrase, app: Application) -> None:
    """Raises: NotFound, PreconditionFailed, NoPassphrase, Invalid, WrongPassphrase,
    TooManyAttempts, VaultDamaged, Overloaded.
    """
    old = rules.checked("old", domain.passphrase, command.old)
    new = rules.checked("new", domain.passphrase, command.new)
    vault, record = await app.ask(_find, (command.actor, command.vault_id))
    vault.require(command.expected_tags)
    if vault.protection is Protection.NONE:
        raise NoPassphrase
    data_key, record = await _unwrapped(vault.id, record, old, app)
    changed = await _wrapped(data_key, new, app)
    if not await app.run(_update_passphrase, (command, record, changed)):
        await update_passphrase(command, app)


async def _wrapped(data_key: DataKey, passphrase: str, app: Application) -> KeyRecord:
    derivation = app.passphrases.derivation()
    key = await app.passphrases.key(domain.passphrase_bytes(passphrase), derivation)
    return app.keyring.wrap_by_passphrase(data_key, key, derivation)


async def _unwrapped(
    vault_id: UUID, record: KeyRecord | None, passphrase: str, app: Application
) -> tuple[DataKey, KeyRecord]:
    if record is None or record.derivation is None:
        raise VaultDamaged(vault_id)
    record.require_whole()
    attempt = partial(_attempt, record, passphrase, app)
    # Beside accounts, whose names hold no NUL.
    data_key = await throttled(b"vault\0" + vault_id.bytes, attempt, app)
    if data_key is None:
        raise WrongPassphrase
    return data_key, record


async def _attempt(record: KeyRecord, passphrase: str, app: Application) -> DataKey | None:
    assert record.derivation is not None  # noqa: S101 - looked at before
    key = await app.passphrases.key(domain.passphrase_bytes(passphrase), record.derivation)
    return app.keyring.unwrap_by_passphrase(record, key)


async def _find(
    which: tuple[UUID, UUID], repositories: Repositories
) -> tuple[Vault, KeyRecord | None]:
    # A vault is made with its key and goes with it: one that is there after the key was looked for
    # was there before, so a key that was not found is missing.
    key = await repositories.vault_keys.find(*which)
    return await repositories.vaults.get(*which), key


async def _require_workspace(
    asked: tuple[CreateVault, IdempotencyKey | None], repositories: Repositories
) -> None:
    command, key = asked
    # What was made is told again though its workspace is gone.
    if key is None or not await repositories.idempotency_keys.knows(key):
        await repositories.workspaces.get(command.actor, command.workspace_id)


async def _open(
    work: tuple[OpenVault, SessionRecord, KeyRecord], services: Services
) -> Vault | None:
    command, session, key = work
    caller = command.actor
    if caller.api_token_id is not None:
        await services.api_tokens.require(caller.user_id, caller.api_token_id)
    return await services.vaults.open(caller.user_id, session, key, command.expected_tags)


async def _update_passphrase(
    work: tuple[UpdatePassphrase, KeyRecord, KeyRecord], services: Services
) -> bool:
    command, old, new = work
    return await services.vaults.change_key(command.actor, old, new, command.expected_tags)
