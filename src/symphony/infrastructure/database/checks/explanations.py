"""Why a command or a start cannot use its database, in one line for the operator.

The running service reports less: its answers are for clients (`errors.py`).
"""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import filelock
from sqlalchemy.exc import SQLAlchemyError

from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.database.availability.failure_codes import PRIMARY_CODE
from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.errors import UnexpectedDatabaseError
from symphony.infrastructure.database.postgresql.connecting import CannotConnect, one_line
from symphony.infrastructure.database.postgresql.pooler import NEEDS_SETTING

_HINTS = {
    "42501": "; the database's user must own the tables, or have the rights to use them",
    "26000": f"; {NEEDS_SETTING}",
    "42P05": f"; {NEEDS_SETTING}",
}
_SQLITE = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_READONLY: "cannot be written; check the rights of the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the rights of the file and its directory",
    sqlite3.SQLITE_PERM: "may not be accessed; check the rights of the file",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_NOLFS: "is too large for its file system",
}


class DatabaseUnusable(Exception):
    """The database cannot be used; the message is one line with the reason."""


@contextmanager
def explained_errors(file: Path | None) -> Generator[None]:
    """Raise DatabaseUnusable in place of the errors of a database; `file` is that of SQLite.

    Raises: DatabaseUnusable.
    """
    try:
        yield
    except SchemaRefused as error:
        raise DatabaseUnusable(one_line(str(error))) from None
    except (
        StoreUnavailable,
        UnexpectedDatabaseError,
        SQLAlchemyError,
        sqlite3.Error,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
    ) as error:
        raise DatabaseUnusable(one_line(_reason(error, file))) from error


def _reason(error: Exception, file: Path | None) -> str:
    for cause in _causes(error):
        if isinstance(cause, sqlite3.Error):
            code = getattr(cause, "sqlite_errorcode", None) or 0
            what = _SQLITE.get(code & PRIMARY_CODE, f"cannot be used: {cause}")
            return f"{file or 'the database in memory'} {what}"
        if isinstance(cause, CannotConnect | OSError | asyncpg.PostgresError):
            return _of_system(cause)
    return f"the database cannot be used: {error}"


def _of_system(error: OSError | asyncpg.PostgresError) -> str:
    if isinstance(error, CannotConnect):
        return str(error)
    if isinstance(error, asyncpg.PostgresError):
        hint = _HINTS.get(error.sqlstate or "", "")
        return f"PostgreSQL refuses: {error.args[0]} ({error.sqlstate}){hint}"
    if isinstance(error, filelock.Timeout):
        return f"{error.lock_file} is locked: another migration takes too long"
    if isinstance(error, TimeoutError):
        return "the database does not answer in time"
    name = f"{error.filename}: " if error.filename else ""
    return f"the database cannot be reached: {name}{error.strerror or error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was raised in place of; CannotConnect has said it all."""
    seen = set[int]()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = getattr(cause, "orig", None) or cause.__cause__ or cause.__context__
