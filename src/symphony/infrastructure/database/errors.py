"""The translation of database errors into the errors of the port.

Errors are distinguished by SQLSTATE or by SQLite's extended result code, never by the text of a
message; `availability/failure_codes.py` has the codes.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException

from symphony.domain.unit_of_work import OutcomeUnknown, StoreUnavailable, TransactionConflict
from symphony.infrastructure.database.availability.failure_codes import (
    Failure,
    by_result_code,
    by_sqlstate,
)
from symphony.infrastructure.database.postgresql.address import DatabaseUrlError
from symphony.infrastructure.database.postgresql.pooler import NEEDS_SETTING

_ENDS_THE_SESSION = {"FATAL", "PANIC"}
# A prepared statement is gone, or is there already. On a new connection, it is another client's.
_OF_ANOTHER_SESSION = {"26000", "42P05"}


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
        cause = _drivers_error(error)
        if isinstance(cause, sqlite3.Error):
            details = [cause] if _code(cause) else []
        else:
            attributes = (f"{each}_name" for each in ("table", "column", "constraint"))
            details = [_code(cause), *(getattr(cause, name, None) for name in attributes)]
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


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return the port's error for a database that cannot be used.

    Its message is for the log: the kind of error, and its code or what the system says.
    """
    return StoreUnavailable(_reason(error))


def outcome_unknown(error: BaseException) -> OutcomeUnknown:
    """Return the port's error for a COMMIT without an answer."""
    return OutcomeUnknown(f"COMMIT without an answer: {_reason(error)}")


def _reason(error: BaseException) -> str:
    cause = _drivers_error(error)
    name = getattr(cause, "sqlite_errorname", None) or _code(cause)
    details = str(cause) if isinstance(cause, OSError | DatabaseUrlError) else name
    if name in _OF_ANOTHER_SESSION:
        details = f"{name}: {NEEDS_SETTING}"
    return f"database: {type(cause).__name__} {details or ''}".rstrip()


def failure_of(error: BaseException) -> Failure | None:
    """Return what an error means; None when no database raised it."""
    cause = _drivers_error(error)
    if isinstance(cause, asyncpg.PostgresError):
        is_final = (cause.severity_en or cause.severity) in _ENDS_THE_SESSION
        return Failure.LOST if is_final else by_sqlstate(cause.sqlstate)
    if isinstance(cause, sqlite3.Error):
        code = _code(cause)
        # An error without a code comes from Python's driver, which stopped reading the rows:
        # SQLite's statement is still running, and keeps the connection at an old state.
        return by_result_code(code) if isinstance(code, int) else Failure.DRIVER
    if isinstance(cause, asyncpg.OutdatedSchemaCacheError):
        return Failure.SESSION
    # A server that cannot be reached raises a bare OSError; so do time-outs.
    if isinstance(cause, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | EOFError):
        return Failure.LOST
    # SQLAlchemy raises errors of its own, such as those of its pool.
    return Failure.LOST if isinstance(error, DBAPIError) else None


def _translate(error: Exception, statement: str | None) -> Exception:
    """Return the port's error, or the error itself when no database raised it."""
    match failure_of(error):
        case None:
            return error
        case Failure.UNIQUE:
            return UniqueViolation()
        case Failure.CONFLICT:
            return TransactionConflict()
        case Failure.BUSY | Failure.LOST:
            return unavailable(error)
        case Failure.STATEMENT | Failure.SESSION | Failure.DRIVER:
            if getattr(error, "connection_invalidated", False) or _is_of_pooler(error):
                return unavailable(error)
            return UnexpectedDatabaseError(error, getattr(error, "statement", statement))


def _is_of_pooler(error: Exception) -> bool:
    return _code(_drivers_error(error)) in _OF_ANOTHER_SESSION


def _drivers_error(error: BaseException) -> BaseException:
    """Return the driver's error from inside SQLAlchemy's, or the error itself."""
    while isinstance(error, DBAPIError | EmulatedDBAPIException) and error.orig is not None:
        error = error.orig
    return error


def _code(error: BaseException) -> str | int | None:
    return getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorcode", None)
