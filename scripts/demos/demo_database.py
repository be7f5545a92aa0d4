"""The database: migrations, constraints that refuse, and transactions that lose nothing."""

import asyncio
from typing import Any

from sqlalchemy import delete, func, inspect, select
from sqlalchemy.exc import IntegrityError

from scripts.demos.support.stage import Stage, perform
from symphony.config.demo import get_demo_settings
from symphony.domain.base import Entity, new_id
from symphony.domain.repos import Repo
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import Engines, create_engines
from symphony.infrastructure.database.mapping import Mapping
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.repositories import REPOS, USER_PROFILES, VAULTS, WORKSPACES
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore

TASKS = 16
CHANGES_EACH = 25
ADA = UserProfile(username="ada", email="ada@example.org", password_hash="(a hash)")
THESIS = Workspace(user_profile_id=ADA.id, name="Thesis")


async def story(stage: Stage) -> None:
    engines = create_engines(get_demo_settings().store_url)
    try:
        await history(stage, engines)
        await constraints(stage, engines)
        await cascade(stage, engines)
        await transactions(stage, SqlAlchemyStore(engines))
        await parallel_changes(stage, SqlAlchemyStore(engines))
    finally:
        await engines.dispose()
    await nothing_left(stage)


async def history(stage: Stage, engines: Engines) -> None:
    stage.step("One history of migrations, up, down and up again")
    stage.expect("a new database has no schema", await migrations.current_revision(engines) is None)
    steps: list[tuple[str, int, str | None]] = []
    await migrations.upgrade(engines)
    steps.append(
        ("upgrade", len(await tables(engines)), await migrations.current_revision(engines))
    )
    stage.expect(
        "up: the models' tables are there", await tables(engines) == set(Model.metadata.tables)
    )
    await migrations.downgrade(engines, "base")
    steps.append(
        ("downgrade", len(await tables(engines)), await migrations.current_revision(engines))
    )
    stage.expect("down: none is left", await tables(engines) == set())
    reason = await migrations.not_ready_reason(engines)
    stage.expect("a service would not start on that", reason, reason or "")
    await migrations.upgrade(engines)
    steps.append(
        ("upgrade", len(await tables(engines)), await migrations.current_revision(engines))
    )
    stage.expect(
        "up again: nothing is in the way", await migrations.not_ready_reason(engines) is None
    )
    stage.table("migration", "tables", "revision", rows=steps)


async def constraints(stage: Stage, engines: Engines) -> None:
    stage.step("The database itself refuses what must never be, whoever writes")
    await insert(engines, USER_PROFILES, ADA)
    await insert(engines, WORKSPACES, THESIS)
    twin = UserProfile(username="ADA", email="other@example.org", password_hash="(a hash)")
    with stage.expect_refusal("a second ada, in capitals", IntegrityError, "UNIQUE"):
        await insert(engines, USER_PROFILES, twin)
    with stage.expect_refusal("a second Thesis of ada's", IntegrityError, "UNIQUE"):
        await insert(engines, WORKSPACES, Workspace(user_profile_id=ADA.id, name="THESIS"))
    with stage.expect_refusal("a workspace of nobody", IntegrityError, "FOREIGN KEY"):
        await insert(engines, WORKSPACES, Workspace(user_profile_id=new_id(), name="Lost"))
    with stage.expect_refusal("version 0", IntegrityError, ": ck_workspaces_version"):
        await insert(engines, WORKSPACES, Workspace(user_profile_id=ADA.id, name="Zero"), version=0)
    with stage.expect_refusal("a vault without a name", IntegrityError, ": ck_vaults_name"):
        vault = Vault(workspace_id=THESIS.id, name="keys", path="/")
        await insert(engines, VAULTS, vault, name="")
    stage.expect(
        "one user, one workspace and no vault are there", await counts(engines) == [1, 1, 0, 0]
    )


