"""The rules of single fields, each written once: entities and the API's schemas call them.

A rule takes any value and returns the value to store, or raises RuleBroken.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from symphony.domain.errors import FieldError, Invalid, RuleBroken
from symphony.domain.json_objects import storable_text

_Kept = TypeVar("_Kept")
_Word = TypeVar("_Word", bound=StrEnum)

MAX_NAME = 255
MAX_DESCRIPTION = 10_000
MAX_PATH = 4096
MAX_URL = 2048
MAX_EMAIL = 254
# An index entry of PostgreSQL has at most about 2,700 bytes, of which 16 are the parent's id.
MAX_KEY_BYTES = 2600

USERNAME_PATTERN = "^[A-Za-z][A-Za-z0-9_]{2,63}$"

# Unicode's category Cc, then the same without tab, line feed and carriage return.
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_CHARACTER_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_USERNAME = re.compile(USERNAME_PATTERN)
_NOT_IN_FOLDER_NAMES = re.compile(r'[/\\<>:"|?*]')
_NO_OFFSET = timedelta(0)
# The dot-string form of RFC 5321, section 4.1.2, with the letters that RFC 6531 adds.
_LOCAL_PART = re.compile(r"[\w!#$%&'*+\-/=?^`{|}~]+(\.[\w!#$%&'*+\-/=?^`{|}~]+)*")
_DOMAIN_LABEL = re.compile(r"(?!-)[^\W_](?:[^\W_]|-){0,62}(?<!-)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]*[A-Za-z0-9])?")
_IPV6_HOST = re.compile(r"[0-9A-Fa-f:.]{2,45}")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]*")
_SCP_LIKE = re.compile(r"(?P<user>[^@:/\s]+)@(?P<host>[^@:/\s]+):(?P<path>[^\s]+)")


def comparison_key(value: str) -> str:
    """The form in which names are compared and sorted: without case and Unicode form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())


def opaque_text(value: str) -> str:
    """The form of a password or passphrase that does not depend on the keyboard.

    Every kind of space becomes U+0020, and letters are composed (NFC), as in the profile
    OpaqueString of RFC 8265, section 4.2. Long values need a limit first: composing takes time in
    proportion to the square of the length.
    """
    spaced = (" " if unicodedata.category(each) == "Zs" else each for each in value)
    return unicodedata.normalize("NFC", "".join(spaced))


def checked(field: str, rule: Callable[[object], _Kept], value: object) -> _Kept:
    """Apply a rule to the value of a field. Raises: Invalid, with the field's name."""
    try:
        return rule(value)
    except RuleBroken as broken:
        raise Invalid([FieldError(field, broken.code, broken.detail)]) from None


def one_of(kind: type[_Word]) -> Callable[[object], _Word]:
    """A rule for the members of an enumeration, given as members or as their values."""

    def rule(value: object) -> _Word:
        try:
            return kind(value)
        except ValueError:
            raise RuleBroken("unknown-value", f"Must be one of: {', '.join(kind)}.") from None

    return rule


def name(value: object) -> str:
    """1 to 255 characters on one line; leading and trailing spaces are removed.

    The form for comparisons (NFKC, case folded) has at most 2,600 bytes. Only names of hundreds of
    ligatures exceed that.
    """
    trimmed = _single_line(value).strip()
    if not trimmed:
        raise RuleBroken("too-short", "Must have at least 1 character other than spaces.")
    _at_most(trimmed, MAX_NAME)
    if len(comparison_key(trimmed).encode()) > MAX_KEY_BYTES:
        raise RuleBroken("too-long", f"Must have at most {MAX_KEY_BYTES:,} bytes in NFKC.")
    return trimmed


def folder_name(value: object) -> str:
    """A name that every file system accepts for a directory."""
    trimmed = name(value)
    if trimmed in {".", ".."} or _NOT_IN_FOLDER_NAMES.search(trimmed):
        raise RuleBroken(
            "not-a-folder-name",
            'Must not contain any of / \\ < > : " | ? * and must not be "." or "..".',
        )
    return trimmed


def description(value: object) -> str | None:
    """At most 10,000 characters, including line breaks and tabs; or None."""
    if value is None:
        return None
    given = text(value)
    if _CONTROL_CHARACTER_IN_LINES.search(given):
        raise RuleBroken(
            "control-character",
            "Must not contain control characters other than tabs and line breaks.",
        )
    return _at_most(given, MAX_DESCRIPTION)


def path(value: object) -> str:
    """An absolute path, or one in the home directory (`~/`); it need not exist."""
    given = _at_most(_single_line(value), MAX_PATH)
    if not given.startswith(("/", "~/")):
        raise RuleBroken(
            "not-absolute", "Must be an absolute path (/…) or a path in the home directory (~/…)."
        )
    return given


