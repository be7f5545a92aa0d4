"""Changes of large tables for migrations, during which requests go on.

On PostgreSQL each of these is outside of a transaction, and can be repeated: a migration that was
interrupted, or did not get a lock in time, runs again from its beginning. So a revision calls them
before anything else. On SQLite, where all of a migration is one transaction, they are the usual
statements.

A statement that requests queue behind gives up after `LOCK_TIMEOUT`, and the migration runs again.
Those that take long (building an index, validating a constraint) let requests pass, so they may
wait as long as they need.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from alembic import op
from sqlalchemy import Connection, text

from symphony.infrastructure.database.migrating.exclusive_session import LOCK_TIMEOUT

_IS_INDEX_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_IS_CONSTRAINT_VALID = text(
    "SELECT convalidated FROM pg_constraint"
    " WHERE conrelid = to_regclass(:table_name) AND conname = :name"
)


def add_column(table: str, definition: str, *, check: tuple[str, str] | None = None) -> None:
    """Add a column as SQL defines it: `"size INTEGER DEFAULT '0' NOT NULL"`.

    Its default must be constant. `check` is the name of a constraint and its condition; SQLite can
    add one only together with the column.
    """
    if _is_sqlite():
        constraint = " CONSTRAINT {} CHECK ({})".format(*check) if check else ""
        op.execute(f"ALTER TABLE {table} ADD COLUMN {definition}{constraint}")
        return
    with _outside_of_a_transaction() as connection:
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {definition}"))
    if check:
        name, condition = check
        add_constraint(name, table, f"CHECK ({condition})")


def create_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    where: str | None = None,
) -> None:
    """Create an index without a lock that writers wait for.

    An index that an interrupted migration has left unfinished is replaced.
    """
    condition = text(where) if where else None
    if _is_sqlite():
        op.create_index(name, table, [*columns], unique=unique, sqlite_where=condition)
        return
    with _outside_of_a_transaction() as connection, _waiting(connection):
        is_valid = connection.scalar(_IS_INDEX_VALID, {"name": name})
        if is_valid:
            return
        if is_valid is False:
            connection.execute(text(f"DROP INDEX CONCURRENTLY {name}"))
        op.create_index(
            *(name, table, [*columns]),
            unique=unique,
            postgresql_where=condition,
            postgresql_concurrently=True,
        )


def drop_index(name: str, table: str) -> None:
    """Drop an index without a lock that requests wait for."""
    if _is_sqlite():
        op.drop_index(name, table)
        return
    with _outside_of_a_transaction() as connection, _waiting(connection):
        connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))


def add_constraint(name: str, table: str, definition: str) -> None:
    """Add `CHECK (…)` or `FOREIGN KEY (…) REFERENCES …`, and then validate the existing rows.

    Only on PostgreSQL: SQLite needs another table for it.
    """
    with _outside_of_a_transaction() as connection:
        is_valid = connection.scalar(_IS_CONSTRAINT_VALID, {"table_name": table, "name": name})
        if is_valid is None:
            connection.execute(
                text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID")
            )
        if not is_valid:
            with _waiting(connection):
                connection.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))


def change_rows(statement: str) -> None:
    """Run a statement that changes a limited number of rows, until it finds no further ones.

    For example `UPDATE repos SET size = 0 WHERE id IN (SELECT id FROM repos WHERE size IS NULL
    LIMIT 1000)`. Each run is a transaction of its own on PostgreSQL, for which writers wait.
    """
    if _is_sqlite():
        _repeat(op.get_bind(), statement)
        return
    with _outside_of_a_transaction() as connection:
        _repeat(connection, statement)


def _repeat(connection: Connection, statement: str) -> None:
    while connection.execute(text(statement)).rowcount:
        pass


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


@contextmanager
def _outside_of_a_transaction() -> Generator[Connection]:
    with op.get_context().autocommit_block():
        yield op.get_bind()


@contextmanager
def _waiting(connection: Connection) -> Generator[None]:
    """Allow a long wait for locks, for statements that nothing queues behind."""
    connection.execute(text("SET lock_timeout = 0"))
    try:
        yield
    finally:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
