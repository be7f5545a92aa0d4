"""The keys of vaults: for each a random data key, which is kept only wrapped by another key."""

import hashlib
import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from symphony.domain.errors import DomainError

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork

KEY_BYTES = 32
SALT_BYTES = 16  # RFC 9106, section 4


class Tampered(Exception):
    """A sealed record is not what was sealed, or not where it was sealed."""


class Damaged(DomainError):
    """Something kept for a vault does not open; `ids` say what, for the log."""

    def __init__(self, slug: str, detail: str, **ids: UUID) -> None:
        super().__init__(slug, detail)
        self.ids = {name: str(each) for name, each in ids.items()}


class VaultDamaged(Damaged):
    """A vault's key does not open, so nothing in the vault does."""

    def __init__(self, vault_id: UUID) -> None:
        super().__init__(
            "vault-damaged",
            "The vault's key has been altered where it is kept, so that nothing in the vault can be"
            " opened.",
            vault_id=vault_id,
        )


class MasterKeyMissing(DomainError):
    """The service has no master key, or not the one that is needed."""

    def __init__(self, detail: str) -> None:
        super().__init__("master-key-missing", detail)


class Cryptography(Protocol):
    """Authenticated encryption and derived keys, from a library."""

    def subkey(self, key: bytes, purpose: str) -> bytes:
        """A key for one purpose, from which neither `key` nor another purpose's is found."""
        ...

    def seal(self, key: bytes, content: bytes, purpose: str, *about: bytes) -> bytes:
        """Encrypts; it opens only for the same purpose and with the same things about it."""
        ...

    def open(self, key: bytes, sealed: bytes, purpose: str, *about: bytes) -> bytes:
        """Raises: Tampered."""
        ...


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key of the service. Its name is a hash, which says nothing about the key."""

    name: bytes
    key: bytes = field(repr=False)


class MasterKeys(Protocol):
    """The service's master keys: the first one wraps, each unwraps."""

    def first(self) -> MasterKey:
        """Raises: MasterKeyMissing."""
        ...

    def named(self, name: bytes) -> MasterKey:
        """Raises: MasterKeyMissing."""
        ...

    def changing(self) -> AbstractContextManager[None]:
        """Around wrapping everything under the first one: nothing else is needed afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a key comes from a passphrase (Argon2id, RFC 9106); `memory` in KiB."""

    salt: bytes
    memory: int
    passes: int
    lanes: int

    @property
    def is_within_bounds(self) -> bool:
        """Whether it is one of ours: what somebody has put into the database could ask for
        terabytes."""
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
    """A vault's data key, wrapped by the named master key or by what comes from a passphrase.

    A wrong passphrase and an altered record would look the same without the checksum, which is a
    plain one: whoever can compute it anew still cannot open anything.
    """

    vault_id: UUID
    wrapped: bytes = field(repr=False)
    master_key: bytes | None
    derivation: Derivation | None
    checksum: bytes

    @classmethod
    def made(
        cls,
        vault_id: UUID,
        wrapped: bytes,
        *,
        master_key: bytes | None = None,
        derivation: Derivation | None = None,
    ) -> "KeyRecord":
        checksum = _checksum(vault_id, wrapped, _wrapped_by(master_key, derivation))
        return cls(vault_id, wrapped, master_key, derivation, checksum)

    def require_whole(self) -> None:
        """Raises: VaultDamaged."""
        wrapped_by = _wrapped_by(self.master_key, self.derivation)
        if (
            (self.master_key is None) is (self.derivation is None)  # it is wrapped by one of them
            or self.checksum != _checksum(self.vault_id, self.wrapped, wrapped_by)
            or (self.derivation is not None and not self.derivation.is_within_bounds)
        ):
            raise VaultDamaged(self.vault_id)


