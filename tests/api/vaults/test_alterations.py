"""Somebody alters the database past the service: nobody ever gets something else for it.

Each column of each row of two vaults, one with a passphrase and one without, is set to whatever is
plausible; of entries those of the first, for they are sealed alike whatever wraps the vault's key.
The columns come from the tables themselves, so none is forgotten. What nobody can notice is listed,
with the reason, and is in docs/vaults.md.
"""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Table

from symphony.domain.vaults.keys import KeyRecord
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.vaults.keys import to_record
from tests.support.api import User, code
from tests.support.open_vaults import OpenVault
from tests.support.vault_rows import (
    TABLES,
    Alteration,
    Row,
    Rows,
    alterations,
    read_rows,
    write_rows,
)

pytestmark = [
    pytest.mark.long,
    # One that outlives the engine that the rows are changed through.
    pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True),
]

PASSPHRASES = ("a horse, a battery and a staple", "a mare, a cell and a paper clip")

# What clients may be told. The 422 is that of a passphrase for a vault that is said to have none,
# the 503 that of a key that is said, with a checksum to fit, to be wrapped by an unknown one.
REFUSALS = {
    "403 wrong-passphrase",
    "404 vault-not-found",
    "404 entry-not-found",
    "409 entry-damaged",
    "409 vault-damaged",
    "410 version-gone",
    "422 validation-error",
    "423 vault-locked",
    "503 master-key-missing",
}

# Columns of which an alteration can go unseen, or one kind of it, with the reason.
PLAIN = "it is not encrypted, and whoever can write the row decides what is shown"
UNSEEN = {
    "vaults.workspace_id": "whose a vault is, is plain",
    **{
        f"vaults.{name}": PLAIN
        for name in ("name", "name_key", "path", "metadata", "version", "created_at", "updated_at")
    },
}

KEYS = Model.metadata.tables["vault_keys"]

Answer = tuple[str, Any]
Answers = dict[tuple[UUID, str], Answer]


@dataclass(frozen=True, slots=True)
class Scene:
    """Vaults of two people, and what each has in it."""

    locked: OpenVault
    plain: OpenVault
    others: tuple[OpenVault, ...]
    lists: tuple[tuple[User, str], ...]
    """Of whose vaults, and where."""
    older: Rows
    """As the rows were some writes ago."""

    @property
    def all(self) -> tuple[OpenVault, ...]:
        return (self.locked, self.plain, *self.others)

    def those(self, ids: Container[UUID]) -> tuple[OpenVault, ...]:
        return tuple(each for each in self.all if UUID(each.id) in ids)

    @property
    def ids(self) -> set[UUID]:
        return {UUID(each.id) for each in self.all}


@pytest.fixture
async def scene(ada: User, eve: User, engines: Engines) -> Scene:
    here, there = (await ada.workspace("here"))["id"], (await ada.workspace("there"))["id"]
    hers = (await eve.workspace())["id"]
    workspaces = ((ada, here), (ada, there), (eve, hers))
    locked = await OpenVault.made(ada, here, "locked", PASSPHRASES[0])
    plain = await OpenVault.made(ada, here, "plain")
    by_token = ada.using((await ada.api_token())["token"])
    others = (
        await (await OpenVault.made(by_token, there, "locked too", PASSPHRASES[1])).opened(),
        await OpenVault.made(ada, there, "plain too"),
        await OpenVault.made(eve, hers, "hers"),
    )
    locked = await locked.opened()
    for vault in (locked, plain, *others):
        for key in ("a", "b"):
            await vault.put(key, f"the first {key} of {vault.id}")
    older = await read_rows(engines)
    for vault in (locked, plain):
        for content in ("second", "third"):
            await vault.put("a", f"the {content} a of {vault.id}")
    lists = tuple((who, f"/workspaces/{each}/vaults") for who, each in workspaces)
    return Scene(locked, plain, others, lists, older)


def told(answer: httpx.Response) -> Answer:
    if answer.status_code >= 400:
        return code(answer), None
    return str(answer.status_code), answer.json()


async def look(vaults: tuple[OpenVault, ...], at: Container[UUID]) -> Answers:
    """Whatever can be read of some vaults, and of the others an entry."""
    seen: Answers = {}
    for vault in vaults:
        vault_id = UUID(vault.id)
        seen[vault_id, "a"] = told(await vault.get("a"))
        if vault_id not in at:
            continue
        seen[vault_id, "record"] = told(await vault.ask("GET"))
        seen[vault_id, "list"] = told(await vault.ask("GET", "/entries"))
        seen[vault_id, "b"] = told(await vault.get("b"))
        for version in (1, 2):
            seen[vault_id, f"a, version {version}"] = told(await vault.get("a", version))
        seen[vault_id, "versions of a"] = told(await vault.versions("a"))
    return seen


async def listed(scene: Scene) -> dict[UUID, Any]:
    """What the lists of vaults have, each of which has to be there, whatever is in it."""
    vaults: dict[UUID, Any] = {}
    for who, path in scene.lists:
        answer = await who.get(path)
        assert answer.status_code == 200, answer.text
        vaults |= {UUID(each["id"]): each for each in answer.json()["items"]}
    return vaults


