"""The limits of the bytes that the entries of a vault and of a user take."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, func, select, update

from symphony.application.app import Application
from symphony.application.orchestrations.entry_writes import delete_entry, put_entry, restore_entry
from symphony.application.vaults.entries import DeleteEntry, PutEntry, RestoreEntry
from symphony.application.vaults.vaults import (
    CreateVault,
    DeleteVault,
    UpdateVault,
    create_vault,
    delete_vault,
    update_vault,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    DeleteWorkspace,
    create_workspace,
    delete_workspace,
)
from symphony.domain.base import utc_now
from symphony.domain.preconditions import Precondition
from symphony.domain.reach import Reach
from symphony.domain.vaults.entries import MAX_VERSIONS, Content, Encoding
from symphony.domain.vaults.sessions import VaultCredentials
from symphony.domain.vaults.storage import StorageLimitReached, StorageLimits
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.vaults.models import (
    StorageCounterModel,
    VaultEntryModel,
    VaultEntryVersionModel,
)

UNLIMITED = 2**62

# Bytes are counted within the database, and parallel writes wait for each other there.
in_the_database = pytest.mark.every_store


def table(model: type[Model]) -> Table:
    return cast("Table", model.__table__)


COUNTERS, ENTRIES, VERSIONS = map(
    table, (StorageCounterModel, VaultEntryModel, VaultEntryVersionModel)
)


@dataclass(frozen=True, slots=True)
class Storage:
    """A user with a workspace, and what this user stores."""

    app: Application
    engines: Engines
    user: UUID
    workspace: UUID

    def limited(self, *, per_vault: int = UNLIMITED, per_user: int = UNLIMITED) -> "Storage":
        """The same with other limits, as after a new start."""
        policy = replace(self.app.policy, storage=StorageLimits(per_vault, per_user))
        return replace(self, app=replace(self.app, policy=policy))

    async def vault(self, name: str, workspace: UUID | None = None) -> UUID:
        command = CreateVault(Reach(self.user), workspace or self.workspace, name, f"/{name}")
        return (await self.app.run(create_vault, command)).id

    async def put(self, vault: UUID, key: str = "a", size: int = 1000) -> None:
        content = Content(b"x" * size, "text/plain", Encoding.UTF_8)
        command = PutEntry(self._credentials(vault), key, content, Precondition())
        await put_entry(command, self.app)

    async def restore(self, vault: UUID, key: str, version: int) -> None:
        command = RestoreEntry(self._credentials(vault), key, version, Precondition())
        await restore_entry(command, self.app)

    async def delete(self, vault: UUID, key: str = "a") -> None:
        await delete_entry(DeleteEntry(self._credentials(vault), key, Precondition()), self.app)

    async def refusal(self, vault: UUID, key: str = "a", size: int = 1000) -> tuple[int, int]:
        """The limit and what is used of it, of a write that is refused."""
        with pytest.raises(StorageLimitReached) as refused:
            await self.put(vault, key, size)
        return refused.value.limit, refused.value.used

    async def counted(self) -> dict[UUID, int]:
        """The counters by vault; an empty vault has one of zero, or none."""
        counters = select(COUNTERS.c.vault_id, COUNTERS.c.entry_bytes)
        return await self._pairs(counters.where(COUNTERS.c.entry_bytes != 0))

    async def stored(self) -> dict[UUID, int]:
        """The bytes of all rows, by vault."""
        keys = select(ENTRIES.c.vault_id, func.sum(func.length(ENTRIES.c.sealed)))
        sizes = func.length(VERSIONS.c.facts) + func.length(VERSIONS.c.content)
        versions = select(ENTRIES.c.vault_id, func.sum(sizes)).join_from(ENTRIES, VERSIONS)
        of_keys = await self._pairs(keys.group_by(ENTRIES.c.vault_id))
        of_versions = await self._pairs(versions.group_by(ENTRIES.c.vault_id))
        return {vault: of_keys[vault] + of_versions[vault] for vault in of_keys}

    async def execute(self, statement: Any) -> None:
        async with self.engines.write.begin() as connection:
            await connection.execute(statement)

    async def _pairs(self, statement: Any) -> dict[UUID, int]:
        async with self.engines.read.connect() as connection:
            rows = [tuple(row) for row in await connection.execute(statement)]
        return {vault: int(size) for vault, size in rows}

    def _credentials(self, vault: UUID) -> VaultCredentials:
        return VaultCredentials(Reach(self.user), vault, b"t" * 32, None)


@pytest.fixture
async def storage(app: Application, engines: Engines, ada: UUID) -> Storage:
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    return Storage(app, engines, ada, workspace.id)


@in_the_database
async def test_what_is_counted_is_what_is_stored_after_every_write(storage: Storage) -> None:
    vault, other = await storage.vault("one"), await storage.vault("two")

    async def require_counted() -> None:
        assert await storage.counted() == await storage.stored()

    for size in range(0, 12_000, 1000):  # more than the versions that are kept
        await storage.put(vault, size=size)
        await require_counted()
    await storage.restore(vault, "a", MAX_VERSIONS)
    await storage.put(vault, "b" * 500, size=0)
    await storage.put(other, size=10)
    await require_counted()
    tampered = update(ENTRIES).where(ENTRIES.c.vault_id == other)
    await storage.execute(tampered.values(newest=ENTRIES.c.newest + 1))
    await storage.put(other, size=20)  # replaces the damaged entry
    await require_counted()
    await storage.delete(vault)
    await storage.delete(vault, "b" * 500)
    assert await storage.counted() == await storage.stored()
    assert vault not in await storage.counted()


async def test_deleted_and_moved_vaults_are_counted_where_they_are(storage: Storage) -> None:
    workspace = await storage.app.run(
        create_workspace, CreateWorkspace(Reach(storage.user), storage.user, "Other")
    )
    deleted, moved = await storage.vault("deleted"), await storage.vault("moved")
    for vault in (deleted, moved):
        await storage.put(vault)
    await storage.app.run(delete_vault, DeleteVault(Reach(storage.user), deleted, force=True))
    command = UpdateVault(Reach(storage.user), moved, {"workspace_id": workspace.id})
    await storage.app.run(update_vault, command)
    size = (await storage.counted())[moved]
    assert await storage.counted() == await storage.stored() == {moved: size}
    limited = storage.limited(per_user=size)
    assert await limited.refusal(await storage.vault("new")) == (size, size)
    forced = DeleteWorkspace(Reach(storage.user), workspace.id, force=True)
    await storage.app.run(delete_workspace, forced)
    assert await storage.counted() == {}
    await limited.put(await storage.vault("newer"))


async def test_a_write_beyond_a_limit_is_refused_and_stores_nothing(storage: Storage) -> None:
    one, two = await storage.vault("one"), await storage.vault("two")
    await storage.put(one)
    size = (await storage.counted())[one]
    per_vault, per_user = storage.limited(per_vault=size), storage.limited(per_user=2 * size - 1)
    for limited, limit in ((per_vault, size), (per_user, 2 * size - 1)):
        for vault, key in ((one, "a"), (one, "b")):  # another version, another entry
            if limited is per_vault:
                assert await limited.refusal(vault, key) == (limit, size)
        with pytest.raises(StorageLimitReached):
            await per_vault.restore(one, "a", 1)
    assert await per_user.refusal(two) == (2 * size - 1, size)
    assert await storage.counted() == await storage.stored() == {one: size}
    await per_vault.put(two)
    with pytest.raises(StorageLimitReached, match="all your vaults"):
        await per_user.put(two, "b", 0)
    with pytest.raises(StorageLimitReached, match="the vault"):
        await per_vault.put(two, "b", 0)
    await per_user.delete(one)
    assert await storage.counted() == {two: size}


async def test_the_last_byte_of_a_limit_can_be_used(storage: Storage) -> None:
    vault = await storage.vault("one")
    await storage.put(vault, size=0)
    empty = (await storage.counted())[vault]
    await storage.delete(vault)
    exact = storage.limited(per_vault=empty + 500, per_user=empty + 500)
    assert await exact.refusal(vault, size=502) == (empty + 500, 0)
    # The number of digits of the size is a part of what is stored.
    await exact.put(vault, size=498)
    assert await storage.counted() == {vault: empty + 500}


async def test_beyond_a_lowered_limit_what_adds_no_bytes_is_possible(storage: Storage) -> None:
    vault = await storage.vault("one")
    for _ in range(MAX_VERSIONS):
        await storage.put(vault)
    lowered = storage.limited(per_vault=1, per_user=1)
    for size in (1000, 999, 0):  # replaces the oldest version
        await lowered.put(vault, size=size)
    await lowered.refusal(vault, size=1001)
    await lowered.refusal(vault, "b", size=0)
    await lowered.delete(vault)
    assert await storage.counted() == {}


@pytest.mark.long
@in_the_database
async def test_the_limit_of_a_user_is_exact_under_parallel_writes_to_several_vaults(
    storage: Storage,
) -> None:
    vaults: list[UUID] = []
    for name in ("two", "three"):
        command = CreateWorkspace(Reach(storage.user), storage.user, name)
        workspace = (await storage.app.run(create_workspace, command)).id
        vaults += [await storage.vault(f"v{number}", workspace) for number in range(3)]
    for vault in vaults:
        await storage.put(vault)
    size = (await storage.counted())[vaults[0]]
    limited = storage.limited(per_user=(len(vaults) + 1) * size)
    for _ in range(3):
        results = await asyncio.gather(
            *(limited.put(vault, "b") for vault in vaults), return_exceptions=True
        )
        refused = [each for each in results if isinstance(each, Exception)]
        assert all(isinstance(each, StorageLimitReached) for each in refused), refused
        assert len(refused) == len(vaults) - 1
        counted = await storage.counted()
        assert counted == await storage.stored()
        assert sum(counted.values()) == (len(vaults) + 1) * size
        await limited.delete(next(vault for vault in vaults if counted[vault] > size), "b")


@in_the_database
async def test_parallel_writes_deletions_and_refusals_leave_exact_counters(
    storage: Storage,
) -> None:
    vaults = [await storage.vault(name) for name in ("one", "two", "three")]
    for vault in vaults:
        await storage.put(vault)
    limited = storage.limited(per_user=6 * (await storage.counted())[vaults[0]])
    keys = ("a", "b")
    results = await asyncio.gather(
        *(limited.put(vault, key) for key in keys for vault in vaults),
        *(limited.delete(vault) for vault in vaults),
        *(limited.put(vault, key) for key in keys for vault in vaults),
        return_exceptions=True,
    )
    refused = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(each, StorageLimitReached) for each in refused), refused
    assert await storage.counted() == await storage.stored()


@in_the_database
async def test_a_refusal_does_not_depend_on_counters_that_are_wrong(storage: Storage) -> None:
    one, two = await storage.vault("one"), await storage.vault("two")
    await storage.put(one)
    await storage.put(two)
    size = (await storage.counted())[one]
    limited = storage.limited(per_vault=2 * size, per_user=3 * size)
    # As after deletions by processes of the previous version, which do not count.
    too_high = update(COUNTERS).values(entry_bytes=100 * size)
    await storage.execute(too_high)
    await limited.put(one)
    stored = await storage.stored()
    assert await storage.counted() == stored
    assert await limited.refusal(two) == (3 * size, sum(stored.values()))
    # Counting again takes long when there are many versions.
    await storage.execute(too_high)
    assert await limited.refusal(two) == (2 * size, 100 * size)
    for distance in (timedelta(hours=-1, minutes=-1), timedelta(hours=1, minutes=1)):
        await storage.execute(too_high.values(recounted_at=utc_now() + distance))
        assert (await limited.refusal(two))[1] == sum(stored.values())
    # As after creations by them.
    await storage.execute(delete(COUNTERS).where(COUNTERS.c.vault_id == one))
    await storage.execute(update(COUNTERS).values(entry_bytes=0))
    await storage.delete(one)
    await storage.delete(two)
    assert await storage.counted() == {}
