"""The attention board: reasons, order, and when its tag changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from symphony.domain.attention import AttentionBoard, Inspection, board_machines
from symphony.domain.attention import attention_board as board_of
from symphony.domain.base import new_id
from symphony.domain.git.reasons import STALE_AFTER, AttentionReason, repo_reasons
from symphony.domain.git.status import Head, LinkedWorktree, Operation, RepoState, RepoStatus
from symphony.domain.git.work import UnpushedPlaces
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.observations import (
    BoardFacts,
    BoardRepo,
    ExpiringToken,
    RepoObservation,
    UnlockedVault,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = Head("9f2c1f0", "Note G", "Ada Lovelace", NOW - timedelta(days=1))
OLD_HEAD = replace(HEAD, authored_at=NOW - STALE_AFTER - timedelta(seconds=1))
# A repository in which all is done.
DONE: dict[str, Any] = {
    "state": RepoState.CLEAN,
    "branch": "main",
    "head": HEAD,
    "upstream": "origin/main",
    "ahead": 0,
    "behind": 0,
    "remotes": {"origin": "https://git.example.org/ada/engine.git"},
    "unpushed_commits": 0,
    "at_risk": False,
    "observed_at": NOW,
}
NO_UPSTREAM: dict[str, Any] = dict.fromkeys(("upstream", "ahead", "behind"))
NO_REMOTE: dict[str, Any] = {**NO_UPSTREAM, "remotes": {}, "unpushed_commits": 3, "at_risk": True}
IDEA = UnpushedPlaces(branches=["idea"], in_refs=True)
UNPUSHED: dict[str, Any] = {"unpushed_commits": 2, "places": IDEA, "at_risk": True}
INTEGRATED: dict[str, Any] = {"unpushed_commits": 2}  # in another form
DETACHED = UnpushedPlaces(detached_only=True)


def a_worktree(state: RepoState) -> LinkedWorktree:
    return LinkedWorktree(
        path="/home/ada/x-2", branch="b", head="9f2c1f0", state=state, reason=None
    )


DIRTY_WORKTREE: dict[str, Any] = {"worktrees": [a_worktree(RepoState.DIRTY)], "at_risk": True}


def seen(**values: Any) -> RepoObservation:
    return RepoObservation.of_repo(new_id(), "~/x", RepoStatus(**{**DONE, **values}))


def reasons(**values: Any) -> list[str]:
    return [str(each) for each in repo_reasons(seen(**values), NOW)]


def attention_board(
    repos: Sequence[BoardRepo],
    vaults: Sequence[UnlockedVault],
    now: datetime,
    reason: AttentionReason | None = None,
    tokens: Sequence[ExpiringToken] = (),
) -> AttentionBoard:
    return server_board(BoardFacts(repos, vaults, tokens), now, reason)


def server_board(
    facts: BoardFacts,
    now: datetime,
    reason: AttentionReason | None = None,
    inspection: Inspection = Inspection.ENABLED,
    **values: Any,
) -> AttentionBoard:
    """The board of a user whose repos are on the disk of the server only."""
    machines = board_machines(facts, now, UserCheckouts(), {})
    return board_of(facts, machines, {}, inspection, reason, **values)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, []),
        ({"state": "dirty", "modified": 1}, ["dirty"]),
        ({"state": "dirty", "untracked": 1}, ["dirty"]),
        (UNPUSHED, ["unpushed"]),
        ({"ahead": 2, **UNPUSHED}, ["unpushed"]),
        ({"ahead": 2, **INTEGRATED}, []),
        ({"is_behind": True, "behind": 1}, ["behind"]),
        ({"is_behind": True, "behind": None, "ahead": None}, ["behind"]),  # the number is unknown
        (
            {"ahead": 2, "behind": 1, "is_behind": True, **UNPUSHED},
            ["unpushed", "behind", "diverged"],
        ),
        ({"stashes": 1}, ["stashed"]),
        ({"state": "dirty", "conflicted": 1}, ["dirty", "conflict"]),
        *(({"operation": operation}, ["conflict"]) for operation in Operation),
        # What is unknown while an operation is in progress is explained by it.
        *(({"operation": operation, "at_risk": None}, ["conflict"]) for operation in Operation),
        ({**NO_UPSTREAM}, []),
        ({**NO_UPSTREAM, **UNPUSHED}, ["unpushed"]),
        ({"places": DETACHED, "unpushed_commits": 1, "at_risk": True}, ["detached"]),
        ({**NO_UPSTREAM, "head": None}, []),  # nothing is committed yet
        ({**NO_UPSTREAM, "is_bare": True, "reason": "It is bare."}, []),
        (DIRTY_WORKTREE, ["worktree"]),
        ({"worktrees": [a_worktree(RepoState.CLEAN)]}, []),
        ({"worktrees": [a_worktree(RepoState.MISSING)], "at_risk": None}, ["unreadable"]),
        # In a submodule, or in a file that is marked as unchanged.
        ({"at_risk": True}, ["at-risk"]),
        ({"at_risk": True, "is_behind": True, "behind": 1}, ["behind", "at-risk"]),
        ({"at_risk": True, "unpushed_commits": None}, ["at-risk", "unreadable"]),
        (NO_REMOTE, ["no-remote"]),
        ({**NO_REMOTE, "places": IDEA}, ["no-remote"]),
        ({**NO_REMOTE, "places": DETACHED}, ["detached", "no-remote"]),
        ({"at_risk": None}, ["unreadable"]),
        ({"unpushed_commits": None, "at_risk": None}, ["unreadable"]),
        ({"unpushed_commits": None, "stashes": 1, "at_risk": True}, ["stashed", "unreadable"]),
        ({"state": "missing", "at_risk": None}, ["missing"]),
        ({"state": "not-a-repository", "at_risk": None}, ["unreadable"]),
        ({"state": "refused", "at_risk": None}, ["unreadable"]),
        ({"state": "error", "at_risk": None}, ["unreadable"]),
        (
            {
                "state": "dirty",
                "ahead": 1,
                "behind": 1,
                "is_behind": True,
                "stashes": 1,
                "conflicted": 1,
                **DIRTY_WORKTREE,
                "unpushed_commits": 3,
                "places": replace(IDEA, detached_only=True),
            },
            [
                *("dirty", "worktree", "unpushed", "detached"),
                *("behind", "diverged", "stashed", "conflict"),
            ],
        ),
    ],
)
def test_reasons_are_derived_from_an_observation(
    found: dict[str, Any], expected: list[str]
) -> None:
    if "state" in found:
        found = {**found, "state": RepoState(found["state"])}
    assert reasons(**found) == expected


@pytest.mark.parametrize(
    "unread",
    [RepoState.MISSING, RepoState.NOT_A_REPOSITORY, RepoState.REFUSED, RepoState.ERROR],
)
def test_an_unreadable_repo_has_no_other_reason(unread: RepoState) -> None:
    nothing: dict[str, Any] = {**NO_UPSTREAM, "branch": None, "head": None, "remotes": {}}
    assert len(reasons(**nothing, state=unread)) == 1


def test_unfinished_work_is_stale_after_30_days_and_finished_work_never() -> None:
    for unfinished in (
        {"state": RepoState.DIRTY},
        UNPUSHED,
        {"places": DETACHED},
        DIRTY_WORKTREE,
        {"stashes": 1},
        {"operation": Operation.MERGE},
        {"at_risk": True},
    ):
        assert "stale" not in reasons(**unfinished)
        assert reasons(**unfinished, head=OLD_HEAD)[-1] == "stale"
        assert "stale" not in reasons(**unfinished, head=replace(HEAD, authored_at=None))
    for finished in ({"ahead": 0}, {"is_behind": True}, NO_REMOTE, INTEGRATED):
        assert "stale" not in reasons(**finished, head=OLD_HEAD)


def test_an_observation_becomes_stale_without_another_inspection() -> None:
    dirty = seen(state=RepoState.DIRTY)
    assert repo_reasons(dirty, NOW) == (AttentionReason.DIRTY,)
    later = repo_reasons(dirty, NOW + STALE_AFTER)
    assert later == (AttentionReason.DIRTY, AttentionReason.STALE)


FIRST, SECOND = sorted((new_id(), new_id()))


def a_repo(workspace: UUID, name: str, **found: Any) -> BoardRepo:
    key = name.casefold()
    return BoardRepo(
        id=new_id(),
        workspace_id=workspace,
        name=name,
        name_key=key,
        path="~/x",
        observation=seen(**found),
    )


def a_vault(workspace: UUID, name: str) -> UnlockedVault:
    return UnlockedVault(id=new_id(), workspace_id=workspace, name=name, name_key=name.casefold())


def a_token(name: str) -> ExpiringToken:
    return ExpiringToken(id=new_id(), name=name, name_key=name.casefold())


def test_a_board_is_sorted_by_workspace_then_repos_before_vaults_then_name() -> None:
    repos = [a_repo(SECOND, "a", stashes=1), a_repo(FIRST, "b", stashes=1)]
    repos += [a_repo(FIRST, "done"), a_repo(FIRST, "A", stashes=1)]
    vaults = [a_vault(SECOND, "a"), a_vault(FIRST, "z"), a_vault(FIRST, "K")]
    tokens = [a_token("b"), a_token("A"), a_token("b")]
    board = attention_board(repos, vaults, NOW, tokens=tokens)
    assert [(each.workspace_id, each.kind, each.name) for each in board.items] == [
        (FIRST, "repo", "A"),
        (FIRST, "repo", "b"),
        (FIRST, "vault", "K"),
        (FIRST, "vault", "z"),
        (SECOND, "repo", "a"),
        (SECOND, "vault", "a"),
        (None, "api-token", "A"),
        (None, "api-token", "b"),
        (None, "api-token", "b"),
    ]
    assert [each.id for each in board.items[-2:]] == [tokens[0].id, tokens[2].id]


def test_a_board_is_as_old_as_the_oldest_observation_of_any_repo() -> None:
    earlier = NOW - timedelta(hours=1)
    looked = [a_repo(FIRST, "done", observed_at=earlier), a_repo(FIRST, "b", stashes=1)]
    unknown = replace(a_repo(FIRST, "c"), observation=None)
    board = attention_board([*looked, unknown], [], NOW)
    assert (board.observed_at, board.unobserved) == (earlier, 1)
    assert [each.observed_at for each in board.items] == [NOW]
    empty = attention_board([unknown], [a_vault(FIRST, "k")], NOW)
    assert (empty.observed_at, empty.unobserved) == (NOW, 1)
    assert [each.observed_at for each in empty.items] == [NOW]


def test_a_board_for_one_reason_has_whole_items_and_is_as_old_as_the_whole_board() -> None:
    earlier = NOW - timedelta(hours=1)
    repos = [
        a_repo(FIRST, "both", stashes=1, **UNPUSHED),
        a_repo(FIRST, "other", is_behind=True, observed_at=earlier),
    ]
    board = attention_board(repos, [a_vault(FIRST, "k")], NOW, AttentionReason.STASHED)
    assert [(each.name, each.reasons) for each in board.items] == [
        ("both", (AttentionReason.UNPUSHED, AttentionReason.STASHED))
    ]
    assert board.observed_at == earlier


TOLD: list[dict[str, Any]] = [
    {"path": "~/y"},
    {"branch": "other"},
    *(
        {name: 7}
        for name in (
            *("ahead", "behind", "staged", "modified", "untracked", "conflicted", "stashes"),
            "unpushed_commits",
        )
    ),
    {"unpushed_branches": ["idea"]},
    {"at_risk": None},
    {"has_dirty_worktree": True},
]


def test_a_board_of_what_is_at_risk_has_what_may_be_at_risk_too() -> None:
    repos = [
        a_repo(FIRST, "stashed", stashes=1, at_risk=True),
        a_repo(FIRST, "unknown", at_risk=None),
        a_repo(FIRST, "behind", is_behind=True),
        a_repo(FIRST, "missing", state=RepoState.MISSING, at_risk=None),
    ]
    for at_risk, names in (
        (None, {"stashed", "unknown", "behind", "missing", "k", "ci"}),
        (True, {"stashed", "unknown", "missing"}),
        (False, {"behind", "k", "ci"}),
    ):
        facts = BoardFacts(repos, [a_vault(FIRST, "k")], [a_token("ci")])
        board = server_board(facts, NOW, at_risk=at_risk)
        assert {each.name for each in board.items} == names


def test_the_tag_of_a_board_changes_with_its_items_and_not_with_times() -> None:
    repo, vault = a_repo(FIRST, "b", stashes=1), a_vault(FIRST, "k")
    tag = attention_board([repo], [vault], NOW).tag
    later = NOW + timedelta(hours=1)
    assert repo.observation
    looked_again = replace(repo, observation=replace(repo.observation, observed_at=later))
    assert attention_board([looked_again], [vault], later).tag == tag
    others: list[tuple[list[BoardRepo], list[UnlockedVault]]] = [
        ([], [vault]),
        ([repo], []),
        ([replace(repo, name="c")], [vault]),
        ([replace(repo, id=new_id())], [vault]),
        ([replace(repo, workspace_id=SECOND)], [vault]),
        *(
            ([replace(repo, observation=replace(repo.observation, **told))], [vault])
            for told in TOLD
        ),
        ([repo, replace(repo, observation=None)], [vault]),
    ]
    tags = {attention_board(repos, vaults, NOW).tag for repos, vaults in others}
    tags.add(server_board(BoardFacts([repo], [vault]), NOW, inspection=Inspection.DISABLED).tag)
    token = a_token("ci")
    for tokens in ([token], [token, token], [replace(token, name="cd")], [a_token("ci")]):
        tags.add(attention_board([repo], [vault], NOW, tokens=tokens).tag)
    assert len({tag, *tags}) == 6 + len(others)
