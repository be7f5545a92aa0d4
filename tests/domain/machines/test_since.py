"""Since when the checkouts of a repo are unfinished, at least."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from symphony.domain.git.facts import RepoFacts, read_facts
from symphony.domain.git.status import LinkedWorktree, RepoState, RepoStatus
from symphony.domain.git.work import WorkItem, WorkKind
from symphony.domain.machines.checkouts import ReportingMachine, StoredCheckout
from symphony.domain.machines.facts import CheckoutFacts, checkout_facts
from tests.domain.machines.test_assessment import (
    CLEAN,
    DESKTOP,
    LAPTOP,
    NOW,
    items,
    stored,
    synced_heads,
)
from tests.support.machines.checkouts import a_checkout, a_status, commit

DAYS = [NOW - timedelta(days=each) for each in range(30)]
AHEAD = timedelta(days=-1)
TIMES: dict[str, int] = dict(
    zip(("dirty", "conflict", "unpushed", "stashed", "worktree"), (1, 1, 2, 3, 4), strict=True)
)
"""Days since when there is what a reason names, in the test of all of them."""


def branch(name: str, since: datetime | None) -> WorkItem:
    (item,) = a_status().work
    return replace(item, name=name, head=commit(name), unpushed_since=since)


def dirty(**fields: Any) -> RepoStatus:
    return a_status(**CLEAN | {"state": RepoState.DIRTY, "modified": 1, "at_risk": True} | fields)


def of_laptop(status: RepoStatus, machine: ReportingMachine = LAPTOP) -> StoredCheckout:
    return stored(machine, a_checkout(status=status))


def test_the_earliest_of_all_reasons_counts() -> None:
    tree = LinkedWorktree(
        path="/t", branch=None, head=None, state=RepoState.DIRTY, reason=None,
        changed_since=DAYS[4],
    )  # fmt: skip
    status = a_status(
        work=[branch("tip", DAYS[2]), branch("idea", DAYS[7])],
        changed_since=DAYS[1],
        stashed_since=DAYS[3],
        stashes=1,
        worktrees=[tree],
    )
    (item,) = items([of_laptop(status)])
    assert (item.unfinished_since, item.checkouts[0].unfinished_since) == (DAYS[7], DAYS[7])
    (item,) = items([of_laptop(replace(status, work=[]))])
    assert item.unfinished_since == DAYS[4]
    (item,) = items([of_laptop(replace(status, work=[], worktrees=[]))])
    assert item.unfinished_since == DAYS[3]


def test_the_item_has_the_earliest_of_its_checkouts() -> None:
    laptop = of_laptop(dirty(changed_since=DAYS[2]))
    desktop = of_laptop(dirty(changed_since=DAYS[5]), DESKTOP)
    (item,) = items([laptop, desktop], dirty(changed_since=DAYS[9]))
    assert [each.unfinished_since for each in item.checkouts] == [DAYS[9], DAYS[5], DAYS[2]]
    assert item.unfinished_since == DAYS[9]


def test_what_is_pushed_elsewhere_takes_its_time_with_it() -> None:
    status = a_status(work=[branch("old", DAYS[8]), branch("new", DAYS[2])], unpushed_commits=2)
    laptop = of_laptop(status)
    desktop = of_laptop(a_status(**CLEAN), DESKTOP)
    assert items([laptop, desktop])[0].unfinished_since == DAYS[8]
    (item,) = items([laptop, desktop], pushed=[(desktop, "old")])
    assert item.unfinished_since == DAYS[2]
    assert items([laptop], synced=synced_heads("old"))[0].unfinished_since == DAYS[2]
    assert items([laptop, desktop], synced=synced_heads("new"), pushed=[(desktop, "old")]) == []


def test_changes_stay_when_the_commits_are_pushed_elsewhere() -> None:
    laptop = of_laptop(dirty(work=[branch("tip", DAYS[8])], unpushed_commits=1,
                             changed_since=DAYS[1]))  # fmt: skip
    (item,) = items([laptop], synced=synced_heads("tip"))
    assert (item.reasons, item.unfinished_since) == (("dirty",), DAYS[1])


@pytest.mark.parametrize(
    "status",
    [
        a_status(**CLEAN | {"behind": 2}),
        dirty(),
        a_status(state=RepoState.ERROR, reason="Damaged.", work=[], at_risk=None),
        a_status(),
    ],
)
def test_without_a_known_time_nothing_is_claimed(status: RepoStatus) -> None:
    """As reporters of older versions send it."""
    (item,) = items([of_laptop(status)])
    assert item.unfinished_since is None


def test_a_truncated_list_of_work_still_has_a_time() -> None:
    status = a_status(work=[branch("tip", DAYS[6])], work_truncated=True)
    assert items([of_laptop(status)])[0].unfinished_since == DAYS[6]


@pytest.mark.parametrize(
    ("difference", "at", "expected"),
    [
        (timedelta(), DAYS[2], DAYS[2]),
        (AHEAD, DAYS[2], DAYS[3]),
        (AHEAD, NOW + timedelta(hours=20), NOW - timedelta(hours=4)),
        (timedelta(days=1), DAYS[2], DAYS[2]),  # the clock is behind, or the report was late
        (timedelta(), NOW + timedelta(seconds=1), None),
        (timedelta(), datetime(1985, 10, 26, tzinfo=UTC), None),
        (-timedelta(days=700_000), DAYS[2], None),
        (AHEAD, datetime.min.replace(tzinfo=UTC), None),
    ],
)
def test_times_of_a_machine_are_those_of_the_server(
    difference: timedelta, at: datetime, expected: datetime | None
) -> None:
    status = dirty(changed_since=at, stashed_since=at, work=[branch("tip", at)])
    facts = checkout_facts(a_checkout(status=status), NOW, difference).repo
    assert (facts.changed_since, facts.stashed_since) == (expected, expected)
    assert [each.since for each in facts.unfinished or ()] == [expected]


def test_stored_facts_have_the_times_and_older_versions_can_read_them() -> None:
    status = dirty(
        changed_since=DAYS[1],
        stashed_since=DAYS[2],
        work=[branch("tip", DAYS[3]), branch("idea", None)],
    )
    facts = checkout_facts(a_checkout(status=status), NOW, timedelta())
    assert CheckoutFacts.read(facts.to_text()) == facts
    written = facts.repo.to_json()
    assert "changed_since" not in written
    read = read_facts(written)
    assert read is not None
    assert RepoFacts(**read).unfinished_since is None


def test_a_detached_head_alone_has_a_time() -> None:
    item = replace(branch("tip", DAYS[5]), kind=WorkKind.DETACHED, name=None)
    (found,) = items([of_laptop(a_status(work=[item]))])
    assert (found.reasons, found.unfinished_since) == (("detached",), DAYS[5])


@pytest.mark.parametrize("state", [RepoState.CLEAN, RepoState.DIRTY])
@pytest.mark.parametrize("worktree", [RepoState.CLEAN, RepoState.DIRTY])
@pytest.mark.parametrize("stashes", [0, 1])
@pytest.mark.parametrize("conflicted", [0, 1])
@pytest.mark.parametrize("unpushed", [0, 1])
@pytest.mark.parametrize("at_risk", [True, False, None])
def test_only_the_times_of_what_a_reason_names_count(
    state: RepoState,
    worktree: RepoState,
    stashes: int,
    conflicted: int,
    unpushed: int,
    at_risk: bool | None,  # noqa: FBT001
) -> None:
    """Whatever times another program reports."""
    tree = LinkedWorktree(
        path="/t", branch=None, head=None, state=worktree, reason=None, changed_since=DAYS[4]
    )
    status = a_status(
        state=state,
        behind=1,  # so that the board has it in any case
        at_risk=at_risk,
        conflicted=conflicted,
        stashes=stashes,
        changed_since=DAYS[1],
        stashed_since=DAYS[3],
        worktrees=[tree],
        unpushed_commits=unpushed,
        work=[replace(branch("tip", DAYS[2]), unpushed_commits=unpushed)],
    )
    (item,) = items([of_laptop(status)])
    days = [TIMES[each] for each in item.reasons if each in TIMES]
    if at_risk:  # perhaps by what `git status` does not report, in clean files as well
        days += [TIMES["dirty"], TIMES["worktree"]]
    assert item.unfinished_since == (DAYS[max(days)] if days else None)
