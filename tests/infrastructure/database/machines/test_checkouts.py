"""The contract of the checkouts that machines report, over every store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from symphony.domain.base import new_id, utc_now
from symphony.domain.git.status import LinkedWorktree, Operation, RepoState
from symphony.domain.json_objects import compact
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import (
    Checkout,
    CheckoutRemote,
    RemoteHead,
    StoredCheckout,
)
from symphony.domain.machines.facts import CheckoutFacts
from symphony.domain.machines.machines import Machine
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import Store
from symphony.infrastructure.database.machines import checkout_rows
from symphony.infrastructure.database.machines.checkout_rows import content_of
from tests.domain.examples import a_repo, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep
from tests.support.machines.checkouts import TIME, a_checkout, a_report, a_status, commit

SECOND = timedelta(seconds=1)
NOTHING = UserCheckouts(checkouts=[])


async def report(
    store: Store, machine: Machine, checkouts: Sequence[Checkout], at: datetime | None = None
) -> datetime:
    """Store a report as the service does, and return when it arrived."""
    received_at = at or utc_now()
    async with committed(store) as uow:
        found = await uow.machines.get_for_update(Reach(machine.user_profile_id), machine.id)
        changes = await uow.checkouts.compare(machine.id, a_report(checkouts), received_at)
        await uow.checkouts.apply(changes)
        reported: dict[str, Any] = {"last_report_at": received_at}
        await uow.machines.save(found.updated(reported))
    return received_at


async def of_user(store: Store, user_id: UUID) -> UserCheckouts:
    async with store.reading() as repositories:
        return await repositories.checkouts.of_user(Reach(user_id))


async def of_machine(store: Store, user_id: UUID, machine: Machine) -> list[StoredCheckout]:
    async with store.reading() as repositories:
        found = await repositories.checkouts.of_machine(Reach(user_id), machine.id)
    return sorted(found, key=lambda each: each.path)


async def details(
    store: Store, user_id: UUID, checkouts: Sequence[StoredCheckout]
) -> Mapping[UUID, Checkout]:
    async with store.reading() as repositories:
        return await repositories.checkouts.details(Reach(user_id), [each.id for each in checkouts])


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"remotes": [], "root_commits": [], "remote_heads": []},
        {"root_commits": [commit("a"), commit("b")]},
        {
            "remotes": [
                CheckoutRemote("origin", "git@git.example.org:ada/engine.git"),
                CheckoutRemote("local", "/srv/git/engine.git"),
                CheckoutRemote("mirror", "ssh://git@mirror.example.org:2222/ada/my%20engine"),
            ]
        },
        {
            "status": a_status(
                state=RepoState.DIRTY,
                reason='The "index" \\ is broken: Ωmega \N{PARTY POPPER}',
                branch=None,
                head=None,
                upstream=None,
                ahead=None,
                operation=Operation.REBASE,
                unpushed_commits=None,
                work=[],
                worktrees=[
                    LinkedWorktree(
                        path="/home/ada/dev/other",
                        branch=None,
                        head=None,
                        state=RepoState.MISSING,
                        reason="It was deleted.",
                        changed_since=TIME,
                    )
                ],
                at_risk=None,
                as_of=None,
                main_repository="/home/ada/dev/engine",
                changed_since=TIME,
                stashed_since=TIME,
            )
        },
        {"path": '/Ωmega/"quoted" \\ \x1b[31m\n➿/e\u0301'},
        {"path": "/" + "x" * 4095},
    ],
)
async def test_a_checkout_is_read_as_it_was_sent(
    store: Store, ada: Household, laptop: Machine, values: dict[str, Any]
) -> None:
    sent = a_checkout(**values)
    received_at = await report(store, laptop, [sent])
    (stored,) = await of_machine(store, ada.user.id, laptop)
    assert stored.path == sent.path
    assert stored.root_commits == tuple(sent.root_commits)
    facts = CheckoutFacts.read(stored.facts)
    assert facts is not None
    assert facts.repo.branch == sent.status.branch
    assert stored.needs_attention
    ((checkout_id, read),) = (await details(store, ada.user.id, [stored])).items()
    assert checkout_id == stored.id
    assert content_of(read) == content_of(sent)
    assert read.status.observed_at == received_at


async def test_remotes_are_stored_in_the_form_in_which_they_are_compared(
    store: Store, ada: Household, laptop: Machine
) -> None:
    urls = ["git@Git.example.org:ada/engine.git", "/srv/engine", "https://x.example.org/a/b/"]
    remotes = [CheckoutRemote(f"r{number}", url) for number, url in enumerate(urls)]
    local = [CheckoutRemote("origin", "/srv/engine")]
    await report(
        store, laptop, [a_checkout("/a", remotes=remotes), a_checkout("/b", remotes=local)]
    )
    several, only_local = await of_machine(store, ada.user.id, laptop)
    assert several.remotes == ("git.example.org/ada/engine", "x.example.org/a/b")
    assert only_local.remotes == ()


async def test_a_report_replaces_all_checkouts_of_its_machine_and_no_others(
    store: Store, ada: Household, laptop: Machine
) -> None:
    desktop = Machine(user_profile_id=ada.user.id, name="desktop")
    await keep(store, desktop)
    await report(store, desktop, [a_checkout("/d")])
    kept, changed, gone = (a_checkout(path) for path in ("/a", "/b", "/c"))
    await report(store, laptop, [kept, changed, gone])
    before = {each.path: each for each in await of_machine(store, ada.user.id, laptop)}

    after_change = replace(changed, status=a_status(stashes=2))
    await report(store, laptop, [after_change, kept, a_checkout("/new")])
    after = {each.path: each for each in await of_machine(store, ada.user.id, laptop)}
    assert after.keys() == {"/a", "/b", "/new"}
    assert after["/a"] == before["/a"]
    assert after["/b"].id == before["/b"].id
    assert after["/b"].facts != before["/b"].facts
    assert [each.path for each in await of_machine(store, ada.user.id, desktop)] == ["/d"]

    await report(store, laptop, [])
    assert await of_machine(store, ada.user.id, laptop) == []


async def test_an_unchanged_checkout_is_observed_again_by_every_report(
    store: Store, ada: Household, laptop: Machine
) -> None:
    first = await report(store, laptop, [a_checkout()])
    (before,) = await of_machine(store, ada.user.id, laptop)
    later = a_checkout(status=a_status(observed_at=utc_now()))
    second = await report(store, laptop, [later], first + 60 * SECOND)
    (after,) = await of_machine(store, ada.user.id, laptop)
    assert after == before
    (read,) = (await details(store, ada.user.id, [after])).values()
    assert read.status.observed_at == second
    found = await of_user(store, ada.user.id)
    assert found.machines[laptop.id].last_report_at == second


async def test_an_unchanged_checkout_whose_facts_another_version_wrote_is_stored_again(
    store: Store, ada: Household, laptop: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_another_version(facts: CheckoutFacts) -> str:
        return compact({"repo": {"of-tomorrow": facts.head}})

    with monkeypatch.context() as patch:
        patch.setattr(CheckoutFacts, "to_text", of_another_version)
        patch.setattr(checkout_rows, "STORED_FIELDS", b"of another version")
        await report(store, laptop, [a_checkout()])
    (before,) = await of_machine(store, ada.user.id, laptop)
    assert CheckoutFacts.read(before.facts) is None
    await report(store, laptop, [a_checkout()])
    (after,) = await of_machine(store, ada.user.id, laptop)
    assert after.id == before.id
    assert CheckoutFacts.read(after.facts) is not None


async def test_the_bounds_of_what_a_machine_knows_are_those_of_its_reports(
    store: Store, ada: Household, laptop: Machine
) -> None:
    async def known() -> tuple[str, datetime | None, datetime]:
        (stored,) = await of_machine(store, ada.user.id, laptop)
        facts = CheckoutFacts.read(stored.facts)
        assert facts is not None
        (head,) = facts.known.values()
        return head.head, head.not_before, head.not_after

    start = utc_now()
    await report(store, laptop, [a_checkout()], start)
    first = await known()
    await report(store, laptop, [a_checkout(status=a_status(stashes=1))], start + SECOND)
    assert await known() == first
    pulled = a_checkout(remote_heads=[RemoteHead("origin", "main", commit("new"))])
    await report(store, laptop, [pulled], start + 2 * SECOND)
    assert await known() == (commit("new"), start + SECOND, start + 2 * SECOND)


async def test_checkouts_of_other_users_are_not_read(
    store: Store, ada: Household, eve: Household, laptop: Machine
) -> None:
    await report(store, laptop, [a_checkout()])
    checkouts = await of_machine(store, ada.user.id, laptop)
    assert await of_machine(store, eve.user.id, laptop) == []
    assert await details(store, eve.user.id, checkouts) == {}
    assert await of_user(store, eve.user.id) == NOTHING
    async with store.reading() as repositories:
        found = await repositories.checkouts.heads_among(
            Reach(eve.user.id), [each.id for each in checkouts], {commit("base")}
        )
    assert found == {}


async def test_all_checkouts_machines_and_repos_of_a_user_are_read_also_for_a_confined_token(
    store: Store, ada: Household, eve: Household, laptop: Machine
) -> None:
    other = a_workspace(ada.user.id, "Other")
    repo = a_repo(other.id, "engine", remote_url="git@git.example.org:ada/engine.git")
    silent = Machine(user_profile_id=ada.user.id, name="silent")
    emptied = Machine(user_profile_id=ada.user.id, name="emptied")
    await keep(store, other, repo, silent, emptied)
    await report(store, laptop, [a_checkout("/a"), a_checkout("/b")])
    await report(store, emptied, [])
    for reach in (Reach(ada.user.id), Reach(ada.user.id, new_id())):
        async with store.reading() as repositories:
            found = await repositories.checkouts.of_user(reach)
        assert {each.id: each.remote for each in found.repos} == {
            ada.repo.id: ada.repo.remote,
            repo.id: "git.example.org/ada/engine",
        }
        assert {each.name for each in found.machines.values()} == {"laptop", "emptied"}
        assert sorted((each.machine_id, each.path) for each in found.checkouts) == [
            (laptop.id, "/a"),
            (laptop.id, "/b"),
        ]
        assert not any(each.is_read_here for each in found.repos)


async def test_heads_are_found_by_their_ids(store: Store, ada: Household, laptop: Machine) -> None:
    long = "ab" * 32
    heads = [RemoteHead("origin", f"b{number}", commit(str(number))) for number in range(2000)]
    await report(
        store,
        laptop,
        [
            a_checkout("/a", remote_heads=heads),
            a_checkout("/b", remote_heads=[RemoteHead("origin", "main", long)]),
            a_checkout("/c", remote_heads=[]),
        ],
    )
    a, b, c = (each.id for each in await of_machine(store, ada.user.id, laptop))
    wanted = {commit("7"), commit("1999"), commit("2000"), long}
    async with store.reading() as repositories:
        checkouts = repositories.checkouts
        found = await checkouts.heads_among(Reach(ada.user.id), [a, b, c, new_id()], wanted)
        only_b = await checkouts.heads_among(Reach(ada.user.id), [b], wanted)
        nothing = await checkouts.heads_among(Reach(ada.user.id), [], wanted)
    assert {key: value for key, value in found.items() if value} == {
        a: {commit("7"), commit("1999")},
        b: {long},
    }
    assert only_b == {b: {long}}
    assert nothing == {}


async def test_checkouts_are_removed_with_their_machine_and_with_their_user(
    store: Store, ada: Household, laptop: Machine
) -> None:
    await report(store, laptop, [a_checkout()])
    checkouts = await of_machine(store, ada.user.id, laptop)
    async with committed(store) as uow:
        machine = await uow.machines.get_for_update(Reach(ada.user.id), laptop.id)
        await uow.machines.remove(machine)
    assert await details(store, ada.user.id, checkouts) == {}
    assert await of_user(store, ada.user.id) == NOTHING
    await keep(store, laptop)
    assert await of_machine(store, ada.user.id, laptop) == []

    await report(store, laptop, [a_checkout()])
    checkouts = await of_machine(store, ada.user.id, laptop)
    async with committed(store) as uow:
        await uow.user_profiles.remove(ada.user)
    assert await of_machine(store, ada.user.id, laptop) == []
    assert await details(store, ada.user.id, checkouts) == {}


async def test_a_report_that_is_not_committed_changes_nothing(
    store: Store, ada: Household, laptop: Machine
) -> None:
    await report(store, laptop, [a_checkout("/a"), a_checkout("/b")])
    before = await of_user(store, ada.user.id)
    changed = [a_checkout("/a", status=a_status(stashes=3)), a_checkout("/c")]
    async with store.unit_of_work() as uow:
        changes = await uow.checkouts.compare(laptop.id, a_report(changed), utc_now())
        await uow.checkouts.apply(changes)
    assert await of_user(store, ada.user.id) == before
