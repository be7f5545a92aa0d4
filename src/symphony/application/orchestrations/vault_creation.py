"""The creation of a vault with a passphrase, from which Argon2 derives a key.

A retry under the same `Idempotency-Key` says whether its passphrase is that of the first request.
So it counts as an attempt to unlock the vault.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from symphony.application.app import Application, CreationResult
from symphony.application.ports import Requester
from symphony.application.throttling import throttled, vault_counter
from symphony.application.vaults.passphrases import wrap_by_passphrase
from symphony.application.vaults.vaults import (
    CheckVaultCreation,
    CreateVault,
    ReplayVaultCreation,
    check_vault_creation,
    create_vault,
    replay_vault_creation,
)
from symphony.domain import fields as rules
from symphony.domain.attempts import Outcome
from symphony.domain.errors import FieldError, Invalid
from symphony.domain.idempotency import IdempotencyKey, KeyReused
from symphony.domain.vaults import vaults as domain
from symphony.domain.vaults.vaults import Protection, Vault, passphrase_required


@dataclass(frozen=True, slots=True)
class SlowKey:
    """An idempotency key for a request that contains a passphrase.

    `fingerprinted` returns it with the fingerprint to store or to compare, which is slow.
    """

    key: IdempotencyKey
    fingerprinted: Callable[[], Awaitable[IdempotencyKey]]


@dataclass(frozen=True, slots=True)
class CreateProtectedVault:
    vault: CreateVault
    protection: Protection
    passphrase: str | None = field(repr=False)
    key: SlowKey | None = None


async def create_protected_vault(
    command: CreateProtectedVault, app: Application
) -> CreationResult[Vault]:
    """Create a vault with a new data key that the passphrase wraps, or replay its creation.

    Raises: Invalid, NotFound for the workspace, KeyReused, TooManyAttempts, LimitReached,
    AlreadyExists, Overloaded.
    """
    if command.protection is Protection.NONE:
        detail = "Must be omitted unless `protection` is `passphrase`."
        raise Invalid([FieldError("passphrase", "unknown-field", detail)])
    if command.passphrase is None:
        raise passphrase_required()
    passphrase = rules.checked("passphrase", domain.passphrase, command.passphrase)
    vault, slow = command.vault, command.key
    requester = Requester.account(vault.actor.user_id)
    check = CheckVaultCreation(vault.actor, vault.workspace_id, slow.key if slow else None)
    while True:
        before = await app.ask(check_vault_creation, check)
        if slow and isinstance(before, Vault) and before.protection is Protection.PASSPHRASE:
            replayed = await _replay(before, slow, app)
            if replayed is None:  # the key has expired meanwhile
                continue
            return CreationResult(replayed, replayed=True)
        data_key = app.keyring.new_key(vault.vault_id)
        wrapped = await wrap_by_passphrase(data_key, passphrase, requester, app)
        create = replace(vault, key=wrapped)
        key = await slow.fingerprinted() if slow else None
        try:
            created = await app.run_once(create_vault, create, key)
        except KeyReused:
            if before is not None:
                raise
        else:
            if not created.replayed:
                return created
        # A parallel request has used the key. Its body is compared again, as an attempt.


async def _replay(vault: Vault, slow: SlowKey, app: Application) -> Vault | None:
    """Return the vault if this is the request that created it; None if the key has expired.

    A match does not end the count of failures: the passphrase may have been updated since then, and
    would otherwise be guessed between two replays. Raises: KeyReused, TooManyAttempts, Overloaded.
    """

    async def compare() -> tuple[Vault | None] | None:
        key = await slow.fingerprinted()
        try:
            return (await app.ask(replay_vault_creation, ReplayVaultCreation(key)),)
        except KeyReused:
            return None

    counter = vault_counter(vault.id, app)
    match = await throttled(counter, compare, app, on_success=Outcome.WITHDRAWN)
    if match is None:
        raise KeyReused
    return match[0]
