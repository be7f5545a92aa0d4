"""What checkouts say together: what is cleared, behind, unseen, or left out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from symphony.domain.attention import (
    AttentionBoard,
    AttentionItem,
    Inspection,
    attention_board,
    board_machines,
)
from symphony.domain.base import new_id
from symphony.domain.git.status import LinkedWorktree, Operation, RepoState, RepoStatus
from symphony.domain.git.work import (
    Integration,
    KnowledgeSource,
    RemoteHeads,
    RemoteKnowledge,
    WorkItem,
    WorkKind,
)
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import (
    Checkout,
    CheckoutRemote,
    RemoteHead,
    RepoIdentity,
    ReportingMachine,
    StoredCheckout,
)
from symphony.domain.machines.facts import Previous, checkout_facts, normalized_remotes
from symphony.domain.observations import BoardFacts, BoardRepo, RepoObservation
from tests.support.machines.checkouts import a_checkout, a_status, commit

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
URL = "https://git.example.org/ada/engine.git"
REPO = BoardRepo(
    id=new_id(),
    workspace_id=new_id(),
    name="engine",
    name_key="engine",
    path="/srv/engine",
    observation=None,
)
CLEAN: dict[str, Any] = {"ahead": 0, "unpushed_commits": 0, "work": [], "at_risk": False}
LAPTOP, DESKTOP = (ReportingMachine(new_id(), name, NOW) for name in ("laptop", "Desktop"))


def stored(
    machine: ReportingMachine,
    checkout: Checkout,
    received_at: datetime = NOW,
    previous: Previous | None = None,
) -> StoredCheckout:
    facts = checkout_facts(checkout, received_at, timedelta(), previous)
    return StoredCheckout(
        id=new_id(),
        machine_id=machine.id,
        path=checkout.path,
        remotes=normalized_remotes(checkout),
        root_commits=tuple(checkout.root_commits),
        needs_attention=facts.needs_attention,
        known_heads=facts.known_heads,
        facts=facts.to_text(),
    )


def heads(**branches: str) -> list[RemoteHead]:
    return [RemoteHead("origin", name, commit(head)) for name, head in branches.items()]


def items(
    checkouts: Sequence[StoredCheckout],
    own: RepoStatus | None = None,
    synced: RemoteHeads | None = None,
    machines: Sequence[ReportingMachine] = (LAPTOP, DESKTOP),
    pushed: Sequence[tuple[StoredCheckout, str]] = (),
) -> list[AttentionItem]:
    """The board; `pushed` are the commits that checkouts know of their remotes."""
    seen = None if own is None else RepoObservation.of_repo(REPO.id, REPO.path, own)
    facts = BoardFacts([replace(REPO, observation=seen)], [])
    identity = RepoIdentity(REPO.id, REPO.path, "git.example.org/ada/engine", is_read_here=False)
    of_user = UserCheckouts([identity], {each.id: each for each in machines}, checkouts)
    of_sync = {} if synced is None else {REPO.id: synced}
    board = board_machines(facts, NOW, of_user, of_sync)
    ids, wanted = board.heads_to_find
    found = {
        checkout.id: {commit(head)}
        for checkout, head in pushed
        if checkout.id in ids and commit(head) in wanted
    }
    return list(attention_board(facts, board, found, Inspection.ENABLED).items)


def shown(item: AttentionItem) -> list[tuple[str | None, list[str], bool | None]]:
    return [
        (each.machine and each.machine.name, [str(reason) for reason in each.reasons], each.at_risk)
        for each in item.checkouts
    ]


def synced_heads(head: str, at: datetime = NOW) -> RemoteHeads:
    branches = {"main": commit(head)}
    return RemoteHeads(remote_url=URL, branches=branches, default_branch="main", synced_at=at)


def test_what_another_machine_pushed_is_not_unpushed_any_more() -> None:
    laptop = stored(LAPTOP, a_checkout())
    desktop = stored(DESKTOP, a_checkout(status=a_status(**CLEAN)))
    (item,) = items([laptop, desktop])
    assert (item.reasons, item.at_risk) == (("unpushed",), True)
    assert shown(item) == [("Desktop", [], False), ("laptop", ["unpushed"], True)]
    assert items([laptop, desktop], pushed=[(desktop, "tip")]) == []
    # The same machine proves nothing: its next report will tell.
    same = stored(LAPTOP, a_checkout("/other", status=a_status(**CLEAN)))
    assert items([laptop, same], pushed=[(same, "tip"), (laptop, "tip")])
    assert items([laptop], synced=synced_heads("tip")) == []
    assert items([laptop], synced=synced_heads("base"))


def test_the_observation_of_the_server_is_cleared_by_machines_too() -> None:
    desktop = stored(DESKTOP, a_checkout(status=a_status(**CLEAN)))
    own = replace(a_status(), places=a_status().places)
    own = replace(own, places=replace(own.places, in_refs=True, branches=("main",)))
    (item,) = items([desktop], own)
    assert shown(item) == [(None, ["unpushed"], True), ("Desktop", [], False)]
    assert (item.shown and item.shown.path) == REPO.path
    assert items([desktop], own, pushed=[(desktop, "tip")]) == []


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"stashes": 1}, ["stashed"]),
        ({"state": RepoState.DIRTY, "modified": 1}, ["dirty"]),
        ({"operation": Operation.REBASE}, ["conflict"]),
        ({"reason": "A file is marked."}, ["at-risk"]),
        ({"work_truncated": True}, ["unpushed"]),
        ({"unpushed_commits": None}, ["unpushed", "unreadable"]),
        (
            {
                "worktrees": [
                    LinkedWorktree(
                        path="/w", branch=None, head=None, state=RepoState.DIRTY, reason=None
                    )
                ]
            },
            ["worktree"],
        ),
    ],
)
def test_what_else_may_be_at_risk_stays_so(changes: dict[str, Any], reasons: list[str]) -> None:
    laptop = stored(LAPTOP, a_checkout(status=a_status(**changes)))
    desktop = stored(DESKTOP, a_checkout(status=a_status(**CLEAN)))
    (item,) = items([laptop, desktop], pushed=[(desktop, "tip")])
    assert shown(item) == [("Desktop", [], False), ("laptop", reasons, True)]


def test_of_several_branches_those_that_are_not_pushed_stay() -> None:
    def work(kind: WorkKind, name: str | None, head: str) -> WorkItem:
        return WorkItem(
            kind=kind,
            name=name,
            worktree=None,
            head=commit(head),
            upstream=None,
            ahead=None,
            behind=None,
            unpushed_commits=1,
            integrated=Integration.NO,
            committed_at=None,
        )

    branches = [work(WorkKind.BRANCH, name, name) for name in ("a", "b")]
    detached = work(WorkKind.DETACHED, None, "c")
    laptop = stored(LAPTOP, a_checkout(status=a_status(work=[*branches, detached])))
    desktop = stored(DESKTOP, a_checkout(status=a_status(**CLEAN)))
    (item,) = items([laptop, desktop], pushed=[(desktop, "a")])
    assert item.reasons == ("unpushed", "detached")
    assert item.shown
    assert item.shown.facts.unpushed_branches == ("b",)
    (item,) = items([laptop, desktop], pushed=[(desktop, "c")])
    assert (item.reasons, item.at_risk) == (("unpushed",), True)


@pytest.mark.parametrize("state", [RepoState.MISSING, RepoState.REFUSED, RepoState.ERROR])
def test_what_the_server_cannot_read_is_left_out_if_a_machine_has_it(state: RepoState) -> None:
    own = RepoStatus(state=state, reason="x", observed_at=EARLIER)
    assert len(items([], own)) == 1
    desktop = stored(DESKTOP, a_checkout(status=a_status(**CLEAN)))
    assert items([desktop], own) == []
    (item,) = items([stored(LAPTOP, a_checkout())], own)
    assert [each.machine for each in item.checkouts] == [LAPTOP]


def test_a_machine_that_has_not_reported_for_a_week_proves_nothing() -> None:
    lost = replace(LAPTOP, last_report_at=NOW - timedelta(days=7, seconds=1))
    clean = stored(lost, a_checkout(status=a_status(**CLEAN)))
    (item,) = items([clean], machines=[lost])
    assert shown(item) == [("laptop", ["unseen"], None)]
    assert (item.at_risk, item.observed_at) == (None, lost.last_report_at)
    (item,) = items([stored(lost, a_checkout())], machines=[lost])
    assert shown(item) == [("laptop", ["unpushed", "unseen"], True)]
    just = replace(LAPTOP, last_report_at=NOW - timedelta(days=7))
    assert items([stored(just, a_checkout(status=a_status(**CLEAN)))], machines=[just]) == []


def test_the_checkout_most_at_risk_stands_for_the_repo() -> None:
    states = ({"at_risk": None, "reason": "x"}, {"stashes": 1}, {"stashes": 1, "behind": 1})
    checkouts = [
        stored(LAPTOP, a_checkout(f"/{index}", status=a_status(**CLEAN | {"at_risk": True} | each)))
        for index, each in enumerate(states)
    ]
    (item,) = items(checkouts)
    assert item.shown
    assert item.shown.path == "/2"
    assert item.reasons == ("behind", "stashed", "unreadable")


def test_a_machine_is_behind_what_another_learned_later() -> None:
    status = a_status(**CLEAN, head=None)
    old = a_checkout(status=status, remote_heads=heads(main="old"))
    new = a_checkout(status=status, remote_heads=heads(main="new"))
    laptop = stored(LAPTOP, old, EARLIER)

    def desktop(fetched_at: datetime | None, **fields: Any) -> StoredCheckout:
        known = RemoteKnowledge(KnowledgeSource.FETCH, fetched_at)
        own = replace(new, status=replace(status, as_of=known), **fields)
        return stored(DESKTOP, own, NOW)

    for fetched_at, is_behind in (
        (EARLIER + timedelta(minutes=1), True),
        (EARLIER - timedelta(minutes=1), False),
        (None, False),
    ):
        assert bool(items([laptop, desktop(fetched_at)])) == is_behind
    (item,) = items([laptop, desktop(NOW)])
    assert shown(item) == [("Desktop", [], False), ("laptop", ["behind"], False)]
    assert item.checkouts[1].facts.behind is None
    # Of several remotes, it is unknown which one was fetched.
    two = [*new.remotes, CheckoutRemote("fork", "https://git.example.org/eve/engine.git")]
    assert items([laptop, desktop(NOW, remotes=two)]) == []


def test_a_machine_is_behind_one_that_knew_the_same_before() -> None:
    status = a_status(**CLEAN, as_of=None, head=None)
    old, new = (a_checkout(status=status, remote_heads=heads(main=each)) for each in ("old", "new"))
    before = Previous(checkout_facts(old, EARLIER, timedelta()), EARLIER)
    moved = stored(DESKTOP, new, NOW, before)
    (item,) = items([stored(LAPTOP, old, NOW), moved])
    assert shown(item)[1] == ("laptop", ["behind"], False)
    # One that has been there is not behind, nor one that has the commit itself.
    was_there = Previous(checkout_facts(new, EARLIER, timedelta()), EARLIER)
    assert items([stored(LAPTOP, old, NOW, was_there), moved]) == []


def test_a_sync_knows_what_a_machine_has_not_fetched() -> None:
    checkout = a_checkout(status=a_status(**CLEAN), remote_heads=heads(main="old"))
    laptop = stored(LAPTOP, checkout, EARLIER)
    (item,) = items([laptop], synced=synced_heads("new"))
    assert shown(item) == [("laptop", ["behind"], False)]
    assert items([laptop], synced=synced_heads("new", EARLIER)) == []
    assert items([laptop], synced=synced_heads("tip")) == []  # which is checked out


def test_the_tag_of_a_board_changes_with_each_checkout_and_not_with_times() -> None:
    def tag(machine: ReportingMachine, **fields: Any) -> str:
        checkout = stored(machine, a_checkout(status=a_status(**fields)))
        return AttentionBoard(items([checkout], machines=[machine]), NOW, 0, Inspection.ENABLED).tag

    usual = tag(LAPTOP)
    assert tag(replace(LAPTOP, last_report_at=EARLIER)) == usual
    others = {
        tag(replace(LAPTOP, name="tower")),
        tag(DESKTOP),
        tag(LAPTOP, branch="idea"),
        tag(LAPTOP, stashes=1),
        tag(LAPTOP, at_risk=None),
    }
    assert len({usual, *others}) == 6


def test_facts_are_restored_as_they_were_stored() -> None:
    checkout = a_checkout(remote_heads=heads(main="old"))
    facts = checkout_facts(checkout, NOW, timedelta())
    assert type(facts).read(facts.to_text()) == facts
    other = facts.to_text().replace('"staged"', '"of_another_version"')
    assert type(facts).read(other) is None


def test_what_another_version_wrote_is_unknown_until_the_next_report() -> None:
    def board(*checkouts: StoredCheckout) -> AttentionBoard:
        identity = RepoIdentity(REPO.id, REPO.path, "git.example.org/ada/engine", False)  # noqa: FBT003
        machines = {each.id: each for each in (LAPTOP, DESKTOP)}
        facts = BoardFacts([REPO], [])
        of_user = UserCheckouts([identity], machines, checkouts)
        return attention_board(
            facts, board_machines(facts, NOW, of_user, {}), {}, Inspection.ENABLED
        )

    dirty = stored(LAPTOP, a_checkout("/a"))
    finished = stored(DESKTOP, a_checkout("/b", status=a_status(**CLEAN)))
    assert dirty.needs_attention
    assert not finished.needs_attention
    unread = '{"repo": {"of-tomorrow": 1}}'
    assert board(dirty, finished).unobserved == 0
    assert board(dirty._replace(facts=unread), finished).unobserved == 1
    assert board(finished._replace(facts=unread)).unobserved == 0
