"""JSON of a server or a file, of which nothing is certain.

What is absent, or has another type than a member should have, is empty or None: a server of another
version may leave out members that this client knows.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

Document = Mapping[str, Any]


def as_object(value: object) -> Document | None:
    """Return a JSON object, or None if it is something else."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def as_objects(value: object) -> Sequence[Document]:
    """Return the objects in a list; anything else is left out."""
    if not isinstance(value, list):
        return ()
    return [each for each in map(as_object, cast(list[object], value)) if each is not None]


def child(members: Document, name: str) -> Document | None:
    return as_object(members.get(name))


def children(members: Document, name: str) -> Sequence[Document]:
    return as_objects(members.get(name))


def text(members: Document, name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) and _is_unicode(value) else ""


def texts(members: Document, name: str) -> Sequence[str]:
    value = members.get(name)
    if not isinstance(value, list):
        return ()
    return [each for each in cast(list[object], value) if isinstance(each, str)]


def number(members: Document, name: str) -> int | None:
    value = members.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def truth(members: Document, name: str) -> bool | None:
    value = members.get(name)
    return value if isinstance(value, bool) else None


def moment(members: Document, name: str) -> datetime | None:
    """Return a time in UTC."""
    try:
        parsed = datetime.fromisoformat(text(members, name))
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _is_unicode(value: str) -> bool:
    """Return whether a text has no lone surrogate, which JSON can express and UTF-8 cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in value)
