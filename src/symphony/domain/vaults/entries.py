"""Entries of vaults: texts and bytes under keys such as `clients/acme/db`, in versions."""

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
"""In one vault: a list of them opens the keys of all."""
MAX_VERSIONS = 10
MAX_KEY = 512
MAX_CONTENT = 262_144  # bytes
MAX_CONTENT_TYPE = 255
MAX_CONTENT_TEXT = 4 * ((MAX_CONTENT + 2) // 3)
"""Characters that a content can have: all of it in base64."""
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
MEDIA_TYPE_PATTERN = rf"^{_WORD}/{_WORD}(?: *; *{_WORD}=(?:{_WORD}|{_QUOTED}))*$"
_MEDIA_TYPE = re.compile(MEDIA_TYPE_PATTERN)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_UTF_8 = "\ufffd"  # what stands for bytes of an address that are none


class Encoding(StrEnum):
    """How a content stands in JSON."""

    UTF_8 = "utf-8"
    BASE64 = "base64"


def entry_key(value: object) -> str:
    """1 to 512 characters, parted by slashes; no part is empty, `.` or `..`."""
    given = rules.text(value)
    if not 1 <= len(given) <= MAX_KEY:
        raise RuleBroken("key-length", f"1 to {MAX_KEY} characters.")
    if _CONTROL_CHARACTER.search(given):
        raise RuleBroken("control-character", "Control characters are not allowed.")
    if _NOT_UTF_8 in given:
        raise RuleBroken("not-utf-8", "The key must be percent-encoded UTF-8.")
    if any(part in {"", ".", ".."} for part in given.split("/")):
        raise RuleBroken("not-an-entry-key", "No part between slashes is empty, . or ..")
    return given


def content_type(value: object) -> str:
    """A media type (RFC 9110, section 8.3.1) of at most 255 characters."""
    given = rules.text(value)
    if len(given) > MAX_CONTENT_TYPE:
        raise RuleBroken("too-long", f"At most {MAX_CONTENT_TYPE} characters.")
    if not _MEDIA_TYPE.fullmatch(given):
        raise RuleBroken("not-a-media-type", "A media type such as text/plain; charset=utf-8.")
    return given


@dataclass(frozen=True, slots=True)
class Content:
    """What somebody puts into an entry."""

    data: bytes = field(repr=False)
    content_type: str
    encoding: Encoding

    @classmethod
    def given(cls, content: str, content_type: str, encoding: Encoding) -> Self:
        """What is given as text. Raises: Invalid."""
        try:
            data = _decoded(content, encoding)
        except RuleBroken as broken:
            raise Invalid([FieldError("content", broken.code, broken.detail)]) from None
        return cls(data, content_type, encoding)

    @property
    def text(self) -> str:
        """As it was given."""
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
        if base64.b64encode(data) != content.encode("ascii"):  # bits that mean nothing are set
            raise _not_base64()
    if len(data) > MAX_CONTENT:
        raise RuleBroken("too-large", f"At most {MAX_CONTENT // 1024} KiB.")
    return data


def _not_base64() -> RuleBroken:
    return RuleBroken("not-base64", "Base64 (RFC 4648, section 4), padded, on one line.")


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """What is shown of a version without its content; `size` in bytes."""

    content_type: str
    encoding: Encoding
    size: int
    created_at: datetime

    def written(self) -> bytes:
        moment = self.created_at.isoformat()
        return compact([self.content_type, self.encoding, self.size, moment]).encode()

    @classmethod
    def read(cls, written: bytes) -> Self:
        content_type, encoding, size, moment = json.loads(written)
        return cls(content_type, Encoding(encoding), size, datetime.fromisoformat(moment))


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """One version of an entry, as it is shown."""

    entry_id: UUID
    key: str = field(repr=False)
    version: int
    facts: VersionInfo

    @property
    def tag(self) -> str:
        """Names this state of this entry; one that is made anew under the same key is another."""
        return entry_tag(self.entry_id, self.version)


def entry_tag(entry_id: UUID, version: int) -> str:
    return f"{entry_id.hex}-{version}"


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry as it is kept: under the keyed hash of its key, which is sealed itself."""

    id: UUID
    lookup: bytes
    newest: int
    oldest: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """A version as it is kept; lists leave the content where it is."""

    version: int
    facts: bytes
    content: bytes = field(default=b"", repr=False)


class EntrySealing:
    """Seals entries of one vault and opens them.

    With each record goes where it belongs, so that none can stand in for another one, and with an
    entry which versions it has, so that neither can be set back by itself.
    """

    def __init__(self, data_key: DataKey) -> None:
        self._key = data_key

    def lookup(self, key: str) -> bytes:
        return self._key.keyed_hash(key.encode(), "entry lookup")

    def seal_entry(self, entry_id: UUID, key: str, newest: int, oldest: int) -> SealedEntry:
        lookup = self.lookup(key)
        about = _about_entry(entry_id, lookup, newest, oldest)
        sealed = self._key.seal(key.encode(), "entry", *about)
        return SealedEntry(entry_id, lookup, newest, oldest, sealed)

    def key_of(self, entry: SealedEntry) -> str:
        """Raises: Tampered."""
        about = _about_entry(entry.id, entry.lookup, entry.newest, entry.oldest)
        return self._key.open(entry.sealed, "entry", *about).decode()

    def seal_version(self, shown: EntryVersion, data: bytes) -> SealedVersion:
        written, about = shown.facts.written(), _about_version(shown.entry_id, shown.version)
        facts = self._key.seal(written, "entry facts", *about)
        about = (*about, shown.key.encode(), written)
        return SealedVersion(shown.version, facts, self._key.seal(data, "entry content", *about))

    def shown(self, entry: SealedEntry, version: SealedVersion | None) -> EntryVersion:
        """A version of an entry, None standing for one that should be there. Raises: Tampered."""
        if version is None:
            raise Tampered
        about = _about_version(entry.id, version.version)
        facts = VersionInfo.read(self._key.open(version.facts, "entry facts", *about))
        return EntryVersion(entry.id, self.key_of(entry), version.version, facts)

    def content(self, shown: EntryVersion, version: SealedVersion | None) -> Content:
        """What such a version holds. Raises: Tampered."""
        if version is None:
            raise Tampered
        facts = shown.facts
        about = _about_version(shown.entry_id, shown.version)
        about = (*about, shown.key.encode(), facts.written())
        data = self._key.open(version.content, "entry content", *about)
        return Content(data, facts.content_type, facts.encoding)

    def seal_cursor(self, key: str, *context: bytes) -> bytes:
        """The place after an entry in a list: cursors stand in addresses, which proxies log."""
        return self._key.seal(key.encode(), "cursor", *context)

    def open_cursor(self, sealed: bytes, *context: bytes) -> str:
        """Raises: Tampered."""
        return self._key.open(sealed, "cursor", *context).decode()


def _about_entry(entry_id: UUID, lookup: bytes, newest: int, oldest: int) -> tuple[bytes, ...]:
    return (entry_id.bytes, lookup, str(newest).encode(), str(oldest).encode())


def _about_version(entry_id: UUID, version: int) -> tuple[bytes, ...]:
    return (entry_id.bytes, str(version).encode())


class EntryNotFound(DomainError):
    """Nothing in the vault has this key."""

    def __init__(self) -> None:
        super().__init__("entry-not-found", "There is no entry with this key in the vault.")


class VersionNotFound(DomainError):
    """The entry never had this version."""

    def __init__(self) -> None:
        super().__init__("version-not-found", "The entry has no such version yet.")


class VersionGone(DomainError):
    """The entry had this version, which is no longer kept."""

    def __init__(self) -> None:
        super().__init__(
            "version-gone", f"Only the last {MAX_VERSIONS} versions of an entry are kept."
        )


class InvalidEntryCursor(DomainError):
    """It was not made for this list, or it was altered."""

    def __init__(self) -> None:
        super().__init__("invalid-cursor", "The cursor does not belong here.")


class EntryDamaged(Damaged):
    """An entry or a version of it does not open."""

    def __init__(self, vault_id: UUID, entry_id: UUID) -> None:
        super().__init__(
            "entry-damaged",
            "The entry has been altered where it is kept, and is not shown. It can be put anew or"
            " deleted; the vault's other entries are not affected.",
            vault_id=vault_id,
            entry_id=entry_id,
        )


class VaultEntryRepository(ABC):
    """The entries of all vaults, sealed.

    Reads check in the same statement that the credentials open the vault, so that nothing is
    read after a lock was acknowledged. Before anything is written the vault's row is locked.
    """

    @abstractmethod
    async def read(
        self,
        credentials: VaultCredentials,
        session_hash: bytes | None,
        lookup: bytes,
        version: int | None,
    ) -> tuple[SealedEntry, SealedVersion | None] | None:
        """An entry and one version of it, the newest by default. Raises: NotFound, VaultLocked."""

    @abstractmethod
    async def versions(
        self, credentials: VaultCredentials, session_hash: bytes | None, lookup: bytes
    ) -> tuple[SealedEntry, Sequence[SealedVersion]] | None:
        """An entry and all its versions, without content. Raises: NotFound, VaultLocked."""

    @abstractmethod
    async def all(
        self, credentials: VaultCredentials, session_hash: bytes | None
    ) -> Sequence[tuple[SealedEntry, SealedVersion | None]]:
        """All entries with their newest versions, without content.

        Raises: NotFound, VaultLocked.
        """

    @abstractmethod
    async def count(self, vault_id: UUID) -> int:
        """How many entries a vault has."""

    @abstractmethod
    async def find(self, vault_id: UUID, lookup: bytes) -> SealedEntry | None: ...

    @abstractmethod
    async def find_version(self, entry_id: UUID, version: int) -> SealedVersion | None: ...

    @abstractmethod
    async def add(self, vault_id: UUID, entry: SealedEntry) -> None: ...

    @abstractmethod
    async def save(self, entry: SealedEntry) -> None:
        """Keeps another state of an entry, and of its versions only those from the oldest on that
        come before the newest, which is yet to be added."""

    @abstractmethod
    async def add_version(self, entry_id: UUID, version: SealedVersion) -> None: ...

    @abstractmethod
    async def remove(self, entry_id: UUID) -> None:
        """Removes an entry with all its versions."""
