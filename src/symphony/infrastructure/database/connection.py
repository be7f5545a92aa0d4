"""A pooled connection that runs the statements of repositories.

SQLAlchemy compiles each statement once and provides the connection. The driver runs the statement,
and the processors of SQLAlchemy's column types convert its rows: SQLAlchemy's own execution and
results take several times as long as a small statement.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias, cast

import aiosqlite
import asyncpg
from sqlalchemy import BindParameter, Dialect, bindparam
from sqlalchemy.ext.asyncio import AsyncEngine

from symphony.domain.base import utc_now
from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict
from symphony.infrastructure.database.availability.failure_codes import Failure
from symphony.infrastructure.database.column_types import UtcDateTime
from symphony.infrastructure.database.engine import (
    is_file_in_place,
    is_newly_opened,
    mark_generation_lost,
)
from symphony.infrastructure.database.errors import (
    failure_of,
    outcome_unknown,
    translated_errors,
    unavailable,
)
from symphony.infrastructure.database.reach import require_reach
from symphony.infrastructure.database.sqlalchemy_internals import (
    Prepared,
    Rows,
    Statement,
    equal_dialect,
    prepare,
)

_Driver: TypeAlias = "asyncpg.Connection[Any] | aiosqlite.Connection"

NOW: BindParameter[datetime] = bindparam("now", type_=UtcDateTime())
"""The time at which a statement runs; the connection fills it in by its clock."""

_COMMIT = "COMMIT"
_ANSWERED = {Failure.STATEMENT, Failure.UNIQUE, Failure.CONFLICT, Failure.BUSY}
"""The database itself refused the statement, and is ready for the next one."""
_OF_THE_CONNECTION = {Failure.SESSION, Failure.LOST}


class Connection:
    """One connection of a pool, on which statements run.

    With `begin`, the statement that starts a transaction, all statements up to `commit` are one
    transaction. Without it, each statement is a transaction of its own.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        begin: str | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        rollback_timeout: float = 5.0,
        answer_timeout: float | None = None,
    ) -> None:
        self._engine = engine
        self._begin = begin
        self._rollback_timeout = rollback_timeout
        self._answer_timeout = answer_timeout
        self._is_in_transaction = False
        self._has_failed = False
        self._is_state_unknown = False
        self.is_outcome_unknown = False
        """Whether a COMMIT was sent, and the database has neither confirmed nor refused it."""
        self.now = clock

    async def open(self) -> None:
        """Take a connection from the pool; `close` returns it. Raises: StoreUnavailable."""
        try:
            self._pooled = await self._engine.raw_connection()
        except Exception as error:  # no statement of ours is at fault, whatever it is
            raise unavailable(error) from error
        self._driver = cast("_Driver", self._pooled.driver_connection)
        self.is_new = is_newly_opened(self._pooled)

    @property
    def memory(self) -> dict[Any, Any]:
        """What is known as long as this connection to one server exists; the pool keeps it."""
        return self._pooled.info

    def distrust(self) -> None:
        """Have the pool replace this connection and all that were opened before or with it."""
        self._is_state_unknown = True
        mark_generation_lost(self._pooled)

    async def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        """Run a statement and return the rows that it selects or returns.

        The compiled form is cached by the statement's identity: build a statement once and keep it.

        Raises: ReachMissing, StoreUnavailable, TransactionConflict, UniqueViolation.
        """
        rows, convert = await self.fetch_unconverted(statement, parameters)
        return convert(rows)

    async def fetch_unconverted(
        self, statement: Statement, parameters: Mapping[str, Any]
    ) -> tuple[Rows, Callable[[Rows], Rows]]:
        """Return the rows as the driver returns them, and their conversion.

        To compare a row with one that was converted before is much quicker than to convert it.

        Raises: as `fetch`.
        """
        prepared = _checked(statement, equal_dialect(self._engine.dialect))
        arguments = self._arguments(prepared, parameters)
        if self._begin and not self._is_in_transaction:
            await self._start_transaction(self._begin)
        driver = self._driver
        if isinstance(driver, aiosqlite.Connection):
            result = _fetch_from_sqlite(driver, prepared.sql, arguments)
        else:
            result = driver.fetch(prepared.sql, *arguments)
        return await self._answer(result, prepared.sql), prepared.convert

    async def execute_many(
        self, statement: Statement, parameters: Sequence[Mapping[str, Any]]
    ) -> None:
        """Run a statement that returns nothing for each set of parameters, in one round trip."""
        prepared = _checked(statement, equal_dialect(self._engine.dialect))
        arguments = [self._arguments(prepared, each) for each in parameters]
        if self._begin and not self._is_in_transaction:
            await self._start_transaction(self._begin)
        await self._answer(self._driver.executemany(prepared.sql, arguments), prepared.sql)

    async def lock_table(self, name: str) -> None:
        """Let no other transaction write to a table until this one is over; reads go on.

        SQLite has one writer at a time, so there the transaction is enough.
        """
        if self._begin and not self._is_in_transaction:
            await self._start_transaction(self._begin)
        if not isinstance(self._driver, aiosqlite.Connection):
            # Not a query, which would fix what a transaction sees at some isolation levels.
            statement = f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"
            await self._answer(self._driver.execute(statement), statement)

    async def commit(self) -> None:
        """Commit the transaction.

        Raises: StoreUnavailable; OutcomeUnknown when the commit may have taken place;
        RuntimeError when a statement has failed, even if its error was handled: a part of the work
        is missing, and PostgreSQL would answer the COMMIT with a rollback.
        """
        if self._has_failed:
            raise RuntimeError("a statement of this unit of work has failed")
        if self._is_in_transaction:
            await self._answer(self._driver.execute(_COMMIT), _COMMIT)
            self._is_in_transaction = False
            if not is_file_in_place(self._pooled):
                self.distrust()
                raise StoreUnavailable("the database file was moved during the transaction")

    async def close(self) -> None:
        """Roll back what was not committed, and return the connection to the pool.

        A connection in an unknown state is dropped instead: a statement that was interrupted can
        hold its lock forever.
        """
        try:
            if self._is_in_transaction and not self._is_state_unknown:
                try:
                    async with asyncio.timeout(self._rollback_timeout):
                        await self._driver.execute("ROLLBACK")
                    self._is_in_transaction = False
                except Exception:
                    self.distrust()
        finally:
            if self._is_in_transaction or self._is_state_unknown:
                self._pooled.invalidate()
            self._pooled.close()

    def _arguments(self, prepared: Prepared, parameters: Mapping[str, Any]) -> list[Any]:
        if prepared.takes_now and NOW.key not in parameters:
            parameters = {NOW.key: self.now(), **parameters}
        return prepared.arguments(parameters)

    async def _start_transaction(self, begin: str) -> None:
        # Of several statements, a later one may fail after BEGIN.
        self._is_in_transaction = ";" in begin
        await self._answer(self._driver.execute(begin), begin)
        self._is_in_transaction = True

    async def _answer(self, result: Awaitable[Any], sql: str) -> Any:
        try:
            if self._answer_timeout is None:
                return await result
            return await self._answered_within(self._answer_timeout, result)
        except BaseException as error:
            self._has_failed = True
            # A statement that was left without an answer is a lost connection as well.
            failure = failure_of(error) if isinstance(error, Exception) else Failure.LOST
            # After a COMMIT that SQLite refused, its transaction is still open.
            self._is_state_unknown |= sql == _COMMIT or failure not in _ANSWERED
            self.is_outcome_unknown = sql == _COMMIT and failure not in _ANSWERED
            if failure in _OF_THE_CONNECTION:
                self.distrust()
                if isinstance(error, Exception) and not self.is_new and sql != _COMMIT:
                    # A new connection tells whether the fault is the connection's. Not after a
                    # COMMIT, which may have been carried out.
                    raise TransactionConflict from error
            if self.is_outcome_unknown and isinstance(error, Exception):
                raise outcome_unknown(error) from error
            with translated_errors(sql):
                raise

    async def _answered_within(self, seconds: float, result: Awaitable[Any]) -> Any:
        """Await an answer; abort the connection when there is none in time.

        A cancellation would wait for a server that does not answer. Raises: TimeoutError.
        """
        driver = self._driver
        if isinstance(driver, aiosqlite.Connection):
            return await result
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, driver.terminate)
        try:
            return await result
        except Exception:  # between two steps of the driver it may be any error
            if timer.when() <= loop.time():
                raise TimeoutError(f"no answer within {seconds:.1f} s") from None
            raise
        finally:
            timer.cancel()


@lru_cache(maxsize=512)
def _checked(statement: Statement, dialect: Dialect) -> Prepared:
    """Compile a statement, once for each kind of dialect: statements are compared by identity."""
    prepared = prepare(statement, dialect)
    require_reach(statement, prepared)
    return prepared


async def _fetch_from_sqlite(
    driver: aiosqlite.Connection, sql: str, arguments: Sequence[Any]
) -> Any:
    """Run a statement; in texts that are not UTF-8, U+FFFD replaces the invalid bytes."""
    try:
        return await driver.execute_fetchall(sql, arguments)
    except sqlite3.OperationalError as error:
        if failure_of(error) is not Failure.DRIVER or not sql.startswith("SELECT"):
            raise
    # Only after a failure: a text factory in Python doubles the time that reading a text takes.
    driver.text_factory = _decode_replacing
    try:
        return await driver.execute_fetchall(sql, arguments)
    finally:
        driver.text_factory = str


def _decode_replacing(text: bytes) -> str:
    return str(text, "utf-8", "replace")
