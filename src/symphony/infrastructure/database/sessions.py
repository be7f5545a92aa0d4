"""What repositories run their statements on: a transaction, or single reads past SQLAlchemy.

SQLAlchemy compiles every statement, once. In a transaction it runs them as well. A single read is
run by the driver itself, and its rows are converted by the processors of SQLAlchemy's types: the
way through SQLAlchemy's execution and results takes several times as long as a small read.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

import aiosqlite
import asyncpg
from sqlalchemy import CursorResult, Dialect, Executable, Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.types import TypeEngine

from symphony.infrastructure.database.errors import is_disconnect, port_errors

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
Rows: TypeAlias = Sequence[Sequence[Any]]
_Processor: TypeAlias = Callable[[Any], Any]


class Session(ABC):
    """Runs statements for repositories."""

    @abstractmethod
    async def rows(self, statement: AnySelect, parameters: Mapping[str, Any]) -> Rows:
        """What a statement selects. The statement is one that is kept, not made for this call."""

    @abstractmethod
    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Runs any statement; only in a transaction."""

    @property
    @abstractmethod
    def dialect(self) -> Dialect: ...


class TransactionSession(Session):
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, statement: AnySelect, parameters: Mapping[str, Any]) -> Rows:
        return (await self._connection.execute(statement, parameters)).all()

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        return await self._connection.execute(statement, parameters)

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect


class ReadingSession(Session):
    """Single reads on a driver's connection, each of what is committed when it runs."""

    def __init__(self, pooled: PoolProxiedConnection, engine: AsyncEngine) -> None:
        self._pooled = pooled
        self._engine = engine

    async def rows(self, statement: AnySelect, parameters: Mapping[str, Any]) -> Rows:
        prepared = _prepared(statement, self._engine.dialect)
        with port_errors(prepared.sql):
            try:
                return prepared.converted(await self._fetched(prepared, parameters))
            except BaseException as error:
                # A statement that was left in the middle can hold its lock for ever.
                self._drop(error)
                raise

    async def _fetched(self, prepared: "Prepared", parameters: Mapping[str, Any]) -> Any:
        driver = self._pooled.driver_connection
        arguments = prepared.arguments(parameters)
        if isinstance(driver, aiosqlite.Connection):
            return await driver.execute_fetchall(prepared.sql, arguments)
        return await cast("asyncpg.Connection[Any]", driver).fetch(prepared.sql, *arguments)

    def _drop(self, error: BaseException) -> None:
        if is_disconnect(error):
            # A server that was restarted has dropped the other connections as well.
            self._engine.sync_engine.pool._invalidate(self._pooled, error)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as SQLAlchemy does when it runs the statement
        else:
            self._pooled.invalidate(error)

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        raise RuntimeError("changes are made in units of work")

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it."""

    sql: str
    parameters: tuple[tuple[str, _Processor | None], ...]
    """Their names in order, with what turns a value into the driver's."""
    own: Mapping[str, Any]
    """The values of those that the statement itself has."""
    columns: tuple[tuple[int, _Processor], ...]
    """Those whose values are not yet as they should be."""

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        values = {**self.own, **given}
        return [
            process(values[name]) if process else values[name] for name, process in self.parameters
        ]

    def converted(self, found: Any) -> Rows:
        rows = [list(row) for row in found]
        for column, process in self.columns:
            for row in rows:
                row[column] = process(row[column])
        return rows


@lru_cache(maxsize=512)
def _prepared(statement: AnySelect, dialect: Dialect) -> Prepared:
    compiled = statement.compile(dialect=dialect)
    binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
    return Prepared(
        str(compiled),
        tuple((name, _outwards(bind.type, dialect)) for name, bind in binds),
        {name: bind.effective_value for name, bind in binds if not bind.required},
        tuple(
            (index, process)
            for index, column in enumerate(statement.selected_columns)
            if (process := _inwards(column.type, dialect))
        ),
    )


def _outwards(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _inwards(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