async def cascade(stage: Stage, engines: Engines) -> None:
    stage.step("What belongs to somebody ends with them")
    await insert(engines, REPOS, Repo(workspace_id=THESIS.id, name="engine", path="/"))
    await insert(engines, VAULTS, Vault(workspace_id=THESIS.id, name="keys", path="/"))
    before = await counts(engines)
    async with engines.write.begin() as connection:
        await connection.execute(delete(USER_PROFILES.table))
    after = await counts(engines)
    stage.table(
        "", "users", "workspaces", "repos", "vaults", rows=[("before", *before), ("after", *after)]
    )
    stage.expect("there was one of each", before == [1, 1, 1, 1])
    stage.expect("and with its owner everything is gone", after == [0, 0, 0, 0])


async def transactions(stage: Stage, store: SqlAlchemyStore) -> None:
    stage.step("What is not committed has never been")

    async def find_ada() -> UserProfile | None:
        async with store.reading() as repositories:
            return await repositories.user_profiles.get_by_username("ada")

    async with store.unit_of_work() as uow:
        await uow.user_profiles.add(ADA)
        stage.expect("inside, ada is there", await uow.user_profiles.get_by_username("ada"))
        onlooker = asyncio.create_task(find_ada())
    stage.expect("who looks meanwhile does not see her", await onlooker is None)
    stage.expect("without a commit she is gone", await find_ada() is None)
    async with store.unit_of_work() as uow:
        await uow.user_profiles.add(ADA)
        await uow.commit()
    stage.expect("with one she stays", await find_ada() == ADA)


async def parallel_changes(stage: Stage, store: SqlAlchemyStore) -> None:
    stage.step("Who reads, changes and writes at the same time waits in line, and nothing is lost")

    async def count_up() -> None:
        for _ in range(CHANGES_EACH):
            async with store.unit_of_work() as uow:
                profile = await uow.user_profiles.get_for_update(ADA.id, ADA.id)
                count = profile.preferences.get("count", 0)
                assert isinstance(count, int)
                await uow.user_profiles.save(profile.updated({"preferences": {"count": count + 1}}))
                await uow.commit()

    async def watch() -> list[int]:
        versions: list[int] = []
        for _ in range(CHANGES_EACH):
            async with store.reading() as repositories:
                versions.append((await repositories.user_profiles.get(ADA.id, ADA.id)).version)
        return versions

    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(watch()) for _ in range(TASKS)]
        for _ in range(TASKS):
            group.create_task(count_up())
    async with store.reading() as repositories:
        profile = await repositories.user_profiles.get(ADA.id, ADA.id)
    made = TASKS * CHANGES_EACH
    stage.table(
        "writers",
        "changes",
        "counted",
        "version",
        rows=[(TASKS, made, profile.preferences["count"], profile.version)],
    )
    stage.expect(f"none of {made} changes is lost", profile.preferences == {"count": made})
    stage.expect("each made one version", profile.version == 1 + made)
    stage.expect(
        "readers meanwhile never went back in time",
        all(reader.result() == sorted(reader.result()) for reader in readers),
    )


async def nothing_left(stage: Stage) -> None:
    stage.step("The database was in memory, and ends here")
    engines = create_engines(get_demo_settings().store_url)
    try:
        stage.expect("the next one is empty", await migrations.current_revision(engines) is None)
    finally:
        await engines.dispose()


async def insert(engines: Engines, mapping: Mapping[Any], entity: Entity, **instead: Any) -> None:
    """Writes a row past all rules but the database's own."""
    row = {**mapping.to_values(entity), **{f"new_{column}": instead[column] for column in instead}}
    async with engines.write.begin() as connection:
        await connection.execute(mapping.insert, row)


async def tables(engines: Engines) -> set[str]:
    """The names of the tables that there are, without the one in which Alembic keeps its place."""
    async with engines.read.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return set(names) - {"alembic_version"}


async def counts(engines: Engines) -> list[int]:
    """How many users, workspaces, repos and vaults there are."""
    async with engines.read.connect() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(each.table))).scalar_one()
            for each in (USER_PROFILES, WORKSPACES, REPOS, VAULTS)
        ]


if __name__ == "__main__":
    perform(story)
