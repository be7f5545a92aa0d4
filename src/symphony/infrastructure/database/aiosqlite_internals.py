"""Internals of aiosqlite: how it runs a statement on sqlite3's connection.

`execute_fetchall` calls `execute` of the connection that `factory` returned, and `fetchall` of the
cursor, in one step of the connection's thread. `docs/decisions/dependencies.md` has the reason,
and `tests/contracts/test_aiosqlite.py` checks it.
"""

import sqlite3
from typing import Any


class ResettingCursor(sqlite3.Cursor):
    """A cursor that resets its statement when reading the rows fails.

    An unfinished statement keeps the connection at an old state of the database.
    """

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except BaseException:
            self.close()
            raise


class ResettingConnection(sqlite3.Connection):
    """A connection with cursors that reset themselves, for aiosqlite's option `factory`."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return self.cursor(ResettingCursor).execute(sql, parameters)
