"""Data keys wrapped by passphrases: Argon2 runs while no database connection is held."""

from uuid import UUID

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.throttling import throttled, vault_counter
from symphony.domain.errors import Forbidden
from symphony.domain.fields import opaque_text
from symphony.domain.vaults.keys import DataKey, KeyRecord, VaultDamaged


class WrongPassphrase(Forbidden):
    """The passphrase does not unlock the vault."""

    def __init__(self) -> None:
        super().__init__("wrong-passphrase", "The passphrase is wrong.")


async def wrap_by_passphrase(
    data_key: DataKey, passphrase: str, requester: Requester, app: Application
) -> KeyRecord:
    """Wrap a data key by a key that Argon2 derives from the passphrase. Raises: Overloaded."""
    derivation = app.passphrases.derivation()
    key = await app.passphrases.key(opaque_text(passphrase).encode(), derivation, requester)
    return app.keyring.wrap_by_passphrase(data_key, key, derivation)


async def unwrap_by_passphrase(
    vault_id: UUID,
    record: KeyRecord | None,
    passphrase: str,
    requester: Requester,
    app: Application,
) -> tuple[DataKey, KeyRecord]:
    """Return the data key, and the record from which it was unwrapped.

    Raises: WrongPassphrase, TooManyAttempts, VaultDamaged, Overloaded.
    """
    if record is None or record.derivation is None:
        raise VaultDamaged(vault_id)
    record.require_intact()
    derivation = record.derivation

    async def attempt() -> DataKey | None:
        key = await app.passphrases.key(opaque_text(passphrase).encode(), derivation, requester)
        return app.keyring.unwrap_by_passphrase(record, key)

    data_key = await throttled(vault_counter(vault_id, app), attempt, app)
    if data_key is None:
        raise WrongPassphrase
    return data_key, record
