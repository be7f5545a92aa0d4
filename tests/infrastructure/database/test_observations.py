"""The contract of observations of repos, over every store."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, select, update

from symphony.domain.base import new_id, utc_now
from symphony.domain.git.facts import UnfinishedWork
from symphony.domain.git.status import RepoState
from symphony.domain.git.work import WorkKind
from symphony.domain.observations import BoardRepo, RepoObservation
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import RepoInspectionModel
from tests.domain.examples import a_repo, a_vault, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep

SECOND = timedelta(seconds=1)
SINCE = datetime(2026, 11, 13, 9, 12, tzinfo=UTC)
INSPECTIONS = cast("Table", RepoInspectionModel.__table__)
FACTS_OF_BEFORE = {
    *("state", "has_remote", "is_unfinished", "branch", "ahead", "behind", "is_behind", "staged"),
    *("modified", "untracked", "conflicted", "stashes", "unpushed_commits", "unpushed_branches"),
    *("has_unpushed", "has_detached", "has_dirty_worktree", "at_risk", "authored_at"),
    *("unfinished", "is_only_unpushed"),
}
"""What programs of revision 014 accept; with anything else in them, they do not read the facts."""


def seen_of(repo: Repo, observed_at: datetime | None = None) -> RepoObservation:
    return RepoObservation(
        repo_id=repo.id,
        path=repo.path,
        observed_at=observed_at or utc_now(),
        state=RepoState.NOT_A_REPOSITORY,
        has_remote=True,
        is_unfinished=True,
        branch="Ωmega/\N{PARTY POPPER}",
        ahead=3,
        behind=None,
        is_behind=True,
        staged=1,
        modified=2,
        untracked=3,
        conflicted=4,
        stashes=1,
        unpushed_commits=5,
        unpushed_branches=("main", '"idea"'),
        has_unpushed=True,
        has_detached=False,
        has_dirty_worktree=True,
        at_risk=True,
        authored_at=datetime(1843, 9, 1, 12, 30, 15, 250, tzinfo=UTC),
        unfinished=(
            UnfinishedWork(WorkKind.BRANCH, "main", "a" * 40, SINCE),
            UnfinishedWork(WorkKind.DETACHED, None, "b" * 40),
        ),
        changed_since=SINCE + SECOND,
        stashed_since=SINCE + 2 * SECOND,
    )


async def remember(store: Store, owner_id: UUID, *seen: RepoObservation) -> None:
    async with committed(store) as uow:
        await uow.observations.save(Reach(owner_id), seen)


async def known(
    store: Store, owner_id: UUID, workspace_id: UUID | None = None, *, of: UUID | None = None
) -> Sequence[BoardRepo]:
    async with store.reading() as repositories:
        found = await repositories.observations.board_facts(
            Reach(owner_id), of or owner_id, workspace_id
        )
    return found.repos


async def last_seen(store: Store, home: Household) -> RepoObservation | None:
    (repo,) = await known(store, home.user.id)
    return repo.observation


async def test_a_repo_that_was_never_inspected_is_listed_without_an_observation(
    store: Store, ada: Household
) -> None:
    (repo,) = await known(store, ada.user.id)
    assert repo == BoardRepo(
        id=ada.repo.id,
        workspace_id=ada.workspace.id,
        name=ada.repo.name,
        name_key=ada.repo.name_key,
        path=ada.repo.path,
        observation=None,
    )


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"authored_at": None, "state": RepoState.CLEAN, "is_unfinished": False},
        {"at_risk": None, "unpushed_commits": None, "unpushed_branches": (), "ahead": None},
        {"authored_at": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "has_remote": False},
        {"authored_at": datetime(1, 1, 1, tzinfo=UTC), "branch": None},
    ],
)
async def test_an_observation_is_read_as_it_was_written(
    store: Store, ada: Household, values: dict[str, object]
) -> None:
    seen = replace(seen_of(ada.repo), **values)
    await remember(store, ada.user.id, seen)
    assert await last_seen(store, ada) == seen


async def test_an_observation_of_a_path_with_any_characters_is_read_as_it_was_written(
    store: Store, ada: Household
) -> None:
    odd = a_repo(ada.workspace.id, "odd", path='/Ωmega/"quoted" \\ ➿/e\u0301')
    await keep(store, odd)
    seen = seen_of(odd)
    await remember(store, ada.user.id, seen)
    assert seen in [each.observation for each in await known(store, ada.user.id)]


@pytest.mark.long
async def test_many_observations_are_written_and_replaced_together(
    store: Store, ada: Household
) -> None:
    repos = [a_repo(ada.workspace.id, f"repo-{number}") for number in range(300)]
    await keep(store, *repos)
    for ahead in (1, 2):
        await remember(store, ada.user.id, *(replace(seen_of(each), ahead=ahead) for each in repos))
        found = [each.observation for each in await known(store, ada.user.id) if each.observation]
        assert {each.repo_id for each in found} == {each.id for each in repos}
        assert {each.ahead for each in found} == {ahead}


async def test_an_empty_list_of_observations_can_be_written(store: Store, ada: Household) -> None:
    await remember(store, ada.user.id)
    assert await last_seen(store, ada) is None


async def test_an_earlier_observation_does_not_replace_a_later_one(
    store: Store, ada: Household
) -> None:
    later = seen_of(ada.repo)
    await remember(store, ada.user.id, later)
    earlier = replace(later, ahead=9, observed_at=later.observed_at - timedelta(microseconds=1))
    await remember(store, ada.user.id, earlier)
    assert await last_seen(store, ada) == later


async def test_an_observation_of_a_removed_repo_is_ignored(store: Store, ada: Household) -> None:
    gone = seen_of(a_repo(ada.workspace.id, "gone"))
    await remember(store, ada.user.id, gone, seen_of(ada.repo))
    assert await last_seen(store, ada)


async def test_the_observation_of_a_repo_is_removed_with_it(store: Store, ada: Household) -> None:
    await remember(store, ada.user.id, seen_of(ada.repo))
    async with committed(store) as uow:
        await uow.repos.remove(ada.repo)
    assert await known(store, ada.user.id) == []
    await keep(store, ada.repo)
    assert await last_seen(store, ada) is None


async def test_an_observation_of_another_path_is_neither_read_nor_written(
    store: Store, ada: Household
) -> None:
    await remember(store, ada.user.id, seen_of(ada.repo))
    moved = ada.repo.updated({"path": "~/elsewhere"})
    async with committed(store) as uow:
        await uow.repos.save(moved)
    assert await last_seen(store, ada) is None
    await remember(store, ada.user.id, seen_of(ada.repo))
    assert await last_seen(store, ada) is None
    there = seen_of(moved)
    await remember(store, ada.user.id, there)
    assert await last_seen(store, ada) == there


async def test_another_users_observations_are_neither_read_nor_written(
    store: Store, ada: Household, eve: Household
) -> None:
    await remember(store, eve.user.id, seen_of(ada.repo))
    assert await last_seen(store, ada) is None
    for workspace in (None, ada.workspace.id):
        assert await known(store, eve.user.id, workspace, of=ada.user.id) == []
        assert await known(store, ada.user.id, workspace, of=eve.user.id) == []
    assert await known(store, eve.user.id, ada.workspace.id) == []


async def test_the_board_has_the_repos_and_unlocked_vaults_of_all_workspaces_or_of_one(
    store: Store, ada: Household
) -> None:
    other = a_workspace(ada.user.id, "Other")
    repo = a_repo(other.id, "other")
    unlocked, locked = a_vault(other.id, "open"), a_vault(other.id, "shut", is_locked=True)
    await keep(store, other, repo, unlocked, locked)
    for workspace, repos, vaults in (
        (None, {ada.repo.id, repo.id}, {ada.vault.id, unlocked.id}),
        (other.id, {repo.id}, {unlocked.id}),
        (new_id(), set[UUID](), set[UUID]()),
    ):
        async with store.reading() as repositories:
            found = await repositories.observations.board_facts(
                Reach(ada.user.id), ada.user.id, workspace
            )
        assert {each.id for each in found.repos} == repos
        assert {each.id for each in found.vaults} == vaults
        assert {each.workspace_id for each in found.vaults} <= {ada.workspace.id, other.id}


async def test_parallel_writers_of_the_same_observations_wait_for_each_other(
    store: Store, ada: Household
) -> None:
    repos = [a_repo(ada.workspace.id, f"repo-{number}") for number in range(30)]
    await keep(store, *repos)
    now = utc_now()
    looks = [
        [replace(seen_of(each, now - SECOND * (10 - look)), ahead=look) for each in order]
        for look in range(10)
        for order in [repos if look % 2 else repos[::-1]]
    ]
    # A deadlock would be raised here.
    await asyncio.gather(*(remember(store, ada.user.id, *look) for look in looks))
    found = [each.observation for each in await known(store, ada.user.id) if each.observation]
    assert {each.ahead for each in found} == {9}
    assert len(found) == len(repos)


async def test_a_repo_can_be_deleted_while_its_observation_is_written(
    store: Store, ada: Household
) -> None:
    repos = [a_repo(ada.workspace.id, f"repo-{number}") for number in range(20)]
    await keep(store, *repos)

    async def delete(repo: Repo) -> None:
        async with committed(store) as uow:
            await uow.repos.remove(repo)

    outcomes = await asyncio.gather(
        *(remember(store, ada.user.id, *map(seen_of, repos)) for _ in range(3)),
        *map(delete, repos[::2]),
        return_exceptions=True,
    )
    # A writer may have a conflict, and be retried; the deletion never has one.
    assert outcomes[3:] == [None] * 10
    await remember(store, ada.user.id, *map(seen_of, repos))
    found = {each.id for each in await known(store, ada.user.id) if each.observation}
    assert found == {each.id for each in repos[1::2]}


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(days=365)])
async def test_an_observation_from_the_future_does_not_outlive_a_fresh_one(
    ahead: timedelta, store: Store, ada: Household
) -> None:
    await remember(store, ada.user.id, seen_of(ada.repo, utc_now() + ahead))
    fresh = seen_of(ada.repo)
    await remember(store, ada.user.id, fresh)
    assert await last_seen(store, ada) == fresh


async def stored(engines: Engines) -> dict[str, Any]:
    async with engines.read.connect() as connection:
        return dict((await connection.execute(select(INSPECTIONS))).mappings().one())


async def stored_by_an_older_program(engines: Engines, **values: Any) -> None:
    """Update an observation as programs do that do not know its times."""
    async with engines.write.begin() as connection:
        await connection.execute(update(INSPECTIONS).values(values))


def without_times(seen: RepoObservation) -> RepoObservation:
    """What is known of an observation whose times are not."""
    return replace(
        seen,
        changed_since=None,
        stashed_since=None,
        unfinished=tuple(replace(each, since=None) for each in seen.unfinished or ()),
    )


async def test_programs_of_before_read_the_facts_of_an_observation_with_times(
    store: Store, engines: Engines, ada: Household
) -> None:
    seen = seen_of(ada.repo)
    await remember(store, ada.user.id, seen)
    row = await stored(engines)
    assert set(row["facts"]) == FACTS_OF_BEFORE
    assert row["times"]["changed_since"] == (SINCE + SECOND).timestamp()
    untimed = replace(without_times(seen), observed_at=seen.observed_at + SECOND)
    await remember(store, ada.user.id, untimed)
    assert (await stored(engines))["times"] is None
    assert await last_seen(store, ada) == untimed


async def test_times_of_another_observation_are_never_those_of_a_program_of_before(
    store: Store, engines: Engines, ada: Household
) -> None:
    seen = seen_of(ada.repo)
    await remember(store, ada.user.id, seen)
    facts = (await stored(engines))["facts"]
    later = seen.observed_at + timedelta(microseconds=1)
    # Another inspection found the same facts, perhaps in other files.
    await stored_by_an_older_program(engines, facts=facts, observed_at=later)
    assert (await stored(engines))["times"] is not None
    assert await last_seen(store, ada) == replace(without_times(seen), observed_at=later)
    again = replace(seen, observed_at=later + SECOND)
    await remember(store, ada.user.id, again)
    assert await last_seen(store, ada) == again


async def test_times_in_the_facts_of_revision_014_are_read(
    store: Store, engines: Engines, ada: Household
) -> None:
    seen = seen_of(ada.repo)
    await remember(store, ada.user.id, without_times(seen))
    facts = (await stored(engines))["facts"] | {"since": seen.times_to_json()}
    await stored_by_an_older_program(engines, facts=facts)
    assert await last_seen(store, ada) == seen
