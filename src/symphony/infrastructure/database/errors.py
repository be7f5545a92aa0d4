"""What the databases' refusals mean: the one place that knows their codes.

Told by SQLSTATE (PostgreSQL, appendix A of its manual) or SQLite's extended result code, never
by the text of a message.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError

from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict

# A parent that goes away while a child is made shows as a broken foreign key: run again, the
# command finds the parent gone and says so.
_CONFLICTS = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "23503",  # foreign_key_violation
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    sqlite3.SQLITE_BUSY_SNAPSHOT,
}
_UNIQUE_VIOLATIONS = {"23505", sqlite3.SQLITE_CONSTRAINT_UNIQUE}
_UNAVAILABLE_CLASSES = (
    "08",  # connection exceptions
    "28",  # the server does not let us in
    "53",  # insufficient resources: connections, memory, disk
    "57",  # operator intervention: shutdowns, and the time limit of a statement
    "58",  # errors of the server's system
)
_UNAVAILABLE = {
    "3D000",  # invalid_catalog_name: the database is gone
    "55P03",  # lock_not_available: the time limit of a wait for a lock
    "25P02",  # in_failed_sql_transaction, after one of these
    "25P03",  # idle_in_transaction_session_timeout
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_BUSY_TIMEOUT,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_LOCKED_SHAREDCACHE,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}
# What asyncpg says of a connection that is closed, or is just being closed by the server.
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_PRIMARY_CODE = 0xFF  # SQLite keeps the primary result code in the low byte of the extended one


class Duplicate(TransactionConflict):
    """There would be a second of something that is unique."""


class DatabaseFault(Exception):
    """A refusal that is a fault of ours: what kind of, what it names, and the statement.

    It takes the place of the driver's error, since PostgreSQL's messages can hold people's data:
    the whole row that breaks a constraint, for instance. SQLite's own hold none, but those do that
    Python's driver makes up: a text that is no UTF-8.
    """

    def __init__(self, error: Exception, statement: str | None) -> None:
        orig = getattr(error, "orig", None)
        cause = getattr(orig, "__cause__", None) or orig or error
        if isinstance(cause, sqlite3.Error):
            told = [cause] if _code(cause) else []
        else:
            named = (f"{each}_name" for each in ("table", "column", "constraint"))
            told = [_code(error), *(getattr(cause, name, None) for name in named)]
        words = " ".join(str(each) for each in told if each) or "no more is told"
        super().__init__(f"{type(cause).__name__}: {words}, in: {statement}")


@contextmanager
def port_errors(statement: str | None = None) -> Generator[None]:
    """Translate driver errors into errors of the port; SQLAlchemy errors carry their statement."""
    try:
        yield
    except Exception as error:
        meaning = _translated(error, statement)
        if meaning is error:
            raise
        if isinstance(meaning, DatabaseFault):
            raise meaning.with_traceback(error.__traceback__) from None
        raise meaning from error


def _translated(error: Exception, statement: str | None) -> Exception:
    """The port's word for what went wrong, or the error itself when it is a fault of ours."""
    if isinstance(error, DBAPIError | asyncpg.PostgresError | sqlite3.Error | asyncpg.DataError):
        code = _code(error)
        if code in _UNIQUE_VIOLATIONS:
            return Duplicate()
        if code in _CONFLICTS:
            return TransactionConflict()
        if getattr(error, "connection_invalidated", False) or _is_unavailable(code):
            return StoreUnavailable("database")
        return DatabaseFault(error, getattr(error, "statement", statement))
    # A server that is away comes as a bare OSError, and so do time-outs.
    if isinstance(error, (OSError, *_BROKEN)):
        return StoreUnavailable("database")
    return error


def is_refusal(error: BaseException) -> bool:
    """Whether the database itself has ended the statement, and goes on with the next one.

    Without a code it is Python's driver that has ended the reading of its rows: SQLite is left in
    the middle, and shows the connection the database as it was.
    """
    of_sqlite = isinstance(error, sqlite3.Error) and _code(error) is not None
    return of_sqlite or (isinstance(error, asyncpg.PostgresError) and not is_disconnect(error))


def is_disconnect(error: BaseException) -> bool:
    """Whether a driver's error says that its connection, and those made before it, are no more."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(("08", "57P"))
    return isinstance(error, (OSError, *_BROKEN)) and not isinstance(error, asyncpg.DataError)


def _code(error: Exception) -> str | int | None:
    """Of the driver's error, or of the one that SQLAlchemy has put around it."""
    orig = getattr(error, "orig", error)
    return getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorcode", None)


def _is_unavailable(code: str | int | None) -> bool:
    if isinstance(code, str):
        return code in _UNAVAILABLE or code.startswith(_UNAVAILABLE_CLASSES)
    return code is not None and (
        code in _UNAVAILABLE
        or code & _PRIMARY_CODE in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
    )
