"""Entries of vaults: versioned texts or bytes under keys such as `clients/acme/db`."""

import base64
import binascii
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.errors import DomainError, FieldError, Invalid, RuleBroken
from symphony.domain.json_objects import compact
from symphony.domain.vaults.keys import Damaged, DataKey, Tampered
from symphony.domain.vaults.sessions import VaultCredentials

MAX_ENTRIES = 1000
"""Per vault; listing decrypts the keys of all of them."""
MAX_VERSIONS = 10
MAX_KEY = 512
MAX_CONTENT = 262_144  # bytes
MAX_CONTENT_TYPE = 255
MAX_CONTENT_TEXT = 4 * ((MAX_CONTENT + 2) // 3)
"""The length of the longest content, in base64."""
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
MEDIA_TYPE_PATTERN = rf"^{_WORD}/{_WORD}(?: *; *{_WORD}=(?:{_WORD}|{_QUOTED}))*$"
_MEDIA_TYPE = re.compile(MEDIA_TYPE_PATTERN)
_NOT_UTF_8 = "\ufffd"  # replaces bytes that are not UTF-8


class Encoding(StrEnum):
    """The representation of a content in JSON."""

    UTF_8 = "utf-8"
    BASE64 = "base64"


def entry_key(value: object) -> str:
    """1 to 512 characters in parts separated by slashes; no part is empty, `.` or `..`."""
    given = rules.text(value)
    if not 1 <= len(given) <= MAX_KEY:
        raise RuleBroken("key-length", f"Must have 1 to {MAX_KEY} characters.")
    if rules.CONTROL_CHARACTER.search(given):
        raise RuleBroken("control-character", "Must not contain control characters.")
    if _NOT_UTF_8 in given:
        raise RuleBroken("not-utf-8", "Must be valid UTF-8.")
    if any(part in {"", ".", ".."} for part in given.split("/")):
        raise RuleBroken(
            "not-an-entry-key", 'Must not have a part between slashes that is empty, "." or "..".'
        )
    return given


def content_type(value: object) -> str:
    """A media type (RFC 9110, section 8.3.1) of at most 255 characters."""
    given = rules.text(value)
    if len(given) > MAX_CONTENT_TYPE:
        raise RuleBroken("too-long", f"Must have at most {MAX_CONTENT_TYPE} characters.")
    if not _MEDIA_TYPE.fullmatch(given):
        raise RuleBroken(
            "not-a-media-type", "Must be a media type, such as text/plain; charset=utf-8."
        )
    return given


@dataclass(frozen=True, slots=True)
class Content:
    """The content of an entry."""

    data: bytes = field(repr=False)
    content_type: str
    encoding: Encoding

    @classmethod
    def from_text(cls, content: str, content_type: str, encoding: Encoding) -> Self:
        """Decode a content. Raises: Invalid."""
        try:
            data = _decoded(content, encoding)
        except RuleBroken as broken:
            raise Invalid([FieldError("content", broken.code, broken.detail)]) from None
        return cls(data, content_type, encoding)

    @property
    def text(self) -> str:
        """The content in its encoding, exactly as it was sent."""
        if self.encoding is Encoding.BASE64:
            return base64.b64encode(self.data).decode("ascii")
        return self.data.decode("utf-8")


def _decoded(content: str, encoding: Encoding) -> bytes:
    if encoding is Encoding.UTF_8:
        data = rules.text(content).encode()
    else:
        try:
            data = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise _not_base64() from None
        if base64.b64encode(data) != content.encode("ascii"):  # unused bits are set
            raise _not_base64()
    if len(data) > MAX_CONTENT:
        raise RuleBroken("too-large", f"Must have at most {MAX_CONTENT // 1024} KiB.")
    return data


def _not_base64() -> RuleBroken:
    return RuleBroken("not-base64", "Must be base64 (RFC 4648, section 4), padded, on one line.")


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The facts of a version, without its content; `size` in bytes."""

    content_type: str
    encoding: Encoding
    size: int
    created_at: datetime

    def encode(self) -> bytes:
        moment = self.created_at.isoformat()
        return compact([self.content_type, self.encoding, self.size, moment]).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        content_type, encoding, size, moment = json.loads(encoded)
        return cls(content_type, Encoding(encoding), size, datetime.fromisoformat(moment))


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """One version of an entry, decrypted, without its content."""

    entry_id: UUID
    key: str = field(repr=False)
    version: int
    facts: VersionFacts

    @property
    def tag(self) -> str:
        """The identifier of this state; a later entry under the same key has other ones."""
        return entry_tag(self.entry_id, self.version)


def entry_tag(entry_id: UUID, version: int) -> str:
    return f"{entry_id.hex}-{version}"


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A stored entry: `lookup` is the keyed hash of its key, `sealed` the encrypted key."""

    id: UUID
    lookup: bytes
    newest: int
    oldest: int
    sealed: bytes

    @property
    def stored_bytes(self) -> int:
        """What counts towards the limits of storage; the versions count beside it."""
        return len(self.sealed)


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """A stored version, encrypted; lists do not read the content."""

    version: int
    facts: bytes
    content: bytes = field(default=b"", repr=False)

    @property
    def stored_bytes(self) -> int:
        """What counts towards the limits of storage."""
        return len(self.facts) + len(self.content)


class EntrySealing:
    """Encryption and decryption of the entries of one vault.

    The associated data of each record include its entry and version, so no record can replace
    another one. The associated data of an entry also include the numbers of its versions, so
    neither the entry nor a version can be replaced by an older state alone.
    """

    def __init__(self, data_key: DataKey) -> None:
        self._key = data_key

    def lookup(self, key: str) -> bytes:
        return self._key.keyed_hash(key.encode(), "entry lookup")

    def seal_entry(self, entry_id: UUID, key: str, newest: int, oldest: int) -> SealedEntry:
        lookup = self.lookup(key)
        aad = _entry_associated_data(entry_id, lookup, newest, oldest)
        sealed = self._key.seal(key.encode(), "entry", *aad)
        return SealedEntry(entry_id, lookup, newest, oldest, sealed)

    def key_of(self, entry: SealedEntry) -> str:
        """Raises: Tampered."""
        aad = _entry_associated_data(entry.id, entry.lookup, entry.newest, entry.oldest)
        return self._key.open(entry.sealed, "entry", *aad).decode()

    def seal_version(self, version: EntryVersion, data: bytes) -> SealedVersion:
        facts = version.facts.encode()
        aad = _version_associated_data(version.entry_id, version.version)
        sealed_facts = self._key.seal(facts, "entry facts", *aad)
        content = self._key.seal(data, "entry content", *aad, version.key.encode(), facts)
        return SealedVersion(version.version, sealed_facts, content)

    def open_version(self, entry: SealedEntry, sealed: SealedVersion | None) -> EntryVersion:
        """Decrypt the facts of a version; None stands for a missing one. Raises: Tampered."""
        if sealed is None:
            raise Tampered
        aad = _version_associated_data(entry.id, sealed.version)
        facts = VersionFacts.decode(self._key.open(sealed.facts, "entry facts", *aad))
        return EntryVersion(entry.id, self.key_of(entry), sealed.version, facts)

    def open_content(self, version: EntryVersion, sealed: SealedVersion | None) -> Content:
        """Decrypt the content of a version. Raises: Tampered."""
        if sealed is None:
            raise Tampered
        facts = version.facts
        aad = _version_associated_data(version.entry_id, version.version)
        data = self._key.open(
            sealed.content, "entry content", *aad, version.key.encode(), facts.encode()
        )
        return Content(data, facts.content_type, facts.encoding)

    def seal_cursor(self, key: str, *context: bytes) -> bytes:
        """Seal a position in a list: a cursor may be logged, and the position is an entry's key."""
        return self._key.seal(key.encode(), "cursor", *context)

    def open_cursor(self, sealed: bytes, *context: bytes) -> str:
        """Raises: Tampered."""
        return self._key.open(sealed, "cursor", *context).decode()


def _entry_associated_data(
    entry_id: UUID, lookup: bytes, newest: int, oldest: int
) -> tuple[bytes, ...]:
    return (entry_id.bytes, lookup, str(newest).encode(), str(oldest).encode())


def _version_associated_data(entry_id: UUID, version: int) -> tuple[bytes, ...]:
    return (entry_id.bytes, str(version).encode())


class EntryNotFound(DomainError):
    """No entry of the vault has this key."""

    def __init__(self) -> None:
        super().__init__("entry-not-found", "There is no entry with this key in the vault.")


class VersionNotFound(DomainError):
    """The entry has never had this version."""

    def __init__(self) -> None:
        super().__init__("version-not-found", "The entry has no version with this number yet.")


class VersionGone(DomainError):
    """The entry had this version, which is no longer stored."""

    def __init__(self) -> None:
        super().__init__(
            "version-gone", f"Only the last {MAX_VERSIONS} versions of an entry are stored."
        )


class InvalidEntryCursor(DomainError):
    """The cursor belongs to another list, or was tampered with."""

    def __init__(self) -> None:
        super().__init__("invalid-cursor", "The cursor is not valid for this list.")


class EntryDamaged(Damaged):
    """An entry or one of its versions was tampered with."""

    def __init__(self, vault_id: UUID, entry_id: UUID) -> None:
        super().__init__(
            "entry-damaged",
            "The stored entry was tampered with, and is not returned. Put it again or delete it;"
            " the vault's other entries are not affected.",
            vault_id=vault_id,
            entry_id=entry_id,
        )


class VaultEntryRepository(ABC):
    """The entries of all vaults, sealed.

    Each read checks in the same statement that the vault is unlocked for the credentials, so
    nothing is read after a lock was acknowledged. The vault's row is locked before a write.
    """

    @abstractmethod
    async def read(
        self,
        credentials: VaultCredentials,
        session_hash: bytes | None,
        lookup: bytes,
        version: int | None,
    ) -> tuple[SealedEntry, SealedVersion | None] | None:
        """Get an entry and one version, the newest by default. Raises: NotFound, VaultLocked."""

    @abstractmethod
    async def versions(
        self, credentials: VaultCredentials, session_hash: bytes | None, lookup: bytes
    ) -> tuple[SealedEntry, Sequence[SealedVersion]] | None:
        """Get an entry and all its versions, without content. Raises: NotFound, VaultLocked."""

    @abstractmethod
    async def all(
        self, credentials: VaultCredentials, session_hash: bytes | None
    ) -> Sequence[tuple[SealedEntry, SealedVersion | None]]:
        """List all entries with their newest versions, without content.

        Raises: NotFound, VaultLocked.
        """

    @abstractmethod
    async def count(self, vault_id: UUID) -> int:
        """The number of entries of a vault."""

    @abstractmethod
    async def find(self, vault_id: UUID, lookup: bytes) -> SealedEntry | None: ...

    @abstractmethod
    async def find_version(self, entry_id: UUID, version: int) -> SealedVersion | None: ...

    @abstractmethod
    async def add(self, vault_id: UUID, entry: SealedEntry) -> None: ...

    @abstractmethod
    async def save(self, entry: SealedEntry) -> int:
        """Store a new state of an entry, and remove its versions before the oldest one.

        Returns the bytes of what it removes.

        The newest version is added separately; a stored version with its number is removed.
        """

    @abstractmethod
    async def add_version(self, entry_id: UUID, version: SealedVersion) -> None: ...

    @abstractmethod
    async def remove(self, entry_id: UUID) -> int:
        """Remove an entry with all its versions, and return their bytes."""
