"""The types of columns: how values are kept, and how what the database gives becomes one.

Each bears whatever the database can hold, for one value must not keep anybody from a whole list.
"""

from datetime import UTC, datetime
from typing import Any, cast

from pydantic_core import from_json
from sqlalchemy import JSON, DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from symphony.domain.api_tokens import Scope
from symphony.domain.vaults.vaults import Protection
from symphony.domain.workspaces import WorkspaceType

# Of those that Python has; the databases have earlier and later ones.
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """timestamptz on PostgreSQL; SQLite has no zones, so there it is UTC by convention."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.utcoffset() is None:
            raise ValueError("naive times are not stored")
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        # Instead of `process_result_value`, whose way costs more than all that is to be done.
        return None if dialect.name == "postgresql" else _from_text


def _from_text(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        return datetime.fromisoformat(f"{value}Z")
    except ValueError:  # SQLite has a year 0
        return FIRST_MOMENT


class JsonObject(TypeDecorator[dict[str, Any]]):
    """`json`, not jsonb: jsonb rewrites numbers (1e300, -0.0).

    What somebody has put there past the service, and is no object, is shown in one.
    """

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        # PostgreSQL's driver reads JSON by itself.
        return _object if dialect.name == "postgresql" else _object_from_text


def read_json(stored: str | bytes) -> Any:
    """What `json.loads` gives, several times as fast; what it refuses, as the text that it is."""
    try:
        return from_json(stored)
    except ValueError:
        return stored if isinstance(stored, str) else stored.decode()


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"unreadable": value}


def _object_from_text(stored: str) -> dict[str, Any]:
    return _object(read_json(stored))


class Scopes(TypeDecorator[tuple[Scope, ...]]):
    """Scopes as OAuth writes them (RFC 6749, section 3.3): words with a space between."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: tuple[Scope, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else " ".join(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Scope, ...] | None:
        return None if value is None else tuple(map(Scope, value.split()))


class WorkspaceTypeName(TypeDecorator[WorkspaceType]):
    """A word of a closed list; the check constraint stands beside the column."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: WorkspaceType | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WorkspaceType | None:
        return None if value is None else WorkspaceType(value)


class ProtectionName(TypeDecorator[Protection]):
    """The same for how a vault is protected."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: Protection | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Protection | None:
        return None if value is None else Protection(value)


# Code point by code point on every database: SQLite compares bytes anyway, PostgreSQL when told to.
KeyText = Text().with_variant(Text(collation="C"), "postgresql")
