"""Getting at what is in a vault: who comes, what they show, and the sessions that open it."""

import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from symphony.domain.base import utc_now
from symphony.domain.unit_of_work import Repositories
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
"""Live ones, of one vault."""
SESSION_PREFIX = "symv_"  # what sessions begin with, so that scanners can find them
SESSION_BYTES = 32


@dataclass(frozen=True, slots=True)
class VaultCredentials:
    """Somebody who comes to a vault: with a bearer token, known by its hash, and a session."""

    user_id: UUID
    vault_id: UUID
    token_hash: bytes = field(repr=False)
    session: str | None = field(repr=False)

    def session_hash(self, cryptography: Cryptography) -> bytes | None:
        """Under what the session is kept, if one is shown."""
        return None if self.session is None else _session_hash(self.session, cryptography)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What is kept of a session: the data key, wrapped by what nobody but its holder has."""

    session_hash: bytes
    vault_id: UUID
    api_token_id: UUID | None
    expires_at: datetime
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """What there is to open a vault with, as of one moment."""

    protection: Protection
    is_locked: bool
    key: KeyRecord | None
    has_entries: bool
    session: SessionRecord | None


class VaultSessionRepository(ABC):
    """The sessions of all vaults. The vault's row is locked before any is kept or ended."""

    @abstractmethod
    async def access(
        self, user_id: UUID, vault_id: UUID, session_hash: bytes | None
    ) -> VaultAccess:
        """Raises: NotFound for the vault."""

    @abstractmethod
    async def add(self, session: SessionRecord) -> None:
        """Keeps a session; of too many of a vault those give way that would end first."""

    @abstractmethod
    async def remove_expired(self) -> None:
        """Removes those of all vaults whose time is up, but for those that somebody else has locked
        at the moment."""

    @abstractmethod
    async def end_all(self, vault_id: UUID) -> None:
        """Removes all of a vault's."""


def new_session(
    data_key: DataKey, token_hash: bytes, api_token_id: UUID | None, expires_at: datetime
) -> tuple[str, SessionRecord]:
    """The session, which is shown once, and what is kept of it."""
    session = SESSION_PREFIX + secrets.token_urlsafe(SESSION_BYTES)
    cryptography = data_key.cryptography
    session_hash = _session_hash(session, cryptography)
    about = _about(data_key.vault_id, session_hash, api_token_id, expires_at)
    key = _session_key(session, token_hash, cryptography)
    wrapped = cryptography.seal(key, data_key.key, "session", *about)
    return session, SessionRecord(
        session_hash, data_key.vault_id, api_token_id, expires_at, wrapped
    )


def lifetime_end(ttl_seconds: int, token_ends_at: datetime | None) -> datetime:
    """When a session ends that begins now: no later than the token that it is bound to."""
    ends_at = utc_now() + timedelta(seconds=ttl_seconds)
    return ends_at if token_ends_at is None else min(ends_at, token_ends_at)


async def data_key(
    repositories: Repositories, keyring: Keyring, credentials: VaultCredentials
) -> DataKey | None:
    """The key of a vault that is open for the credentials; None when it has none, being empty.

    Raises: NotFound for the vault, VaultLocked, VaultDamaged, MasterKeyMissing.
    """
    session_hash = credentials.session_hash(keyring.cryptography)
    found = await repositories.vault_sessions.access(
        credentials.user_id, credentials.vault_id, session_hash
    )
    if found.is_locked:
        raise VaultLocked
    if found.protection is Protection.NONE:
        if found.key is not None:
            return keyring.unwrap(found.key)
        if found.has_entries:
            raise VaultDamaged(credentials.vault_id)
        return None
    if found.key is None or found.key.master_key is not None:
        raise VaultDamaged(credentials.vault_id)
    if found.session is None or found.session.expires_at <= utc_now():
        raise VaultLocked
    return _opened(found.session, credentials, keyring.cryptography)


def _opened(
    record: SessionRecord, credentials: VaultCredentials, cryptography: Cryptography
) -> DataKey:
    about = _about(record.vault_id, record.session_hash, record.api_token_id, record.expires_at)
    key = _session_key(credentials.session or "", credentials.token_hash, cryptography)
    try:
        opened = cryptography.open(key, record.wrapped, "session", *about)
    except Tampered:  # another token's, or altered where it is kept: it opens nothing
        raise VaultLocked from None
    return DataKey(record.vault_id, opened, cryptography)


def _session_hash(session: str, cryptography: Cryptography) -> bytes:
    return cryptography.subkey(_encoded(session), "session name")


def _session_key(session: str, token_hash: bytes, cryptography: Cryptography) -> bytes:
    return cryptography.subkey(_encoded(session) + token_hash, "session key")


def _encoded(session: str) -> bytes:
    return session.encode("utf-8", "surrogatepass")  # whatever somebody sends is merely unknown


def _about(
    vault_id: UUID, session_hash: bytes, api_token_id: UUID | None, expires_at: datetime
) -> tuple[bytes, ...]:
    token = b"" if api_token_id is None else api_token_id.bytes
    return (vault_id.bytes, session_hash, token, expires_at.isoformat().encode())
