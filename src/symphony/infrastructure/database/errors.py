"""The translation of database errors: the only module with the databases' error codes.

Errors are distinguished by SQLSTATE (PostgreSQL, appendix A of its manual) or by SQLite's extended
result code, never by the text of a message.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError

from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict

# A parent that is removed while a child is created breaks the foreign key. The command is retried,
# does not find the parent, and reports that.
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
    "28",  # the server refuses the credentials
    "53",  # insufficient resources: connections, memory, disk
    "57",  # operator intervention: shutdowns, and the time limit of a statement
    "58",  # errors of the server's system
)
_UNAVAILABLE = {
    "3D000",  # invalid_catalog_name: the database does not exist
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
# Errors of asyncpg for a connection that is closed, or that the server is closing.
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_PRIMARY_CODE = 0xFF  # SQLite keeps the primary result code in the low byte of the extended one


class UniqueViolation(TransactionConflict):
    """A row would repeat a value that must be unique."""


class UnexpectedDatabaseError(Exception):
    """A database error whose only explanation is a fault of this program.

    The message has the kind of error, the names of the table, column and constraint, and the
    statement. It replaces the driver's error, because PostgreSQL's messages can contain users'
    data, such as the whole row that violates a constraint. SQLite's own messages contain none, but
    messages of Python's driver do: a text that is not UTF-8.
    """

    def __init__(self, error: Exception, statement: str | None) -> None:
        orig = getattr(error, "orig", None)
        cause = getattr(orig, "__cause__", None) or orig or error
        if isinstance(cause, sqlite3.Error):
            details = [cause] if _code(cause) else []
        else:
            attributes = (f"{each}_name" for each in ("table", "column", "constraint"))
            details = [_code(error), *(getattr(cause, name, None) for name in attributes)]
        words = " ".join(str(each) for each in details if each) or "no details"
        super().__init__(f"{type(cause).__name__}: {words}, in: {statement}")


@contextmanager
def translated_errors(statement: str | None = None) -> Generator[None]:
    """Raise the port's errors in place of the drivers'.

    `statement` is for drivers' own errors; SQLAlchemy's errors carry theirs.
    """
    try:
        yield
    except Exception as error:
        translation = _translate(error, statement)
        if translation is error:
            raise
        if isinstance(translation, UnexpectedDatabaseError):
            raise translation.with_traceback(error.__traceback__) from None
        raise translation from error


def _translate(error: Exception, statement: str | None) -> Exception:
    """Return the port's error, or the error itself when no database raised it."""
    if isinstance(error, DBAPIError | asyncpg.PostgresError | sqlite3.Error | asyncpg.DataError):
        code = _code(error)
        if code in _UNIQUE_VIOLATIONS:
            return UniqueViolation()
        if code in _CONFLICTS:
            return TransactionConflict()
        if getattr(error, "connection_invalidated", False) or _is_unavailable(code):
            return StoreUnavailable("database")
        return UnexpectedDatabaseError(error, getattr(error, "statement", statement))
    # A server that cannot be reached raises a bare OSError; so do time-outs.
    if isinstance(error, (OSError, *_BROKEN)):
        return StoreUnavailable("database")
    return error


def is_refusal(error: BaseException) -> bool:
    """Return whether the database itself refused the statement, and is ready for the next one.

    An error of SQLite without a code comes from Python's driver, which stopped reading the rows:
    SQLite's statement is still running, and keeps the connection at an old state of the database.
    """
    is_from_sqlite = isinstance(error, sqlite3.Error) and _code(error) is not None
    return is_from_sqlite or (isinstance(error, asyncpg.PostgresError) and not is_disconnect(error))


def is_disconnect(error: BaseException) -> bool:
    """Return whether the connection is lost, and with it all that were opened earlier."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(("08", "57P"))
    return isinstance(error, (OSError, *_BROKEN)) and not isinstance(error, asyncpg.DataError)


def _code(error: Exception) -> str | int | None:
    """Return the code of a driver's error, also from inside SQLAlchemy's."""
    orig = getattr(error, "orig", error)
    return getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorcode", None)


def _is_unavailable(code: str | int | None) -> bool:
    if isinstance(code, str):
        return code in _UNAVAILABLE or code.startswith(_UNAVAILABLE_CLASSES)
    return code is not None and (
        code in _UNAVAILABLE
        or code & _PRIMARY_CODE in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
    )