class VaultKeyRepository(ABC):
    """The wrapped keys of all vaults. The vault's row is locked before its key is written, but for
    wrapping it anew: that locks the key's row, and what it opens stays the same."""

    @abstractmethod
    async def find(self, owner_id: UUID, vault_id: UUID) -> KeyRecord | None:
        """That of an owner's vault, if it has one already."""

    @abstractmethod
    async def add(self, record: KeyRecord) -> None:
        """Keeps a vault's first one."""

    @abstractmethod
    async def replace(self, record: KeyRecord) -> None:
        """Keeps another one in the place of the vault's."""

    @abstractmethod
    async def need_a_master_key(self) -> bool:
        """Whether any is wrapped by one."""

    @abstractmethod
    async def under_other_master_keys(
        self, name: bytes, after: UUID, limit: int
    ) -> Sequence[KeyRecord]:
        """Records that a master key other than the named one wraps, of vaults with ids beyond
        `after`, in their order; they stay as they are until the unit of work ends."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A vault's data key in use."""

    vault_id: UUID
    key: bytes = field(repr=False)
    cryptography: Cryptography = field(repr=False)
    _subkeys: dict[str, bytes] = field(
        default_factory=dict[str, bytes], init=False, repr=False, compare=False
    )

    def seal(self, content: bytes, purpose: str, *about: bytes) -> bytes:
        """What no other vault opens, and this one only for the same purpose and things."""
        key = self._subkey(purpose)
        return self.cryptography.seal(key, content, purpose, self.vault_id.bytes, *about)

    def open(self, sealed: bytes, purpose: str, *about: bytes) -> bytes:
        """Raises: Tampered."""
        key = self._subkey(purpose)
        return self.cryptography.open(key, sealed, purpose, self.vault_id.bytes, *about)

    def keyed_hash(self, content: bytes, purpose: str) -> bytes:
        """A hash (RFC 2104) whose content nobody without the key can find by trying."""
        return hmac.digest(self._subkey(purpose), content, hashlib.sha256)

    def _subkey(self, purpose: str) -> bytes:
        if purpose not in self._subkeys:
            self._subkeys[purpose] = self.cryptography.subkey(self.key, purpose)
        return self._subkeys[purpose]


class Keyring:
    """Makes data keys, wraps them and unwraps them."""

    def __init__(self, cryptography: Cryptography, master_keys: MasterKeys) -> None:
        self.cryptography = cryptography
        self.master_keys = master_keys

    def new_key(self, vault_id: UUID) -> DataKey:
        return DataKey(vault_id, secrets.token_bytes(KEY_BYTES), self.cryptography)

    def wrap(self, data_key: DataKey) -> KeyRecord:
        """Wraps it by the first master key. Raises: MasterKeyMissing."""
        master = self.master_keys.first()
        wrapped = self._wrap(data_key, master.key, _wrapped_by(master.name, None))
        return KeyRecord.made(data_key.vault_id, wrapped, master_key=master.name)

    def unwrap(self, record: KeyRecord) -> DataKey:
        """Raises: MasterKeyMissing, VaultDamaged."""
        record.require_whole()
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
        """`key` is what the derivation has made of the passphrase."""
        wrapped = self._wrap(data_key, key, _wrapped_by(None, derivation))
        return KeyRecord.made(data_key.vault_id, wrapped, derivation=derivation)

    def unwrap_by_passphrase(self, record: KeyRecord, key: bytes) -> DataKey | None:
        """None when the passphrase is wrong."""
        return self._unwrap(record, key, _wrapped_by(None, record.derivation))

    def _wrap(self, data_key: DataKey, key: bytes, about: tuple[bytes, ...]) -> bytes:
        vault = data_key.vault_id.bytes
        return self.cryptography.seal(key, data_key.key, "data key", vault, *about)

    def _unwrap(self, record: KeyRecord, key: bytes, about: tuple[bytes, ...]) -> DataKey | None:
        vault = record.vault_id.bytes
        try:
            opened = self.cryptography.open(key, record.wrapped, "data key", vault, *about)
        except Tampered:
            return None
        return DataKey(record.vault_id, opened, self.cryptography)


@dataclass(frozen=True, slots=True)
class RewrapBatch:
    """How many keys of a batch were wrapped anew, and of which vaults they could not be opened."""

    last: UUID
    wrapped: int
    unopened: tuple[UUID, ...]


class VaultKeyService:
    """Wraps keys under another master key."""

    def __init__(self, uow: "UnitOfWork", keyring: Keyring) -> None:
        self._uow = uow
        self._keyring = keyring

    async def rewrap_batch(self, after: UUID, limit: int) -> RewrapBatch | None:
        """Of the vaults beyond `after` the first ones that are not under the first master key;
        None when there are none. Raises: MasterKeyMissing."""
        first = self._keyring.master_keys.first().name
        records = await self._uow.vault_keys.under_other_master_keys(first, after, limit)
        if not records:
            return None
        unopened: list[UUID] = []
        for record in records:
            try:
                data_key = self._keyring.unwrap(record)
            except (MasterKeyMissing, VaultDamaged):
                unopened.append(record.vault_id)
            else:
                await self._uow.vault_keys.replace(self._keyring.wrap(data_key))
        return RewrapBatch(records[-1].vault_id, len(records) - len(unopened), tuple(unopened))


def _wrapped_by(master_key: bytes | None, derivation: Derivation | None) -> tuple[bytes, ...]:
    if derivation is not None:
        return (b"passphrase", *derivation.parts())
    return (b"master key", master_key or b"")


def _checksum(vault_id: UUID, wrapped: bytes, wrapped_by: tuple[bytes, ...]) -> bytes:
    parts = (vault_id.bytes, wrapped, *wrapped_by)
    return hashlib.sha256(b"".join(len(each).to_bytes(4) + each for each in parts)).digest()
