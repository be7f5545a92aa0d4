"""The database: migrations, constraints, and transactions that lose nothing."""

import asyncio
from typing import Any

from sqlalchemy import delete, func, inspect, select
from sqlalchemy.exc import IntegrityError

from scripts.demos.support.stage import Stage, perform
from symphony.config.demo import get_demo_settings
from symphony.domain.base import Entity, new_id
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.checks.schema import COMPATIBILITY_TABLE
from symphony.infrastructure.database.engine import Engines, create_engines
from symphony.infrastructure.database.entity_mapping import EntityMapping
from symphony.infrastructure.database.mappings import REPOS, USER_PROFILES, VAULTS, WORKSPACES
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore

TASKS = 16
CHANGES_EACH = 25
ADA = UserProfile(username="ada", email="ada@example.org", password_hash="(a hash)")
THESIS = Workspace(user_profile_id=ADA.id, name="Thesis")


async def story(stage: Stage) -> None:
    engines = create_engines(get_demo_settings().store)
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
    stage.step("Migrations: up, down and up again")
    stage.expect("a new database has no schema", await migrations.current_revision(engines) is None)
    steps: list[tuple[str, int, str | None]] = []
    await migrations.upgrade(engines)
    steps.append(
        ("upgrade", len(await tables(engines)), await migrations.current_revision(engines))
    )
    stage.expect(
        "upgrade creates the tables of the models",
        await tables(engines) == set(Model.metadata.tables),
    )
    await migrations.downgrade(engines, "base")
    steps.append(
        ("downgrade", len(await tables(engines)), await migrations.current_revision(engines))
    )
    stage.expect("downgrade removes all of them", await tables(engines) == set())
    reason = await readiness.not_ready_reason(engines)
    stage.expect("a server does not start without the schema", reason, reason or "")
    await migrations.upgrade(engines)
    steps.append(
        ("upgrade", len(await tables(engines)), await migrations.current_revision(engines))
    )
    stage.expect(
        "after another upgrade a server can start",
        await readiness.not_ready_reason(engines) is None,
    )
    stage.table("migration", "tables", "revision", rows=steps)
    stage.why("an upgrade of the server can be undone, and two servers agree on the schema.")


async def constraints(stage: Stage, engines: Engines) -> None:
    stage.step("The database refuses invalid rows, even where the code has a bug")
    await insert(engines, USER_PROFILES, ADA)
    await insert(engines, WORKSPACES, THESIS)
    twin = UserProfile(username="ADA", email="other@example.org", password_hash="(a hash)")
    with stage.expect_refusal("a second user ada, as ADA", IntegrityError, "UNIQUE"):
        await insert(engines, USER_PROFILES, twin)
    with stage.expect_refusal(
        "a second workspace Thesis of the same user", IntegrityError, "UNIQUE"
    ):
        await insert(engines, WORKSPACES, Workspace(user_profile_id=ADA.id, name="THESIS"))
    with stage.expect_refusal("a workspace without an owner", IntegrityError, "FOREIGN KEY"):
        await insert(engines, WORKSPACES, Workspace(user_profile_id=new_id(), name="Lost"))
    with stage.expect_refusal("a row with version 0", IntegrityError, ": ck_workspaces_version"):
        await insert(engines, WORKSPACES, Workspace(user_profile_id=ADA.id, name="Zero"), version=0)
    with stage.expect_refusal("a vault without a name", IntegrityError, ": ck_vaults_name"):
        vault = Vault(workspace_id=THESIS.id, name="keys", path="/")
        await insert(engines, VAULTS, vault, name="")
    stage.expect(
        "one user, one workspace and no vault are stored", await counts(engines) == [1, 1, 0, 0]
    )


