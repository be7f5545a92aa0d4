"""The internals of aiosqlite that `aiosqlite_internals.py` builds on.

A failure means that a new version of aiosqlite runs statements in another way; see
`docs/decisions/dependencies.md`.
"""

import sqlite3
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from symphony.infrastructure.database.aiosqlite_internals import (
    ResettingConnection,
    ResettingCursor,
)

ADAPTER = "adapt symphony/infrastructure/database/aiosqlite_internals.py"


class Recording(ResettingConnection):
    """Records the calls of aiosqlite, and whether they come from its thread."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.calls: list[tuple[str, bool]] = []

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.calls.append((sql, threading.current_thread() is threading.main_thread()))
        return super().execute(sql, parameters)


@asynccontextmanager
async def connected(
    file: Path, factory: type[sqlite3.Connection]
) -> AsyncGenerator[tuple[aiosqlite.Connection, list[Any]]]:
    created: list[Any] = []

    def create(*arguments: Any, **options: Any) -> sqlite3.Connection:
        created.append(factory(*arguments, **options))
        return created[-1]

    async with aiosqlite.connect(file, isolation_level=None, factory=create) as driver:
        yield driver, created


async def test_execute_fetchall_calls_execute_of_the_factorys_connection(tmp_path: Path) -> None:
    async with connected(tmp_path / "a.sqlite3", Recording) as (driver, created):
        rows = await driver.execute_fetchall("SELECT ?", [7])
        assert list(rows) == [(7,)]
        assert len(created) == 1, f"`factory` is not used: {ADAPTER}"
        assert created[0].calls == [("SELECT ?", False)], (
            f"execute_fetchall does not call the connection's execute in its thread: {ADAPTER}"
        )


async def test_a_cursor_of_the_adapter_reads_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[int]()
    fetchall = ResettingCursor.fetchall

    def counted(cursor: ResettingCursor) -> list[Any]:
        rows = fetchall(cursor)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(ResettingCursor, "fetchall", counted)
    async with connected(tmp_path / "a.sqlite3", ResettingConnection) as (driver, _):
        await driver.execute_fetchall("SELECT 1 UNION SELECT 2")
    assert read == [2], f"execute_fetchall does not call the cursor's fetchall: {ADAPTER}"


async def test_a_read_that_fails_leaves_no_statement_in_the_middle(tmp_path: Path) -> None:
    """With sqlite3's own cursor, the connection would go on reading the old state."""
    file = tmp_path / "a.sqlite3"
    async with (
        connected(file, ResettingConnection) as (reader, _),
        connected(file, ResettingConnection) as (writer, _),
    ):
        await writer.execute("PRAGMA journal_mode=WAL")
        await writer.execute("CREATE TABLE texts (text TEXT)")
        await writer.execute("INSERT INTO texts VALUES ('a'), (CAST(x'ff' AS TEXT)), ('c')")
        with pytest.raises(sqlite3.OperationalError) as failed:
            await reader.execute_fetchall("SELECT text FROM texts")
        await writer.execute("UPDATE texts SET text = 'new'")
        try:
            rows = await reader.execute_fetchall("SELECT text FROM texts")
        except sqlite3.OperationalError:
            pytest.fail(f"the old state was read: {ADAPTER}")
        assert {row[0] for row in rows} == {"new"}, f"the old state was read: {ADAPTER}"
        assert failed.value.__traceback__  # which kept the cursor alive until here