class Judge:
    """Compares what is answered after an alteration with what was answered before."""

    def __init__(self, before: Answers) -> None:
        self._before = before

    def noticed(self, altered: Alteration, after: Answers) -> bool:
        """Whether an answer tells that something is wrong. Fails for an answer that is wrong."""
        noticed = False
        for (vault_id, what), answer in after.items():
            before = self._before[vault_id, what]
            if answer == before:
                continue
            about = f"{altered}: {what}: {answer}"
            assert vault_id in altered.vaults, f"another vault is harmed: {about}"
            if answer[0] in REFUSALS:
                noticed = True
            elif what == "list":
                assert self._is_part(answer[1], before[1]), about
                noticed = noticed or answer[1]["damaged"] > 0
            else:
                assert what == "record", f"something else is told: {about}"
        return noticed

    @staticmethod
    def _is_part(after: dict[str, Any], before: dict[str, Any]) -> bool:
        """Whether a list has nothing that it had not before, and tells how many it cannot show."""
        known = before["items"]
        return all(item in known for item in after["items"]) and before["damaged"] == 0


@pytest.fixture
async def restored(engines: Engines, scene: Scene) -> Rows:
    """The rows as they are meant to be."""
    assert scene.older
    return await read_rows(engines)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_each_column_of_each_row_that_is_altered_gives_what_was_kept_or_an_error(
    scene: Scene, restored: Rows, engines: Engines, table: Table
) -> None:
    before, listed_before = await look(scene.all, scene.ids), await listed(scene)
    assert {answer[0] for answer in before.values()} == {"200", "404 version-not-found"}
    judge = Judge(before)
    subjects = {UUID(scene.locked.id)}
    if not table.name.startswith("vault_entr"):
        subjects.add(UUID(scene.plain.id))
    counted = Counter[str]()
    unseen = set[str]()
    tried = set[str]()
    for altered in alterations(table, restored, scene.older, subjects):
        column = f"{altered.table}.{altered.column}"
        tried.add(column)
        if not await write_rows(engines, altered.rows):
            counted["refused by the database"] += 1
            continue
        noticed = judge.noticed(altered, await look(scene.those(altered.vaults), altered.vaults))
        for vault_id, shown in (await listed(scene)).items():
            assert vault_id in altered.vaults or shown == listed_before[vault_id], str(altered)
        noticed = await _unlock_and_write(scene, altered, judge) or noticed
        counted["noticed" if noticed else "unseen"] += 1
        if not noticed:
            reasons = UNSEEN.keys() & {column, str(altered)}
            assert reasons, f"unseen: {altered}"
            unseen |= reasons
    await write_rows(engines, restored)
    assert await look(scene.all, scene.ids) == before
    assert tried == {f"{table.name}.{column.key}" for column in table.columns}
    assert unseen == {each for each in UNSEEN if each.startswith(f"{table.name}.")}
    assert counted["noticed"] >= 3 * len(tried - unseen)
    print("ALTERED", table.name, dict(counted), len(tried), "columns")  # noqa: T201 - `pytest -s`


async def _unlock_and_write(scene: Scene, altered: Alteration, judge: Judge) -> bool:
    """Opens the vault and writes to it; whether any of it tells that something is wrong."""
    noticed = False
    unlocked = told(await scene.locked.unlock())
    assert unlocked[0] in {"200", *REFUSALS}, f"{altered}: unlocking: {unlocked}"
    if unlocked[0] != "200":
        assert UUID(scene.locked.id) in altered.vaults
        noticed = True
    for vault in (scene.locked, scene.plain):
        if UUID(vault.id) not in altered.vaults:
            continue
        written = told(await vault.put("a", "written anew"))
        assert written[0] in {"200", "201", *REFUSALS}, f"{altered}: writing: {written}"
        read = told(await vault.get("a"))
        if written[0] in {"200", "201"}:
            assert read[1]["content"] == "written anew", f"{altered}: {read}"
        else:
            assert read[0] in {"200", *REFUSALS}
            noticed = True
        removed = await vault.ask("DELETE", "/entries/a")
        assert removed.status_code == 204 or code(removed) in REFUSALS, f"{altered}: {removed}"
    others = tuple(each for each in scene.all if UUID(each.id) not in altered.vaults)
    judge.noticed(altered, await look(others, ()))
    return noticed


async def test_a_key_whose_checksum_is_made_to_fit_opens_no_more_than_before(
    scene: Scene, restored: Rows, engines: Engines
) -> None:
    judge = Judge(await look(scene.all, scene.ids))
    tried = 0
    for vault in (scene.locked, scene.plain):
        for altered in alterations(KEYS, restored, scene.older, {UUID(vault.id)}):
            if altered.column == "checksum":
                continue
            for row in altered.rows["vault_keys"]:
                row["checksum"] = _record(row).checksum
            if not await write_rows(engines, altered.rows):
                continue
            tried += 1
            noticed = judge.noticed(altered, await look(scene.all, altered.vaults))
            noticed = await _unlock_and_write(scene, altered, judge) or noticed
            assert noticed or str(altered) in UNSEEN, str(altered)
    assert tried > 20


def _record(row: Row) -> KeyRecord:
    """What a row would be with the right checksum."""
    kept = to_record([*row.values()])
    return KeyRecord.with_checksum(
        kept.vault_id, kept.wrapped, master_key=kept.master_key, derivation=kept.derivation
    )
