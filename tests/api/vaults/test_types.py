"""Columns of SQLite accept values of their own type only, like those of PostgreSQL."""

import sqlite3
from collections.abc import Generator
from contextlib import closing

import pytest
from sqlalchemy import Column, String, Text

from symphony.infrastructure.database.engine import Engines
from tests.support.api import User
from tests.support.vault_rows import TABLES
from tests.support.vaults import OpenVault

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-file"], indirect=True)
VALUES = {"blob": b"\0", "integer": 7, "real": 1.5, "text": "2026-02-30"}


@pytest.fixture
async def vaults(ada: User) -> list[OpenVault]:
    """A vault of each protection with an entry, so that no table is empty."""
    workspace = (await ada.workspace())["id"]
    by_token = ada.using((await ada.api_token())["token"])
    locked = await OpenVault.made(by_token, workspace, "locked", "a horse and a battery")
    vaults = [await locked.opened(), await OpenVault.made(ada, workspace, "plain")]
    for vault in vaults:
        assert (await vault.put()).status_code == 201
    return vaults


def _others(column: Column[object], held: str) -> Generator[object]:
    """Values of other types than the column's."""
    for kind, value in VALUES.items():
        if isinstance(column.type, String | Text):
            is_other = kind == "blob"  # SQLite converts numbers to text
        else:
            is_other = kind != held or kind == "text"
        if is_other:
            yield value


async def test_the_tables_of_vaults_refuse_values_of_other_types(
    vaults: list[OpenVault], engines: Engines
) -> None:
    assert engines.file
    tried = 0
    with closing(sqlite3.connect(engines.file)) as database:  # without foreign keys
        for table in TABLES:
            for column in table.columns:
                kind = f"SELECT typeof({column.name}) FROM {table.name}"  # noqa: S608
                (held,) = database.execute(f"{kind} WHERE {column.name} IS NOT NULL").fetchone()
                for value in _others(column, held):
                    change = f"UPDATE {table.name} SET {column.name} = ?"  # noqa: S608
                    with pytest.raises(sqlite3.IntegrityError, match="constraint failed"):
                        database.execute(change, (value,))
                    tried += 1
    assert tried > 80
    for vault in vaults:
        assert (await vault.get()).json()["content"] == "kept"
