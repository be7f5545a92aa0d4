"""What a database must be to contain Symphony's schema, and which programs its revision serves."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text

from symphony.infrastructure.database.models import Model

COMPATIBILITY_TABLE = "schema_compatibility"
"""Has one row beside Alembic's table: a revision, and the oldest one whose programs it serves."""

_TABLE = "alembic_version"
# In one statement: a migration replaces both rows together.
_READ_COMPATIBILITY = text(
    f"SELECT version_num, compatible_with FROM {_TABLE}"  # noqa: S608 - names of tables
    f" LEFT JOIN {COMPATIBILITY_TABLE} ON revision = version_num"
)
_UPGRADE = "run `symphony db upgrade`"
_OTHER_PROGRAM = "it belongs to another program; give Symphony a database of its own"
_UTF8 = "UTF8"


class SchemaRefused(Exception):
    """The database cannot be used as it is; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision of a schema, and which programs it serves."""

    revision: str | None
    """None if the database was never migrated."""
    compatible_with: str | None = None
    """The oldest revision whose programs can be served; read only if the schema is newer than this
    program, and None if the database does not say so."""

    @property
    def is_newer(self) -> bool:
        """Whether a newer version of Symphony has migrated the schema."""
        head = head_revision()
        revision = self.revision or ""
        return revision.isdigit() and len(revision) == len(head) and revision > head

    def describe(self) -> str:
        """Return a sentence for the operator about a schema that this program can serve."""
        suffix = (
            f", which is newer than this program ({head_revision()}) and compatible with it"
            if self.is_newer
            else ""
        )
        return f"The schema is at {self.revision}{suffix}."


@lru_cache
def head_revision() -> str:
    """Return the newest revision: the highest number at the start of a file name."""
    return max(_known_revisions())


def scripts() -> Path:
    """Return the directory of the migrations: in an installed package, or in a checkout."""
    package = Path(__file__).parents[3]
    installed = package / "alembic"
    return installed if installed.is_dir() else package.parents[1] / "alembic"


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the schema; None if the database was never migrated.

    Raises: SchemaRefused when the table of the revision is not Symphony's.
    """
    if not inspect(connection).has_table(_TABLE):
        return None
    result = connection.execute(text("SELECT * FROM alembic_version"))
    columns, rows = [*result.keys()], result.all()
    if columns != ["version_num"] or len(rows) > 1:
        raise SchemaRefused(f"the database has a table {_TABLE!r} that is not Symphony's")
    return str(rows[0][0]) if rows else None


def current_state(connection: Connection) -> SchemaState:
    """Return the revision of the schema, and whether it serves this program if it is newer.

    Raises: SchemaRefused when the table of the revision is not Symphony's.
    """
    state = SchemaState(current_revision(connection))
    if not state.is_newer or not inspect(connection).has_table(COMPATIBILITY_TABLE):
        return state
    row = connection.execute(_READ_COMPATIBILITY).one_or_none()
    return SchemaState(*row) if row else SchemaState(None)


def reason_against(state: SchemaState) -> str | None:
    """Return why a schema cannot be served, and what to do; None if it can.

    It can at the head revision, and at a newer one that is compatible with it.
    """
    head, revision = head_revision(), state.revision
    if revision == head:
        return None
    if revision is None:
        return f"the database's schema has not been created: {_UPGRADE}"
    if revision in _known_revisions():
        return (
            f"the database's schema is at revision {revision}, but revision {head} is needed:"
            f" {_UPGRADE}"
        )
    if state.is_newer:
        oldest = state.compatible_with
        if oldest is not None and oldest <= head:
            return None
        served = f", and serves programs from revision {oldest} on only" if oldest else ""
        return (
            f"the database's schema is at revision {revision}, which is newer than this program,"
            f" whose newest is {head}{served}: install a newer version of Symphony"
        )
    return f"the database's schema is at the unknown revision {revision!r}: {_OTHER_PROGRAM}"


def require_schema_of_symphony(connection: Connection) -> None:
    """Require an empty database, or a schema of Symphony that this program knows or can serve.

    Raises: SchemaRefused.
    """
    require_utf8(connection)
    # In this order, since another process may migrate: it commits tables and revision together.
    present = set(inspect(connection).get_table_names())
    state = current_state(connection)
    if state.revision is None:
        foreign = sorted(present & Model.metadata.tables.keys())
        if foreign:
            raise SchemaRefused(
                f"the database already has a table {foreign[0]!r}, but no revision of Symphony:"
                f" {_OTHER_PROGRAM}"
            )
    elif state.revision not in _known_revisions() and (reason := reason_against(state)):
        raise SchemaRefused(reason)
    elif not inspect(connection).has_table("user_profiles"):
        raise SchemaRefused(
            f"the database has a revision, but no table 'user_profiles': {_OTHER_PROGRAM}"
        )


def require_utf8(connection: Connection) -> None:
    """Require an encoding that has all characters. Raises: SchemaRefused."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.scalar(select(func.current_setting("server_encoding")))
    if encoding != _UTF8:
        raise SchemaRefused(
            f"the database's encoding is {encoding}, but must be {_UTF8}: create a database with"
            f" ENCODING '{_UTF8}' TEMPLATE template0"
        )


def require_right_to_create(connection: Connection) -> None:
    """Require the right to create tables, which PostgreSQL 15 gives to the owner only.

    Raises: SchemaRefused.
    """
    if connection.dialect.name != "postgresql":
        return
    row = connection.execute(
        text(
            "SELECT current_user, current_schema(),"
            " has_schema_privilege(current_schema(), 'CREATE'),"
            " current_setting('transaction_read_only'), quote_ident(current_user),"
            " quote_ident(current_schema())"
        )
    ).one()
    user, schema, may_create, is_read_only, quoted_user, quoted_schema = row
    if is_read_only == "on":
        raise SchemaRefused("the database is read-only, so its schema cannot be changed")
    if schema is None or not may_create:
        raise SchemaRefused(
            f"the user {user!r} may not create tables in the schema {schema or 'public'!r}: have an"
            f" administrator run GRANT USAGE, CREATE ON SCHEMA {quoted_schema or 'public'} TO"
            f" {quoted_user}"
        )


@lru_cache
def _known_revisions() -> frozenset[str]:
    files = (scripts() / "versions").glob("[0-9]*.py")
    return frozenset(file.name.partition("_")[0] for file in files)
