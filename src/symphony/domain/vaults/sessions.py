"""Access to the contents of a vault: the caller's credentials, and the sessions that unlock it."""

import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from symphony.domain.base import utc_now
from symphony.domain.reach import Reach
from symphony.domain.vaults.keys import (
    Cryptography,
    DataKey,
    KeyRecord,
    Keyring,
    Tampered,
    VaultDamaged,
)
from symphony.domain.vaults.vaults import Protection, VaultLocked

MAX_SESSIONS = 100
"""Unexpired sessions per vault."""
_NO_SESSION = "The vault is unlocked for its sessions only; unlock it to get a session of your own."
_OTHER_SESSION = (
    "The session has expired, was revoked, or is bound to another vault or token; unlock the vault"
    " again."
)
SESSION_PREFIX = "symv_"  # the start of every session, by which scanners find leaked ones
SESSION_BYTES = 32  # random


@dataclass(frozen=True, slots=True)
class VaultCredentials:
    """The credentials of a caller for a vault: the hash of the token, and a session."""

    reach: Reach
    vault_id: UUID
    token_hash: bytes = field(repr=False)
    session: str | None = field(repr=False)

    def session_hash(self, cryptography: Cryptography) -> bytes | None:
        """The hash under which the session is stored; None without a session."""
        return None if self.session is None else _session_hash(self.session, cryptography)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A stored session: the data key, wrapped by a key that only the holder of the session has."""

    session_hash: bytes
    vault_id: UUID
    api_token_id: UUID | None
    expires_at: datetime
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """The stored records, read together, that decide whether a vault can be accessed."""

    protection: Protection
    is_locked: bool
    key: KeyRecord | None
    has_entries: bool
    session: SessionRecord | None


class VaultSessionRepository(ABC):
    """The sessions of all vaults. The vault's row is locked before sessions are written."""

    @abstractmethod
    async def access(self, reach: Reach, vault_id: UUID, session_hash: bytes | None) -> VaultAccess:
        """Raises: NotFound for the vault."""

    @abstractmethod
    async def add(self, session: SessionRecord) -> None:
        """Store a session; when a vault has too many, remove the ones that expire first."""

    @abstractmethod
    async def remove_expired(self) -> None:
        """Remove the expired sessions of all vaults, except rows that are locked just now."""

    @abstractmethod
    async def remove_all(self, vault_id: UUID) -> None:
        """Remove all sessions of a vault."""

    @abstractmethod
    async def remove_of_access_tokens(self, user_id: UUID) -> None:
        """Remove the sessions of a user's access tokens, and lock their vaults."""


def new_session(
    data_key: DataKey, token_hash: bytes, api_token_id: UUID | None, expires_at: datetime
) -> tuple[str, SessionRecord]:
    """Create a session, which is returned only once, and its record."""
    session = SESSION_PREFIX + secrets.token_urlsafe(SESSION_BYTES)
    cryptography = data_key.cryptography
    session_hash = _session_hash(session, cryptography)
    aad = _associated_data(data_key.vault_id, session_hash, api_token_id, expires_at)
    key = _session_key(session, token_hash, cryptography)
    wrapped = cryptography.seal(key, data_key.key, "session", *aad)
    return session, SessionRecord(
        session_hash, data_key.vault_id, api_token_id, expires_at, wrapped
    )


def session_expiry(ttl_seconds: int, token_expires_at: datetime | None) -> datetime:
    """The expiry time of a new session: not later than that of the token it is bound to."""
    expires_at = utc_now() + timedelta(seconds=ttl_seconds)
    return expires_at if token_expires_at is None else min(expires_at, token_expires_at)


@dataclass(frozen=True, slots=True)
class UnwrappedKey:
    """A vault's data key, and the record from which it was unwrapped."""

    data_key: DataKey
    record: KeyRecord | SessionRecord


async def unwrap_data_key(
    vault_sessions: VaultSessionRepository,
    keyring: Keyring,
    credentials: VaultCredentials,
    known: UnwrappedKey | None = None,
) -> UnwrappedKey | None:
    """Return the key of a vault that is unlocked for the credentials.

    It is None for an empty vault that has no key yet.

    `known` is the result of an earlier call with the same credentials. The check that the vault is
    unlocked is repeated; the key is unwrapped again only if its record has changed.

    Raises: NotFound for the vault, VaultLocked, VaultDamaged, MasterKeyMissing.
    """
    session_hash = credentials.session_hash(keyring.cryptography)
    found = await vault_sessions.access(credentials.reach, credentials.vault_id, session_hash)
    record = _unlocking_record(found, credentials)
    if record is None:
        return None
    if known is not None and known.record == record:
        return known
    if isinstance(record, KeyRecord):
        return UnwrappedKey(keyring.unwrap(record), record)
    return UnwrappedKey(_unwrap_session(record, credentials, keyring.cryptography), record)


def _unlocking_record(
    found: VaultAccess, credentials: VaultCredentials
) -> KeyRecord | SessionRecord | None:
    if found.is_locked:
        raise VaultLocked
    if found.protection is Protection.NONE:
        if found.key is None and found.has_entries:
            raise VaultDamaged(credentials.vault_id)
        return found.key
    if found.key is None or found.key.master_key is not None:
        raise VaultDamaged(credentials.vault_id)
    if credentials.session is None:
        raise VaultLocked(_NO_SESSION)
    if found.session is None or found.session.expires_at <= utc_now():
        raise VaultLocked(_OTHER_SESSION)
    return found.session


def _unwrap_session(
    record: SessionRecord, credentials: VaultCredentials, cryptography: Cryptography
) -> DataKey:
    aad = _associated_data(
        record.vault_id, record.session_hash, record.api_token_id, record.expires_at
    )
    key = _session_key(credentials.session or "", credentials.token_hash, cryptography)
    try:
        data_key = cryptography.open(key, record.wrapped, "session", *aad)
    except Tampered:  # it is bound to another token, or was tampered with
        raise VaultLocked(_OTHER_SESSION) from None
    return DataKey(record.vault_id, data_key, cryptography)


def _session_hash(session: str, cryptography: Cryptography) -> bytes:
    return cryptography.subkey(_encoded(session), "session name")


def _session_key(session: str, token_hash: bytes, cryptography: Cryptography) -> bytes:
    return cryptography.subkey(_encoded(session) + token_hash, "session key")


def _encoded(session: str) -> bytes:
    return session.encode("utf-8", "surrogatepass")  # any text is valid, although unknown


def _associated_data(
    vault_id: UUID, session_hash: bytes, api_token_id: UUID | None, expires_at: datetime
) -> tuple[bytes, ...]:
    token = b"" if api_token_id is None else api_token_id.bytes
    return (vault_id.bytes, session_hash, token, expires_at.isoformat().encode())
