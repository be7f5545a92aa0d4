"""The keys of vaults: each vault has a random data key, which is stored wrapped by another key."""

import hashlib
import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from symphony.domain.errors import DomainError
from symphony.domain.reach import Reach

KEY_BYTES = 32
SALT_BYTES = 16  # RFC 9106, section 4


class Tampered(Exception):
    """A sealed record was not created with this key, purpose and associated data."""


class Damaged(DomainError):
    """A stored record of a vault was tampered with; `ids` identify it in the log."""

    def __init__(self, slug: str, detail: str, **ids: UUID) -> None:
        super().__init__(slug, detail)
        self.ids = {name: str(each) for name, each in ids.items()}


class VaultDamaged(Damaged):
    """A vault's key cannot be unwrapped, so nothing in the vault can be read."""

    def __init__(self, vault_id: UUID) -> None:
        super().__init__(
            "vault-damaged",
            "The stored key of the vault was tampered with; nothing in the vault can be read.",
            vault_id=vault_id,
        )


class MasterKeyMissing(DomainError):
    """The service has no master key, or not the one that is needed."""

    def __init__(self, detail: str) -> None:
        super().__init__("master-key-missing", detail)


class Cryptography(Protocol):
    """Authenticated encryption and key derivation, provided by a library."""

    def subkey(self, key: bytes, purpose: str) -> bytes:
        """Derive a key for one purpose, which reveals neither `key` nor the other derived keys."""
        ...

    def seal(self, key: bytes, content: bytes, purpose: str, *associated_data: bytes) -> bytes:
        """Encrypt; opening needs the same purpose and the same associated data."""
        ...

    def open(self, key: bytes, sealed: bytes, purpose: str, *associated_data: bytes) -> bytes:
        """Raises: Tampered."""
        ...


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key of the service. Its name is a hash that reveals nothing about the key."""

    name: bytes
    key: bytes = field(repr=False)


class MasterKeys(Protocol):
    """The service's master keys: the first one wraps, all of them unwrap."""

    def first(self) -> MasterKey:
        """Raises: MasterKeyMissing."""
        ...

    def named(self, name: bytes) -> MasterKey:
        """Raises: MasterKeyMissing."""
        ...

    def changing(self) -> AbstractContextManager[None]:
        """Return a context for a rewrap of all keys under the first master key.

        After it, the other master keys are not needed any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Derivation:
    """The parameters of a key that is derived from a passphrase (Argon2id, RFC 9106).

    `memory` is in KiB.
    """

    salt: bytes
    memory: int
    passes: int
    lanes: int

    @property
    def is_within_bounds(self) -> bool:
        """Whether the service can have chosen it: a tampered one could require terabytes."""
        return (
            len(self.salt) == SALT_BYTES
            and 8 * self.lanes <= self.memory <= 2**18
            and 1 <= self.passes <= 10
            and 1 <= self.lanes <= 4
        )

    def parts(self) -> tuple[bytes, ...]:
        numbers = (self.memory, self.passes, self.lanes)
        return (self.salt, *(str(each).encode() for each in numbers))


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A vault's data key, wrapped by the named master key or by a key derived from a passphrase.

    Without the checksum a wrong passphrase and a tampered record could not be distinguished. It is
    not keyed: an attacker who recomputes it still cannot unwrap anything.
    """

    vault_id: UUID
    wrapped: bytes = field(repr=False)
    master_key: bytes | None
    derivation: Derivation | None
    checksum: bytes

    @classmethod
    def with_checksum(
        cls,
        vault_id: UUID,
        wrapped: bytes,
        *,
        master_key: bytes | None = None,
        derivation: Derivation | None = None,
    ) -> "KeyRecord":
        checksum = _checksum(vault_id, wrapped, _wrapped_by(master_key, derivation))
        return cls(vault_id, wrapped, master_key, derivation, checksum)

    def require_intact(self) -> None:
        """Raises: VaultDamaged."""
        wrapped_by = _wrapped_by(self.master_key, self.derivation)
        if (
            (self.master_key is None) is (self.derivation is None)  # exactly one of them wraps it
            or self.checksum != _checksum(self.vault_id, self.wrapped, wrapped_by)
            or (self.derivation is not None and not self.derivation.is_within_bounds)
        ):
            raise VaultDamaged(self.vault_id)


class VaultKeyRepository(ABC):
    """The wrapped keys of all vaults.

    The vault's row is locked before its key is written. Only a rewrap locks the key's row instead,
    because the data key stays the same.
    """

    @abstractmethod
    async def find(self, reach: Reach, vault_id: UUID) -> KeyRecord | None:
        """The key of an owner's vault; None when it has none yet."""

    @abstractmethod
    async def add(self, record: KeyRecord) -> None:
        """Store the first key of a vault."""

    @abstractmethod
    async def replace(self, record: KeyRecord) -> None:
        """Replace the key of the vault."""

    @abstractmethod
    async def need_a_master_key(self) -> bool:
        """Return whether a master key wraps any of them."""

    @abstractmethod
    async def under_other_master_keys(
        self, name: bytes, after: UUID, limit: int
    ) -> Sequence[KeyRecord]:
        """List and lock the keys that another master key than the named one wraps.

        They are of vaults with ids after `after`, in the order of ids.
        """


