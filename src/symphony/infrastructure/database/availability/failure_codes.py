"""The databases' error codes, and what each means for the request and for the connection.

PostgreSQL: the classes of appendix A of its manual ("PostgreSQL Error Codes"), by the first two
characters of the SQLSTATE. SQLite: the primary result codes (https://sqlite.org/rescode.html).

Only a code that blames the statement is a fault of this program. A code that is in neither table,
of a newer version or a fork, says that the database cannot be used through this connection.
"""

import sqlite3
from enum import Enum, auto


class Failure(Enum):
    """The kinds of failures of a statement."""

    STATEMENT = auto()
    """The statement or its values are at fault: a bug of this program. The connection is fine."""
    UNIQUE = auto()
    """A row would repeat a value that must be unique."""
    CONFLICT = auto()
    """Another transaction is the reason; the same work succeeds later."""
    BUSY = auto()
    """The database cannot do it at the moment, and the connection is fine."""
    SESSION = auto()
    """The session may be at fault, which remembers plans and settings from before a migration, or
    is in an unknown state. On a new connection, the program is at fault."""
    LOST = auto()
    """The database cannot be used through this connection, nor through others of the same age."""
    DRIVER = auto()
    """The driver could not read the answer, and may have left the statement in the middle: a bug of
    this program."""


_BY_CLASS = {
    "08": Failure.LOST,  # connection exception
    "09": Failure.STATEMENT,  # triggered action exception
    "0A": Failure.SESSION,  # feature not supported; also a cached plan that is no longer valid
    "0B": Failure.SESSION,  # invalid transaction initiation
    "0F": Failure.STATEMENT,  # locator exception
    "0L": Failure.STATEMENT,  # invalid grantor
    "0P": Failure.STATEMENT,  # invalid role specification
    "0Z": Failure.STATEMENT,  # diagnostics exception
    "10": Failure.STATEMENT,  # XQuery error
    "20": Failure.STATEMENT,  # case not found
    "21": Failure.STATEMENT,  # cardinality violation
    "22": Failure.STATEMENT,  # data exception
    "23": Failure.STATEMENT,  # integrity constraint violation
    "24": Failure.SESSION,  # invalid cursor state
    "25": Failure.SESSION,  # invalid transaction state
    "26": Failure.SESSION,  # invalid SQL statement name: a prepared statement that is gone
    "27": Failure.STATEMENT,  # triggered data change violation
    "28": Failure.LOST,  # invalid authorization specification: a password that was replaced
    "2B": Failure.STATEMENT,  # dependent privilege descriptors still exist
    "2D": Failure.SESSION,  # invalid transaction termination
    "2F": Failure.STATEMENT,  # SQL routine exception
    "34": Failure.SESSION,  # invalid cursor name
    "38": Failure.STATEMENT,  # external routine exception
    "39": Failure.STATEMENT,  # external routine invocation exception
    "3B": Failure.SESSION,  # savepoint exception
    "3D": Failure.LOST,  # invalid catalog name: the database does not exist
    "3F": Failure.LOST,  # invalid schema name
    "40": Failure.CONFLICT,  # transaction rollback
    "42": Failure.SESSION,  # syntax error or access rule violation; also a plan that is replaced
    "44": Failure.STATEMENT,  # WITH CHECK OPTION violation
    "53": Failure.BUSY,  # insufficient resources: disk, memory, connections
    "54": Failure.STATEMENT,  # program limit exceeded
    "55": Failure.BUSY,  # object not in prerequisite state: the time limit of a lock, for example
    "57": Failure.LOST,  # operator intervention: shutdowns
    "58": Failure.LOST,  # system error, outside of PostgreSQL itself
    "72": Failure.CONFLICT,  # snapshot too old
    "F0": Failure.LOST,  # configuration file error
    "HV": Failure.STATEMENT,  # foreign data wrapper error
    "P0": Failure.STATEMENT,  # PL/pgSQL error: a trigger that the operator has added
    "XX": Failure.LOST,  # internal error, corrupted data
}
_BY_SQLSTATE = {
    "23001": Failure.CONFLICT,  # restrict_violation: PostgreSQL 18's code for some of the next one
    # A parent that is removed while a child is created breaks the foreign key. The command is
    # retried, does not find the parent, and reports that.
    "23503": Failure.CONFLICT,
    "23505": Failure.UNIQUE,
    "25006": Failure.LOST,  # read_only_sql_transaction: a standby, or a disk that is full
    "25P02": Failure.LOST,  # in_failed_sql_transaction
    "25P03": Failure.LOST,  # idle_in_transaction_session_timeout
    "25P04": Failure.LOST,  # transaction_timeout
    "40003": Failure.LOST,  # statement_completion_unknown: a retry could do it twice
    "42501": Failure.LOST,  # insufficient_privilege: the operator has revoked a right
    "42P01": Failure.LOST,  # undefined_table: the operator has removed the schema
    "57014": Failure.BUSY,  # query_canceled: the time limit of a statement
}
_BY_RESULT_CODE = {
    sqlite3.SQLITE_ERROR: Failure.SESSION,  # also a transaction inside of another one
    sqlite3.SQLITE_BUSY: Failure.BUSY,
    sqlite3.SQLITE_LOCKED: Failure.BUSY,
    sqlite3.SQLITE_SCHEMA: Failure.SESSION,
    sqlite3.SQLITE_TOOBIG: Failure.STATEMENT,
    sqlite3.SQLITE_CONSTRAINT: Failure.STATEMENT,
    sqlite3.SQLITE_MISMATCH: Failure.STATEMENT,
    sqlite3.SQLITE_MISUSE: Failure.SESSION,
    sqlite3.SQLITE_RANGE: Failure.STATEMENT,
}
_BY_EXTENDED_CODE = {
    sqlite3.SQLITE_BUSY_SNAPSHOT: Failure.CONFLICT,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: Failure.CONFLICT,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Failure.UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Failure.UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_ROWID: Failure.UNIQUE,
}
PRIMARY_CODE = 0xFF  # SQLite keeps the primary result code in the low byte of the extended one


def by_sqlstate(sqlstate: str | None) -> Failure:
    """Return the meaning of a code of PostgreSQL."""
    code = sqlstate or ""
    return _BY_SQLSTATE.get(code) or _BY_CLASS.get(code[:2], Failure.LOST)


def by_result_code(code: int) -> Failure:
    """Return the meaning of an extended result code of SQLite."""
    primary = _BY_RESULT_CODE.get(code & PRIMARY_CODE, Failure.LOST)
    return _BY_EXTENDED_CODE.get(code, primary)