def remote_url(value: object) -> str | None:
    """The address of a git remote, without a password; or None.

    `https://`, `http://` and `git://` without a user, `ssh://[user@]host/…`, or the short form
    `user@host:path`. Only a port and a path may follow the host; the path may be missing over
    http. An address that git could interpret as an option, a local file or a helper program (`-…`,
    `file:`, `ext::`) is refused.
    """
    if value is None:
        return None
    given = _at_most(_single_line(value), MAX_URL)
    if "://" in given:
        _check_url(given)
    else:
        _check_scp_like(given)
    return given


def username(value: object) -> str:
    """3 to 64 ASCII letters, digits or `_`, starting with a letter."""
    given = text(value)
    if not _USERNAME.fullmatch(given):
        raise RuleBroken(
            "not-a-username",
            "Must have 3 to 64 ASCII letters, digits or _, and start with a letter.",
        )
    return given


def email(value: object) -> str:
    """One mailbox of at most 254 characters (RFC 5321): no display name, a domain with a dot."""
    given = _at_most(_single_line(value), MAX_EMAIL)
    local_part, _, domain = given.rpartition("@")
    labels = domain.split(".")
    if (
        len(local_part.encode()) > 64
        or not _LOCAL_PART.fullmatch(local_part)
        or len(labels) < 2
        or not all(_DOMAIN_LABEL.fullmatch(label) for label in labels)
    ):
        raise RuleBroken("not-an-email", "Must be one e-mail address, such as ada@example.org.")
    return given


def utc_time(value: object) -> datetime:
    """A time with the offset zero. Naive and local times are refused, not converted."""
    if not isinstance(value, datetime) or value.utcoffset() != _NO_OFFSET:
        raise RuleBroken("not-utc", "Must be an aware time in UTC.")
    return value


def optional_utc_time(value: object) -> datetime | None:
    return None if value is None else utc_time(value)


def identity(value: object) -> UUID:
    """An id, as a UUID and not as text."""
    if not isinstance(value, UUID):
        raise RuleBroken("uuid-expected", "Must be a UUID.")
    return value


def optional_identity(value: object) -> UUID | None:
    return None if value is None else identity(value)


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise RuleBroken("boolean-expected", "Must be true or false.")
    return value


def positive(value: object) -> int:
    """A whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RuleBroken("not-positive", "Must be a whole number of at least 1.")
    return value


def count(value: object) -> int:
    """A whole number of at least 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RuleBroken("negative", "Must be a whole number of at least 0.")
    return value


def digest(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise RuleBroken("bytes-expected", "Must be bytes.")
    return value


def text(value: object) -> str:
    """A text that every database and every client can store."""
    if not isinstance(value, str):
        raise RuleBroken("string-expected", "Must be a string.")
    return storable_text(value)


def _single_line(value: object) -> str:
    given = text(value)
    if CONTROL_CHARACTER.search(given):
        raise RuleBroken("control-character", "Must not contain control characters.")
    return given


def _at_most(given: str, characters: int) -> str:
    if len(given) > characters:
        raise RuleBroken("too-long", f"Must have at most {characters:,} characters.")
    return given


def _check_url(given: str) -> None:
    try:
        url = urlsplit(given)
        port = url.port
    except ValueError:
        raise _not_a_remote() from None
    if url.password is not None:
        raise RuleBroken(
            "password-in-url",
            "Must not contain a password, which would be stored in readable form.",
        )
    has_user = "@" in url.netloc
    # Programs differ in where the host ends: for git://, `?` and `#` are a part of it.
    rest = given.partition("://")[2][len(url.netloc) :]
    is_web = url.scheme in {"https", "http"}
    if url.scheme == "ssh":
        acceptable = not has_user or _SSH_USER.fullmatch(url.username or "")
    else:
        acceptable = (is_web or url.scheme == "git") and not has_user
    has_path = rest.startswith("/") or (is_web and not rest)
    if not (acceptable and _has_host(url) and has_path and port != 0 and " " not in given):
        raise _not_a_remote()


def _has_host(url: SplitResult) -> bool:
    host = url.hostname or ""
    return bool((_IPV6_HOST if ":" in host else _HOST).fullmatch(host))


def _check_scp_like(given: str) -> None:
    parts = _SCP_LIKE.fullmatch(given)
    if (
        not parts
        or not _SSH_USER.fullmatch(parts["user"])
        or not _HOST.fullmatch(parts["host"])
        or parts["path"].startswith(("-", ":"))
    ):
        raise _not_a_remote()


def _not_a_remote() -> RuleBroken:
    return RuleBroken(
        "not-a-remote",
        "Must be https://host/…, http://host/… or git://host/… without a user,"
        " ssh://[user@]host/…, or user@host:path.",
    )
