"""Records that are tampered with in the database are detected, and affect no other records.

An attacker who can write to the database can still remove rows or set all of it back; see
docs/vaults.md.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, insert, select, update

from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.application.orchestrations.entry_writes import delete_entry, put_entry
from symphony.application.orchestrations.vault_creation import (
    CreateProtectedVault,
    create_protected_vault,
)
from symphony.application.orchestrations.vault_unlocking import OpenVault, open_vault
from symphony.application.vaults.entries import (
    DeleteEntry,
    GetEntry,
    ListEntries,
    ListEntryVersions,
    PutEntry,
    get_entry,
    list_entries,
    list_entry_versions,
)
from symphony.application.vaults.vaults import CreateVault, create_vault
from symphony.application.workspaces import CreateWorkspace, create_workspace
from symphony.domain.api_tokens import Scope
from symphony.domain.base import new_id, utc_now
from symphony.domain.errors import DomainError
from symphony.domain.preconditions import Precondition
from symphony.domain.reach import Reach
from symphony.domain.vaults.entries import Content, Encoding
from symphony.domain.vaults.sessions import VaultCredentials
from symphony.domain.vaults.vaults import Protection
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.vaults.models import (
    VaultEntryModel,
    VaultEntryVersionModel,
    VaultKeyModel,
    VaultModel,
    VaultSessionModel,
)

PASSPHRASE = "a horse, a battery and a staple"
TOKEN = b"t" * 32
KEYS, SESSIONS = VaultKeyModel, VaultSessionModel
ENTRIES, VERSIONS = VaultEntryModel, VaultEntryVersionModel


def columns_of(model: type[Model]) -> set[str]:
    return {column.key for column in table(model).columns}


def table(model: type[Model]) -> Table:
    return cast("Table", model.__table__)


@dataclass(frozen=True, slots=True)
class Vaults:
    """Two vaults of ada's, each with the entries `a` and `b` in two versions."""

    app: Application
    engines: Engines
    plain: VaultCredentials
    secret: VaultCredentials

    async def outcome(self, work: Awaitable[Any]) -> str:
        try:
            await work
        except DomainError as refused:
            return refused.slug
        return "done"

    async def get(self, credentials: VaultCredentials, key: str, version: int | None = None) -> str:
        return await self.outcome(self.app.ask(get_entry, GetEntry(credentials, key, version)))

    async def history(self, credentials: VaultCredentials, key: str) -> str:
        return await self.outcome(
            self.app.ask(list_entry_versions, ListEntryVersions(credentials, key))
        )

    async def put(self, credentials: VaultCredentials, key: str) -> str:
        content = Content(b"a new content", "text/plain", Encoding.UTF_8)
        command = PutEntry(credentials, key, content, Precondition())
        return await self.outcome(put_entry(command, self.app))

    async def delete(self, credentials: VaultCredentials, key: str) -> str:
        command = DeleteEntry(credentials, key, Precondition())
        return await self.outcome(delete_entry(command, self.app))

    async def listed(self, credentials: VaultCredentials) -> tuple[list[str], int]:
        page = await self.app.ask(list_entries, ListEntries(credentials, "", 200, None))
        return [each.key for each in page.items], len(page.damaged)

    async def unlock(self, passphrase: str = PASSPHRASE) -> str:
        caller = Caller(self.secret.reach.user_id, frozenset(Scope), TOKEN, None)
        command = OpenVault(caller, self.secret.vault_id, passphrase, 60)
        return await self.outcome(open_vault(command, self.app))

    async def rows(self, model: type[Model], **wanted: Any) -> list[dict[str, Any]]:
        conditions = [table(model).c[name] == value for name, value in wanted.items()]
        async with self.engines.read.connect() as connection:
            found = await connection.execute(select(table(model)).where(*conditions))
            return [dict(row) for row in found.mappings()]

    async def alter(self, model: type[Model], which: dict[str, Any], **values: Any) -> None:
        conditions = [table(model).c[name] == value for name, value in which.items()]
        async with self.engines.write.begin() as connection:
            await connection.execute(update(table(model)).where(*conditions).values(**values))

    async def entry(self, credentials: VaultCredentials, key: str) -> dict[str, Any]:
        """The row of the entry `a` or `b`."""
        rows = await self.rows(ENTRIES, vault_id=credentials.vault_id)
        return sorted(rows, key=lambda row: row["id"].bytes)["ab".index(key)]


