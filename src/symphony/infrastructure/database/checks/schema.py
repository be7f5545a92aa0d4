"""What a database must be to contain Symphony's schema, and at which revision it is."""

from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text

from symphony.infrastructure.database.models import Model

_TABLE = "alembic_version"
_UPGRADE = "run `symphony db upgrade`"
_OTHER_PROGRAM = "it belongs to another program; give Symphony a database of its own"
_UTF8 = "UTF8"


class SchemaRefused(Exception):
    """The database cannot be used as it is; the message is one line that says what to do."""


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


def reason_against(revision: str | None) -> str | None:
    """Return why a schema at this revision cannot be served, and what to do; None if it can."""
    head = head_revision()
    if revision == head:
        return None
    if revision is None:
        return f"the database's schema has not been created: {_UPGRADE}"
    if revision in _known_revisions():
        return (
            f"the database's schema is at revision {revision}, but revision {head} is needed:"
            f" {_UPGRADE}"
        )
    if revision.isdigit() and len(revision) == len(head) and revision > head:
        return (
            f"the database's schema is at revision {revision}, which is newer than this program,"
            f" whose newest is {head}: install a newer version of Symphony"
        )
    return f"the database's schema is at the unknown revision {revision!r}: {_OTHER_PROGRAM}"


def require_schema_of_symphony(connection: Connection) -> None:
    """Require an empty database, or one with a schema of Symphony that this program knows.

    Raises: SchemaRefused.
    """
    require_utf8(connection)
    # In this order, since another process may migrate: it commits tables and revision together.
    present = set(inspect(connection).get_table_names())
    revision = current_revision(connection)
    if revision is None:
        foreign = sorted(present & Model.metadata.tables.keys())
        if foreign:
            raise SchemaRefused(
                f"the database already has a table {foreign[0]!r}, but no revision of Symphony:"
                f" {_OTHER_PROGRAM}"
            )
    elif revision not in _known_revisions():
        raise SchemaRefused(reason_against(revision))
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
