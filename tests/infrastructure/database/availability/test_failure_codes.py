"""What each error code of the databases means."""

import sqlite3
import ssl

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict
from symphony.infrastructure.database.availability.failure_codes import (
    Failure,
    by_result_code,
    by_sqlstate,
)
from symphony.infrastructure.database.errors import (
    UnexpectedDatabaseError,
    failure_of,
    translated_errors,
    unavailable,
)

NO_ERRORS = {"00", "01", "02", "03"}  # success, warnings, no data, an incomplete statement


@pytest.mark.parametrize(
    ("failure", "sqlstates"),
    [
        (Failure.LOST, "08000 08001 08003 08004 08006 08007 08P01"),
        (Failure.LOST, "25006"),  # the server is read-only
        (Failure.LOST, "25P02 25P03 25P04"),  # the transaction was ended from outside
        (Failure.LOST, "28000 28P01 3D000 3F000 42501 42P01"),  # the operator changed something
        (Failure.LOST, "57P01 57P02 57P03 57P04 57P05 58000 58030 58P01 F0000 XX000 XX001"),
        (Failure.LOST, "40003"),  # whether the statement was carried out is unknown
        (Failure.BUSY, "53000 53100 53200 53300 53400 55000 55006 55P03 57014"),
        (Failure.CONFLICT, "40001 40002 40P01 23001 23503 72000"),
        (Failure.UNIQUE, "23505"),
        (Failure.SESSION, "0A000 26000 42703 42804 42883 42P05 42P18 25001 25P01 34000 3B001"),
        (Failure.STATEMENT, "21000 22001 22P02 22P03 23502 23514 23P01 44000 54000 P0001"),
        (Failure.LOST, "MY000 ZZ999 C1000 0000"),  # of a fork, or of a newer version
    ],
)
def test_each_class_of_sqlstates_has_a_meaning(failure: Failure, sqlstates: str) -> None:
    assert {each: by_sqlstate(each) for each in sqlstates.split()} == dict.fromkeys(
        sqlstates.split(), failure
    )


def test_an_error_without_a_sqlstate_is_a_lost_connection() -> None:
    assert by_sqlstate(None) is Failure.LOST


def test_only_errors_of_classes_that_blame_the_statement_keep_the_connection() -> None:
    """Compared with all classes that the driver knows."""
    known = {
        each.sqlstate[:2]
        for each in vars(asyncpg.exceptions).values()
        if isinstance(each, type) and issubclass(each, asyncpg.PostgresError) and each.sqlstate
    }
    lost = {each for each in known - NO_ERRORS if by_sqlstate(f"{each}000") is Failure.LOST}
    assert lost == {"08", "28", "3D", "3F", "57", "58", "F0", "XX"}


@pytest.mark.parametrize("severity", ["FATAL", "PANIC"])
@pytest.mark.parametrize("kind", [asyncpg.SerializationError, asyncpg.DataError])
def test_an_error_that_ends_the_session_is_a_lost_connection(
    severity: str, kind: type[asyncpg.PostgresError]
) -> None:
    error = kind("message")
    error.severity_en = severity
    assert failure_of(error) is Failure.LOST


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("unknown"),
        asyncpg.TargetServerAttributeNotMatched("no server accepts writes"),
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        ConnectionResetError(),
        TimeoutError(),
        ssl.SSLError(),
        EOFError(),
        DBAPIError("SELECT 1", {}, asyncpg.InterfaceError("closed")),
        DBAPIError("SELECT 1", {}, RuntimeError("unknown")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_the_driver_and_the_network_are_lost_connections(error: Exception) -> None:
    assert failure_of(error) is Failure.LOST
    with pytest.raises(StoreUnavailable), translated_errors():
        raise error


def test_errors_that_no_database_raised_have_no_meaning() -> None:
    assert failure_of(ValueError()) is None
    with pytest.raises(ZeroDivisionError), translated_errors():
        raise ZeroDivisionError


def test_an_error_that_only_the_driver_raises_has_a_meaning() -> None:
    assert failure_of(asyncpg.DataError("invalid input for query argument")) is Failure.STATEMENT
    assert failure_of(asyncpg.OutdatedSchemaCacheError("a type")) is Failure.SESSION
    assert failure_of(sqlite3.OperationalError("could not decode")) is Failure.DRIVER


@pytest.mark.parametrize(
    ("failure", "names"),
    [
        (Failure.LOST, "READONLY READONLY_DIRECTORY FULL IOERR IOERR_WRITE CORRUPT NOTADB PERM"),
        (Failure.LOST, "CANTOPEN NOMEM PROTOCOL INTERNAL ABORT INTERRUPT NOLFS AUTH FORMAT"),
        (Failure.BUSY, "BUSY BUSY_TIMEOUT BUSY_RECOVERY LOCKED LOCKED_SHAREDCACHE"),
        (Failure.CONFLICT, "BUSY_SNAPSHOT CONSTRAINT_FOREIGNKEY"),
        (Failure.UNIQUE, "CONSTRAINT_UNIQUE CONSTRAINT_PRIMARYKEY CONSTRAINT_ROWID"),
        (Failure.SESSION, "ERROR SCHEMA MISUSE"),
        (Failure.STATEMENT, "TOOBIG CONSTRAINT CONSTRAINT_CHECK CONSTRAINT_NOTNULL MISMATCH RANGE"),
    ],
)
def test_each_result_code_of_sqlite_has_a_meaning(failure: Failure, names: str) -> None:
    codes = {each: getattr(sqlite3, f"SQLITE_{each}") for each in names.split()}
    assert {each: by_result_code(code) for each, code in codes.items()} == dict.fromkeys(
        codes, failure
    )


def test_an_unknown_result_code_of_sqlite_is_a_lost_connection() -> None:
    assert by_result_code(99) is Failure.LOST


@pytest.mark.parametrize(
    ("sqlstate", "raised"),
    [
        ("40001", TransactionConflict),
        ("53100", StoreUnavailable),
        ("25006", StoreUnavailable),
        ("XX000", StoreUnavailable),
        ("42703", UnexpectedDatabaseError),
        ("23514", UnexpectedDatabaseError),
    ],
)
def test_the_meaning_decides_the_error_of_the_port(sqlstate: str, raised: type[Exception]) -> None:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "message"})
    with pytest.raises(raised), translated_errors("SELECT 1"):
        raise error


def test_an_unavailable_database_is_logged_without_the_message_of_the_server() -> None:
    error = asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT of 'private'")
    assert str(unavailable(error)) == "database: ReadOnlySQLTransactionError 25006"
    assert str(unavailable(ConnectionRefusedError(111, "refused"))) == (
        "database: ConnectionRefusedError [Errno 111] refused"
    )
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode, full.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
    assert str(unavailable(full)) == "database: OperationalError SQLITE_FULL"
    assert str(unavailable(TimeoutError())) == "database: TimeoutError"
