"""What repositories run their statements on: a connection that the pool has lent.

SQLAlchemy compiles every statement, once, and lends the connection. The driver runs it, and the
processors of SQLAlchemy's types convert its rows: the way through SQLAlchemy's execution and
results takes several times as long as a small statement.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

import aiosqlite
import asyncpg
from sqlalchemy import Dialect, Select, UpdateBase
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeEngine

from symphony.infrastructure.database.errors import is_disconnect, is_refusal, port_errors

Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase
Rows: TypeAlias = Sequence[Sequence[Any]]
_Processor: TypeAlias = Callable[[Any], Any]
_Driver: TypeAlias = "asyncpg.Connection[Any] | aiosqlite.Connection"

_ROLLBACK_WAIT = 5.0  # seconds
_COMMIT = "COMMIT"


class Connection:
    """Runs statements for repositories, on one connection.

    With `begin`, how a transaction begins, they are in one, from the first to `commit`; otherwise
    each stands by itself.
    """

    def __init__(self, engine: AsyncEngine, begin: str | None = None) -> None:
        self._engine = engine
        self._begin = begin
        self._begun = False
        self._refused = False
        self._in_doubt = False

    async def open(self) -> None:
        """Borrows a connection, to be given back by `close`."""
        self._pooled = await self._engine.raw_connection()
        self._driver = cast("_Driver", self._pooled.driver_connection)

    async def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        """What a statement selects or returns. It is one that is kept, not made for this call."""
        prepared = _prepared(statement, self._engine.dialect)
        arguments = prepared.arguments(parameters)
        if self._begin and not self._begun:
            await self._answer(self._driver.execute(self._begin), self._begin)
            self._begun = True
        driver = self._driver
        if isinstance(driver, aiosqlite.Connection):
            answer = _fetched(driver, prepared.sql, arguments)
        else:
            answer = driver.fetch(prepared.sql, *arguments)
        return prepared.converted(await self._answer(answer, prepared.sql))

    async def commit(self) -> None:
        """Raises: RuntimeError when a statement was refused, whatever was done about it: some of
        the work is missing, and PostgreSQL would answer such a COMMIT by rolling back.
        """
        if self._refused:
            raise RuntimeError("a statement of this unit of work was refused")
        if self._begun:
            await self._answer(self._driver.execute(_COMMIT), _COMMIT)
            self._begun = False

    async def close(self) -> None:
        """Gives the connection back. What was not committed is undone.

        A connection of which nobody knows what it is doing is dropped: a statement that was left
        in the middle can hold its lock for ever.
        """
        try:
            if self._begun and not self._in_doubt:
                with suppress(Exception):
                    async with asyncio.timeout(_ROLLBACK_WAIT):
                        await self._driver.execute("ROLLBACK")
                    self._begun = False
        finally:
            if self._begun or self._in_doubt:
                self._pooled.invalidate()
            self._pooled.close()

    async def _answer(self, answer: Awaitable[Any], sql: str) -> Any:
        try:
            return await answer
        except BaseException as error:
            self._refused = True
            # After a COMMIT that was refused, SQLite's transaction is still open.
            self._in_doubt |= sql == _COMMIT or not is_refusal(error)
            if is_disconnect(error):
                # A server that was restarted has dropped the other connections as well.
                pool = self._engine.sync_engine.pool
                pool._invalidate(self._pooled, _checkin=False)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as SQLAlchemy does when it runs the statement
            with port_errors(sql):
                raise


async def _fetched(driver: aiosqlite.Connection, sql: str, arguments: Sequence[Any]) -> Any:
    """The rows of a statement; texts that are no UTF-8 have marks in them."""
    try:
        return await driver.execute_fetchall(sql, arguments)
    except sqlite3.OperationalError as error:
        if is_refusal(error) or not sql.startswith("SELECT"):
            raise
    # Only now, for a function of Python's own takes as long as all else that is done with a text.
    driver.text_factory = _marked
    try:
        return await driver.execute_fetchall(sql, arguments)
    finally:
        driver.text_factory = str


def _marked(text: bytes) -> str:
    return str(text, "utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it."""

    sql: str
    parameters: tuple[tuple[str, _Processor | None], ...]
    """Their names in order, with what turns a value into the driver's."""
    own: Mapping[str, Any]
    """The values of those that the statement itself has."""
    made: Mapping[str, Callable[[], Any]]
    """What makes the values of those that it has anew each time."""
    columns: tuple[tuple[int, _Processor], ...]
    """Those whose values are not yet as they should be."""

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        values = {**self.own, **given}
        for name, make in self.made.items():
            values[name] = make()
        return [
            process(values[name]) if process else values[name] for name, process in self.parameters
        ]

    def converted(self, found: Any) -> Rows:
        if not self.columns:
            return found
        rows = [list(row) for row in found]
        for column, process in self.columns:
            for row in rows:
                row[column] = process(row[column])
        return rows


@lru_cache(maxsize=512)
def _prepared(statement: Statement, dialect: Dialect) -> Prepared:
    compiled = statement.compile(dialect=dialect)
    binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
    return Prepared(
        str(compiled),
        tuple((name, _outwards(bind.type, dialect)) for name, bind in binds),
        {name: bind.value for name, bind in binds if not bind.required and not bind.callable},
        {name: bind.callable for name, bind in binds if bind.callable},
        tuple(
            (index, process)
            for index, column in enumerate(statement.exported_columns)
            if (process := _inwards(column.type, dialect))
        ),
    )


def _outwards(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _inwards(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