async def cascade(stage: Stage, engines: Engines) -> None:
    stage.step("Deleting a user deletes everything owned by that user")
    await insert(engines, REPOS, Repo(workspace_id=THESIS.id, name="engine", path="/"))
    await insert(engines, VAULTS, Vault(workspace_id=THESIS.id, name="keys", path="/"))
    before = await counts(engines)
    async with engines.write.begin() as connection:
        await connection.execute(delete(USER_PROFILES.table))
    after = await counts(engines)
    stage.table(
        "", "users", "workspaces", "repos", "vaults", rows=[("before", *before), ("after", *after)]
    )
    stage.why("no row without an owner is left behind, whatever the code forgets.")
    stage.expect("before, there is one row of each", before == [1, 1, 1, 1])
    stage.expect("after the user has been deleted, there is none", after == [0, 0, 0, 0])


async def transactions(stage: Stage, store: SqlAlchemyStore) -> None:
    stage.step("Without a commit nothing is stored")

    async def find_ada() -> UserProfile | None:
        async with store.reading() as repositories:
            return await repositories.user_profiles.get_by_username("ada")

    async with store.unit_of_work() as uow:
        await uow.user_profiles.add(ADA)
        stage.expect(
            "the transaction reads what it has written",
            await uow.user_profiles.get_by_username("ada"),
        )
        other_reader = asyncio.create_task(find_ada())
    stage.expect("another reader does not", await other_reader is None)
    stage.expect("without a commit the user is gone", await find_ada() is None)
    async with store.unit_of_work() as uow:
        await uow.user_profiles.add(ADA)
        await uow.commit()
    stage.expect("after a commit the user is stored", await find_ada() == ADA)


async def parallel_changes(stage: Stage, store: SqlAlchemyStore) -> None:
    stage.step("16 tasks read, increment and write one counter at the same time")

    async def count_up() -> None:
        for _ in range(CHANGES_EACH):
            async with store.unit_of_work() as uow:
                profile = await uow.user_profiles.get_for_update(Reach(ADA.id), ADA.id)
                count = profile.preferences.get("count", 0)
                assert isinstance(count, int)
                await uow.user_profiles.save(profile.updated({"preferences": {"count": count + 1}}))
                await uow.commit()

    async def watch() -> list[int]:
        versions: list[int] = []
        for _ in range(CHANGES_EACH):
            async with store.reading() as repositories:
                versions.append(
                    (await repositories.user_profiles.get(Reach(ADA.id), ADA.id)).version
                )
        return versions

    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(watch()) for _ in range(TASKS)]
        for _ in range(TASKS):
            group.create_task(count_up())
    async with store.reading() as repositories:
        profile = await repositories.user_profiles.get(Reach(ADA.id), ADA.id)
    expected = TASKS * CHANGES_EACH
    stage.table(
        "writers",
        "increments",
        "counter",
        "version",
        rows=[(TASKS, expected, profile.preferences["count"], profile.version)],
    )
    stage.why("a lost update is silent: the user believes that it was saved.")
    stage.expect(
        f"none of the {expected} increments is lost", profile.preferences == {"count": expected}
    )
    stage.expect("each is one version", profile.version == 1 + expected)
    stage.expect(
        "no reader ever saw an older version after a newer one",
        all(reader.result() == sorted(reader.result()) for reader in readers),
    )


async def nothing_left(stage: Stage) -> None:
    stage.step("A database in memory is gone when its engines are disposed")
    engines = create_engines(get_demo_settings().store)
    try:
        stage.expect("the next one is empty", await migrations.current_revision(engines) is None)
    finally:
        await engines.dispose()


async def insert(
    engines: Engines, mapping: EntityMapping[Any], entity: Entity, **instead: Any
) -> None:
    """Insert a row without any check but those of the database; `instead` replaces columns."""
    row = {**mapping.to_values(entity), **{f"new_{column}": instead[column] for column in instead}}
    async with engines.write.begin() as connection:
        await connection.execute(mapping.insert, row)


async def tables(engines: Engines) -> set[str]:
    """The names of the tables, without the one in which Alembic stores the revision."""
    async with engines.read.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return set(names) - {"alembic_version", COMPATIBILITY_TABLE}


async def counts(engines: Engines) -> list[int]:
    """The numbers of users, workspaces, repos and vaults."""
    async with engines.read.connect() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(each.table))).scalar_one()
            for each in (USER_PROFILES, WORKSPACES, REPOS, VAULTS)
        ]


if __name__ == "__main__":
    perform(story)
