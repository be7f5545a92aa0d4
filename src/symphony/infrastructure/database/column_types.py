"""The types of columns: conversions of values to their stored form and back.

Reading never fails on a time or a JSON text that only the database can hold: one such value must
not make a whole list unreadable.
"""

from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar, cast

from pydantic_core import from_json
from sqlalchemy import JSON, DateTime, Dialect, String, Text

from symphony.domain.api_tokens import Scope
from symphony.infrastructure.database.sqlalchemy_internals import DirectlyReadType, Processor

# The first and last times that Python can represent; both databases have earlier and later ones.
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)

_Word = TypeVar("_Word", bound=StrEnum)


class UtcDateTime(DirectlyReadType[datetime]):
    """A time in UTC: timestamptz on PostgreSQL, text without a zone on SQLite, which has none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.utcoffset() is None:
            raise ValueError("a time without a zone cannot be stored")
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def reader(self, dialect: Dialect) -> Processor | None:
        return None if dialect.name == "postgresql" else _time_from_text


def _time_from_text(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        return datetime.fromisoformat(f"{value}Z")
    except ValueError:  # SQLite has a year 0
        return FIRST_MOMENT


class JsonObject(DirectlyReadType[dict[str, Any]]):
    """A JSON object in `json`, not in `jsonb`, which rewrites numbers (1e300, -0.0).

    A value that is no object, written to the database by other means, is read as the object
    `{"unreadable": value}`.
    """

    impl = JSON
    cache_ok = True

    def reader(self, dialect: Dialect) -> Processor | None:
        # PostgreSQL's driver has a codec for JSON: `engine.py` sets it to `read_json`.
        return _object if dialect.name == "postgresql" else object_from_text


def read_json(stored: str | bytes) -> Any:
    """Parse JSON as `json.loads` does, several times as fast; return invalid JSON as text."""
    try:
        return from_json(stored)
    except ValueError:
        return stored if isinstance(stored, str) else stored.decode()


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"unreadable": value}


def object_from_text(stored: str | None) -> dict[str, Any]:
    """Read what a column of `JsonObject` contains as text."""
    return _object(None if stored is None else read_json(stored))  # None: an outer join found none


class Scopes(DirectlyReadType[tuple[Scope, ...]]):
    """Scopes in the form of OAuth (RFC 6749, section 3.3): words separated by spaces."""

    impl = String(64)
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return cast("type[Any]", tuple[Scope, ...])

    def process_bind_param(self, value: tuple[Scope, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else " ".join(value)

    def reader(self, dialect: Dialect) -> Processor | None:
        return _scopes_from_text


def _scopes_from_text(value: str | None) -> tuple[Scope, ...] | None:
    return None if value is None else tuple(map(Scope, value.split()))


class Word(DirectlyReadType[_Word], Generic[_Word]):
    """A word of a closed list; a check constraint of the table may repeat the list."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[_Word], length: int = 16) -> None:
        super().__init__(length)
        self.words = words
        self.length = length

    @property
    def python_type(self) -> type[_Word]:
        return self.words

    def process_bind_param(self, value: _Word | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def reader(self, dialect: Dialect) -> Processor | None:
        return partial(_word_from_text, self.words)


def _word_from_text(words: type[_Word], value: str | None) -> _Word | None:
    return None if value is None else words(value)


# Sorts by code point on both databases: SQLite always does, PostgreSQL with this collation.
KeyText = Text().with_variant(Text(collation="C"), "postgresql")