@pytest.fixture
async def vaults(app: Application, ada: UUID, engines: Engines) -> Vaults:
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    plain = await app.run(create_vault, CreateVault(Reach(ada), workspace.id, "plain", "/p"))
    command = CreateVault(Reach(ada), workspace.id, "secret", "/s")
    protected = CreateProtectedVault(command, Protection.PASSPHRASE, PASSPHRASE)
    secret = (await create_protected_vault(protected, app)).result
    caller = Caller(ada, frozenset(Scope), TOKEN, None)
    opened = await open_vault(OpenVault(caller, secret.id, PASSPHRASE, 600), app)
    found = Vaults(
        app,
        engines,
        VaultCredentials(Reach(ada), plain.id, TOKEN, None),
        VaultCredentials(Reach(ada), secret.id, TOKEN, opened.session),
    )
    for credentials in (found.plain, found.secret):
        for key in "abab":
            assert await found.put(credentials, key) == "done"
    return found


def flipped(value: Any) -> Any:
    """A value with the smallest possible difference."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return value + 1


async def test_every_column_of_every_table_is_tested() -> None:
    assert columns_of(KEYS) == {"vault_id", *WRAPPED, "master_key_name", *DERIVED}
    assert columns_of(SESSIONS) == {"session_hash", "vault_id", *SESSION_COLUMNS}
    assert columns_of(ENTRIES) == {"id", "vault_id", "lookup", "newest", "oldest", "sealed"}
    assert columns_of(VERSIONS) == {"entry_id", "version", "facts", "content"}


@pytest.mark.parametrize("column", ["newest", "oldest", "sealed"])
async def test_a_tampered_entry_is_damaged_and_can_be_put_again(
    vaults: Vaults, column: str
) -> None:
    for credentials in (vaults.plain, vaults.secret):
        row = await vaults.entry(credentials, "a")
        await vaults.alter(ENTRIES, {"id": row["id"]}, **{column: flipped(row[column])})
        for version in (None, 1, 2, 9):
            assert await vaults.get(credentials, "a", version) == "entry-damaged"
        assert await vaults.history(credentials, "a") == "entry-damaged"
        assert await vaults.get(credentials, "b") == "done"
        assert await vaults.listed(credentials) == (["b"], 1)
        assert await vaults.put(credentials, "a") == "done"
        assert await vaults.get(credentials, "a") == "done"
        assert await vaults.listed(credentials) == (["a", "b"], 0)


@pytest.mark.parametrize("column", ["facts", "content", "version", "entry_id"])
async def test_only_the_tampered_version_is_damaged(vaults: Vaults, column: str) -> None:
    credentials = vaults.plain
    row = await vaults.entry(credentials, "a")
    newest = {"entry_id": row["id"], "version": 2}
    values = (await vaults.rows(VERSIONS, **newest))[0]
    other = (await vaults.entry(credentials, "b"))["id"]
    if column == "entry_id":
        await vaults.delete(credentials, "b")
        await vaults.put(credentials, "b")  # with one version, so there is room for a second
        other = (await vaults.entry(credentials, "b"))["id"]
    await vaults.alter(
        VERSIONS, newest, **{column: other if column == "entry_id" else flipped(values[column])}
    )
    assert await vaults.get(credentials, "a") == "entry-damaged"
    assert await vaults.get(credentials, "a", 1) == "done"
    assert await vaults.get(credentials, "b") == "done"
    assert (await vaults.listed(credentials))[1] == (0 if column == "content" else 1)
    assert await vaults.put(credentials, "a") == "done"
    assert await vaults.get(credentials, "a") == "done"
    contents_are_not_listed = "done" if column == "content" else "entry-damaged"
    assert await vaults.history(credentials, "a") == contents_are_not_listed
    assert await vaults.put(credentials, "b") == "done"
    assert await vaults.history(credentials, "b") == "done"
    assert await vaults.listed(credentials) == (["a", "b"], 0)


async def test_a_damaged_entry_can_be_deleted(vaults: Vaults) -> None:
    row = await vaults.entry(vaults.plain, "a")
    await vaults.alter(ENTRIES, {"id": row["id"]}, sealed=b"")
    assert await vaults.delete(vaults.plain, "a") == "done"
    assert await vaults.listed(vaults.plain) == (["b"], 0)


@pytest.mark.parametrize("column", ["sealed", "lookup"])
async def test_entries_that_were_swapped_are_damaged(vaults: Vaults, column: str) -> None:
    credentials = vaults.plain
    a, b = [await vaults.entry(credentials, key) for key in "ab"]
    await vaults.alter(ENTRIES, {"id": a["id"]}, **{column: b"aside"})
    await vaults.alter(ENTRIES, {"id": b["id"]}, **{column: a[column]})
    await vaults.alter(ENTRIES, {"id": a["id"]}, **{column: b[column]})
    for key in "ab":
        assert await vaults.get(credentials, key) == "entry-damaged"
    assert await vaults.listed(credentials) == ([], 2)


async def test_an_entry_with_another_lookup_or_in_another_vault_is_damaged_there(
    vaults: Vaults,
) -> None:
    a, b = [await vaults.entry(vaults.plain, key) for key in "ab"]
    await vaults.alter(ENTRIES, {"id": a["id"]}, lookup=flipped(a["lookup"]))
    assert await vaults.listed(vaults.plain) == (["b"], 1)
    await vaults.alter(ENTRIES, {"id": b["id"]}, vault_id=vaults.secret.vault_id)
    assert await vaults.listed(vaults.secret) == (["a", "b"], 1)


async def test_an_entry_with_another_id_is_damaged(vaults: Vaults) -> None:
    row = await vaults.entry(vaults.plain, "a")
    async with vaults.engines.write.begin() as connection:
        await connection.execute(delete(table(ENTRIES)).where(table(ENTRIES).c.id == row["id"]))
        await connection.execute(insert(table(ENTRIES)).values(row | {"id": new_id()}))
    assert await vaults.get(vaults.plain, "a") == "entry-damaged"


async def test_versions_that_were_swapped_are_damaged(vaults: Vaults) -> None:
    row = await vaults.entry(vaults.plain, "a")
    one, two = [
        (await vaults.rows(VERSIONS, entry_id=row["id"], version=version))[0] for version in (1, 2)
    ]
    for column in ("facts", "content"):
        for version, value in ((1, two[column]), (2, one[column])):
            which = {"entry_id": row["id"], "version": version}
            await vaults.alter(VERSIONS, which, **{column: value})
        assert await vaults.get(vaults.plain, "a") == "entry-damaged"
        assert await vaults.get(vaults.plain, "a", 1) == "entry-damaged"
        await vaults.alter(VERSIONS, {"entry_id": row["id"], "version": 1}, facts=one["facts"])
        await vaults.alter(VERSIONS, {"entry_id": row["id"], "version": 2}, facts=two["facts"])


async def test_an_entry_that_is_set_back_or_lost_its_newest_version_is_damaged(
    vaults: Vaults,
) -> None:
    a, b = [await vaults.entry(vaults.plain, key) for key in "ab"]
    await vaults.alter(ENTRIES, {"id": a["id"]}, newest=1)
    assert await vaults.get(vaults.plain, "a") == "entry-damaged"
    async with vaults.engines.write.begin() as connection:
        gone = (table(VERSIONS).c.entry_id == b["id"], table(VERSIONS).c.version == 2)
        await connection.execute(delete(table(VERSIONS)).where(*gone))
    assert await vaults.get(vaults.plain, "b") == "entry-damaged"
    assert await vaults.history(vaults.plain, "b") == "entry-damaged"


WRAPPED = ("wrapped", "checksum")
DERIVED = ("salt", "memory", "passes", "lanes")


@pytest.mark.parametrize("column", [*WRAPPED, "master_key_name"])
async def test_a_tampered_key_under_the_master_key_is_damaged(vaults: Vaults, column: str) -> None:
    which = {"vault_id": vaults.plain.vault_id}
    row = (await vaults.rows(KEYS, **which))[0]
    await vaults.alter(KEYS, which, **{column: flipped(row[column])})
    for work in (vaults.get(vaults.plain, "a"), vaults.put(vaults.plain, "a")):
        assert await work == "vault-damaged"
    assert await vaults.get(vaults.secret, "a") == "done"


@pytest.mark.parametrize("column", [*WRAPPED, *DERIVED])
async def test_a_tampered_key_under_a_passphrase_is_damaged_and_not_a_wrong_passphrase(
    vaults: Vaults, column: str
) -> None:
    which = {"vault_id": vaults.secret.vault_id}
    row = (await vaults.rows(KEYS, **which))[0]
    for value in (flipped(row[column]), 2**31 - 1 if isinstance(row[column], int) else b""):
        await vaults.alter(KEYS, which, **{column: value})
        assert await vaults.unlock() == "vault-damaged"
    await vaults.alter(KEYS, which, **{column: row[column]})
    assert await vaults.unlock() == "done"


async def test_keys_that_were_swapped_are_damaged(vaults: Vaults) -> None:
    records = {
        credentials.vault_id: (await vaults.rows(KEYS, vault_id=credentials.vault_id))[0]
        for credentials in (vaults.plain, vaults.secret)
    }
    plain, secret = records
    for vault, other in ((plain, secret), (secret, plain)):
        await vaults.alter(KEYS, {"vault_id": vault}, **{**records[other], "vault_id": vault})
    assert await vaults.get(vaults.plain, "a") == "vault-damaged"
    assert await vaults.unlock() == "vault-damaged"


async def test_a_vault_that_lost_its_key_is_damaged_and_gets_no_new_key(vaults: Vaults) -> None:
    async with vaults.engines.write.begin() as connection:
        await connection.execute(delete(table(KEYS)))
    for work in (vaults.get(vaults.plain, "a"), vaults.put(vaults.plain, "c"), vaults.unlock()):
        assert await work == "vault-damaged"


async def test_a_vault_with_tampered_protection_cannot_be_read(vaults: Vaults) -> None:
    for credentials, other in (
        (vaults.plain, Protection.PASSPHRASE),
        (vaults.secret, Protection.NONE),
    ):
        await vaults.alter(
            VaultModel, {"id": credentials.vault_id}, protection=other, is_locked=False
        )
    assert await vaults.get(vaults.plain, "a") == "vault-locked"
    assert await vaults.get(vaults.secret, "a") == "vault-damaged"


SESSION_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "expires_at": lambda value: value.replace(year=value.year + 1),
    "wrapped": flipped,
    "api_token_id": lambda _: None,
}


@pytest.mark.parametrize("column", ["expires_at", "wrapped", "vault_id", "session_hash"])
async def test_a_tampered_session_does_not_unlock_the_vault(vaults: Vaults, column: str) -> None:
    change = SESSION_COLUMNS.get(column, flipped)
    row = (await vaults.rows(SESSIONS))[0]
    value = vaults.plain.vault_id if column == "vault_id" else change(row[column])
    await vaults.alter(SESSIONS, {}, **{column: value})
    assert await vaults.get(vaults.secret, "a") == "vault-locked"
    assert await vaults.put(vaults.secret, "a") == "vault-locked"
    assert await vaults.get(vaults.plain, "a") == "done"


async def test_a_session_is_bound_to_the_api_token_that_created_it(
    vaults: Vaults,
) -> None:
    token = new_id()
    async with vaults.engines.write.begin() as connection:
        now = utc_now()
        tokens = Model.metadata.tables["api_tokens"]
        values = {
            "id": token,
            "version": 1,
            "created_at": now,
            "updated_at": now,
            "user_profile_id": vaults.secret.reach.user_id,
            "name": "t",
            "name_key": "t",
            "scopes": tuple(Scope),
            "token_hash": TOKEN,
        }
        await connection.execute(insert(tokens).values(values))
    await vaults.alter(SESSIONS, {}, api_token_id=token)
    assert await vaults.get(vaults.secret, "a") == "vault-locked"
