"""The database is changed outside the service: no response contains tampered data.

Each column of each row of two vaults, one with a passphrase and one without, is set to plausible
values; for entries only those of the first vault, because the protection of the data key does not
affect how entries are sealed. The columns are read from the tables, so none is missing. Changes
that cannot be detected are listed with the reason, and in docs/vaults.md.
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
from tests.support.vault_rows import (
    TABLES,
    Alteration,
    Row,
    Rows,
    alterations,
    read_rows,
    write_rows,
)
from tests.support.vaults import OpenVault

pytestmark = [
    pytest.mark.long,
    # A store that outlives the engine that changes the rows.
    pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True),
]

PASSPHRASES = ("a horse, a battery and a staple", "a mare, a cell and a paper clip")

# The allowed responses. A 422: a passphrase for a vault whose row says that it has none. A 503: a
# data key whose row says, with a valid checksum, that an unknown master key wraps it.
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

# Columns of which a change, or one kind of change, is not detected, with the reason.
PLAIN = "it is not encrypted, and whoever can write the row decides what is shown"
UNDETECTABLE = {
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
    """Vaults of two users, and their contents."""

    locked: OpenVault
    plain: OpenVault
    others: tuple[OpenVault, ...]
    lists: tuple[tuple[User, str], ...]
    """The user and path of each vault."""
    older: Rows
    """The rows before the latest writes."""

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
    """All responses about some vaults, and one entry of the others."""
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
    """The lists of vaults, which must be complete whatever a vault contains."""
    vaults: dict[UUID, Any] = {}
    for who, path in scene.lists:
        answer = await who.get(path)
        assert answer.status_code == 200, answer.text
        vaults |= {UUID(each["id"]): each for each in answer.json()["items"]}
    return vaults


class Judge:
    """Compares the responses after a change with those before."""

    def __init__(self, before: Answers) -> None:
        self._before = before

    def detected(self, altered: Alteration, after: Answers) -> bool:
        """Whether a response reports damage. Fails for a response with wrong content."""
        detected = False
        for (vault_id, what), answer in after.items():
            before = self._before[vault_id, what]
            if answer == before:
                continue
            about = f"{altered}: {what}: {answer}"
            assert vault_id in altered.vaults, f"another vault is harmed: {about}"
            if answer[0] in REFUSALS:
                detected = True
            elif what == "list":
                assert self._is_part(answer[1], before[1]), about
                detected = detected or answer[1]["damaged"] > 0
            else:
                assert what == "record", f"something else is told: {about}"
        return detected

    @staticmethod
    def _is_part(after: dict[str, Any], before: dict[str, Any]) -> bool:
        """Whether a list reports damage. Fails for a list with new items."""
        known = before["items"]
        return all(item in known for item in after["items"]) and before["damaged"] == 0


@pytest.fixture
async def restored(engines: Engines, scene: Scene) -> Rows:
    """The unchanged rows."""
    assert scene.older
    return await read_rows(engines)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_after_a_change_of_any_column_responses_have_the_stored_content_or_an_error(
    scene: Scene, restored: Rows, engines: Engines, table: Table
) -> None:
    before, listed_before = await look(scene.all, scene.ids), await listed(scene)
    assert {answer[0] for answer in before.values()} == {"200", "404 version-not-found"}
    judge = Judge(before)
    subjects = {UUID(scene.locked.id)}
    if not table.name.startswith("vault_entr"):
        subjects.add(UUID(scene.plain.id))
    counted = Counter[str]()
    undetected = set[str]()
    tried = set[str]()
    for altered in alterations(table, restored, scene.older, subjects):
        column = f"{altered.table}.{altered.column}"
        tried.add(column)
        if not await write_rows(engines, altered.rows):
            counted["refused by the database"] += 1
            continue
        detected = judge.detected(altered, await look(scene.those(altered.vaults), altered.vaults))
        for vault_id, shown in (await listed(scene)).items():
            assert vault_id in altered.vaults or shown == listed_before[vault_id], str(altered)
        detected = await _unlock_and_write(scene, altered, judge) or detected
        counted["detected" if detected else "undetected"] += 1
        if not detected:
            reasons = UNDETECTABLE.keys() & {column, str(altered)}
            assert reasons, f"undetected: {altered}"
            undetected |= reasons
    await write_rows(engines, restored)
    assert await look(scene.all, scene.ids) == before
    assert tried == {f"{table.name}.{column.key}" for column in table.columns}
    assert undetected == {each for each in UNDETECTABLE if each.startswith(f"{table.name}.")}
    assert counted["detected"] >= 3 * len(tried - undetected)
    print("ALTERED", table.name, dict(counted), len(tried), "columns")  # noqa: T201 - `pytest -s`


async def _unlock_and_write(scene: Scene, altered: Alteration, judge: Judge) -> bool:
    """Unlock the vault and write to it; returns whether any response reports damage."""
    detected = False
    unlocked = told(await scene.locked.unlock())
    assert unlocked[0] in {"200", *REFUSALS}, f"{altered}: unlocking: {unlocked}"
    if unlocked[0] != "200":
        assert UUID(scene.locked.id) in altered.vaults
        detected = True
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
            detected = True
        removed = await vault.ask("DELETE", "/entries/a")
        assert removed.status_code == 204 or code(removed) in REFUSALS, f"{altered}: {removed}"
    others = tuple(each for each in scene.all if UUID(each.id) not in altered.vaults)
    judge.detected(altered, await look(others, ()))
    return detected


async def test_a_data_key_with_a_forged_checksum_opens_nothing_more(
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
            detected = judge.detected(altered, await look(scene.all, altered.vaults))
            detected = await _unlock_and_write(scene, altered, judge) or detected
            assert detected or str(altered) in UNDETECTABLE, str(altered)
    assert tried > 20


def _record(row: Row) -> KeyRecord:
    """The row with a valid checksum."""
    kept = to_record([*row.values()])
    return KeyRecord.with_checksum(
        kept.vault_id, kept.wrapped, master_key=kept.master_key, derivation=kept.derivation
    )
