"""What the databases' refusals mean: the one place that knows their codes.

Told by SQLSTATE (PostgreSQL, appendix A of its manual) or SQLite's extended result code, never
by the text of a message.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

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
_UNAVAILABLE = {
    "57014",  # query_canceled: the statement's time limit
    "55P03",  # lock_not_available: the time limit of a wait for a lock
    "25P03",  # idle_in_transaction_session_timeout
    "25P02",  # in_failed_sql_transaction, after one of the above
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
    "57P05",  # idle_session_timeout
    "53000",  # insufficient_resources
    "53100",  # disk_full
    "53200",  # out_of_memory
    "53300",  # too_many_connections
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_BUSY_TIMEOUT,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_LOCKED_SHAREDCACHE,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
_PRIMARY_CODE = 0xFF  # SQLite keeps the primary result code in the low byte of the extended one


def is_unique_violation(error: DBAPIError) -> bool:
    """Whether a statement would have made a second of something that is unique."""
    return _code(error) in _UNIQUE_VIOLATIONS


@contextmanager
def port_errors() -> Generator[None]:
    """Turns the drivers' errors into those of the port."""
    try:
        yield
    except Exception as error:
        meaning = _translated(error)
        if meaning is error:
            raise
        raise meaning from error


def _translated(error: Exception) -> Exception:
    """The port's word for what went wrong, or the error itself when it is a fault of ours."""
    if isinstance(error, DBAPIError):
        code = _code(error)
        if code in _CONFLICTS or code in _UNIQUE_VIOLATIONS:
            return TransactionConflict()
        if error.connection_invalidated or _is_unavailable(code):
            return StoreUnavailable("database")
        return error
    # A server that is away comes as a bare OSError (the driver's time-outs among them).
    if isinstance(error, OSError | PoolTimeout):
        return StoreUnavailable("database")
    return error


def _code(error: DBAPIError) -> str | int | None:
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", None)


def _is_unavailable(code: str | int | None) -> bool:
    if isinstance(code, str):
        return code in _UNAVAILABLE or code.startswith("08")  # class 08: connection exceptions
    return code is not None and (
        code in _UNAVAILABLE
        or code & _PRIMARY_CODE in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
    )