@dataclass(frozen=True, slots=True)
class DataKey:
    """A vault's data key in use."""

    vault_id: UUID
    key: bytes = field(repr=False)
    cryptography: Cryptography = field(repr=False)
    _subkeys: dict[str, bytes] = field(
        default_factory=dict[str, bytes], init=False, repr=False, compare=False
    )

    def seal(self, content: bytes, purpose: str, *associated_data: bytes) -> bytes:
        """Encrypt for this vault; opening needs the same purpose and the same associated data."""
        key = self._subkey(purpose)
        return self.cryptography.seal(key, content, purpose, self.vault_id.bytes, *associated_data)

    def open(self, sealed: bytes, purpose: str, *associated_data: bytes) -> bytes:
        """Raises: Tampered."""
        key = self._subkey(purpose)
        return self.cryptography.open(key, sealed, purpose, self.vault_id.bytes, *associated_data)

    def keyed_hash(self, content: bytes, purpose: str) -> bytes:
        """An HMAC (RFC 2104), whose content cannot be found by trial without the key."""
        return hmac.digest(self._subkey(purpose), content, hashlib.sha256)

    def _subkey(self, purpose: str) -> bytes:
        if purpose not in self._subkeys:
            self._subkeys[purpose] = self.cryptography.subkey(self.key, purpose)
        return self._subkeys[purpose]


class Keyring:
    """The generation, wrapping and unwrapping of data keys."""

    def __init__(self, cryptography: Cryptography, master_keys: MasterKeys) -> None:
        self.cryptography = cryptography
        self.master_keys = master_keys

    def new_key(self, vault_id: UUID) -> DataKey:
        return DataKey(vault_id, secrets.token_bytes(KEY_BYTES), self.cryptography)

    def wrap(self, data_key: DataKey) -> KeyRecord:
        """Wrap by the first master key. Raises: MasterKeyMissing."""
        master = self.master_keys.first()
        wrapped = self._wrap(data_key, master.key, _wrapped_by(master.name, None))
        return KeyRecord.with_checksum(data_key.vault_id, wrapped, master_key=master.name)

    def unwrap(self, record: KeyRecord) -> DataKey:
        """Raises: MasterKeyMissing, VaultDamaged."""
        record.require_intact()
        if record.master_key is None:
            raise VaultDamaged(record.vault_id)
        key = self.master_keys.named(record.master_key).key
        data_key = self._unwrap(record, key, _wrapped_by(record.master_key, None))
        if data_key is None:
            raise VaultDamaged(record.vault_id)
        return data_key

    def wrap_by_passphrase(
        self, data_key: DataKey, key: bytes, derivation: Derivation
    ) -> KeyRecord:
        """Wrap by `key`, which was derived from the passphrase with these parameters."""
        wrapped = self._wrap(data_key, key, _wrapped_by(None, derivation))
        return KeyRecord.with_checksum(data_key.vault_id, wrapped, derivation=derivation)

    def unwrap_by_passphrase(self, record: KeyRecord, key: bytes) -> DataKey | None:
        """Unwrap by a key from a passphrase; return None when the passphrase is wrong."""
        return self._unwrap(record, key, _wrapped_by(None, record.derivation))

    def _wrap(self, data_key: DataKey, key: bytes, associated_data: tuple[bytes, ...]) -> bytes:
        vault = data_key.vault_id.bytes
        return self.cryptography.seal(key, data_key.key, "data key", vault, *associated_data)

    def _unwrap(
        self, record: KeyRecord, key: bytes, associated_data: tuple[bytes, ...]
    ) -> DataKey | None:
        vault = record.vault_id.bytes
        try:
            opened = self.cryptography.open(
                key, record.wrapped, "data key", vault, *associated_data
            )
        except Tampered:
            return None
        return DataKey(record.vault_id, opened, self.cryptography)


@dataclass(frozen=True, slots=True)
class RewrappedBatch:
    """The number of rewrapped keys of a batch, and the vaults whose keys cannot be unwrapped.

    `last` is the last vault of the batch, after which the next one starts.
    """

    last: UUID
    rewrapped: int
    failed: tuple[UUID, ...]


class VaultKeyService:
    """The rewrap of data keys under the first master key."""

    def __init__(self, vault_keys: VaultKeyRepository, keyring: Keyring) -> None:
        self._vault_keys = vault_keys
        self._keyring = keyring

    async def rewrap_batch(self, after: UUID, limit: int) -> RewrappedBatch | None:
        """Rewrap the next keys that another master key than the first one wraps.

        Starts after the vault `after`; returns None when no key is left. Raises: MasterKeyMissing.
        """
        first = self._keyring.master_keys.first().name
        records = await self._vault_keys.under_other_master_keys(first, after, limit)
        if not records:
            return None
        failed: list[UUID] = []
        for record in records:
            try:
                data_key = self._keyring.unwrap(record)
            except (MasterKeyMissing, VaultDamaged):
                failed.append(record.vault_id)
            else:
                await self._vault_keys.replace(self._keyring.wrap(data_key))
        return RewrappedBatch(records[-1].vault_id, len(records) - len(failed), tuple(failed))


def _wrapped_by(master_key: bytes | None, derivation: Derivation | None) -> tuple[bytes, ...]:
    if derivation is not None:
        return (b"passphrase", *derivation.parts())
    return (b"master key", master_key or b"")


def _checksum(vault_id: UUID, wrapped: bytes, wrapped_by: tuple[bytes, ...]) -> bytes:
    parts = (vault_id.bytes, wrapped, *wrapped_by)
    return hashlib.sha256(b"".join(len(each).to_bytes(4) + each for each in parts)).digest()
