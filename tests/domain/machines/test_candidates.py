"""What is kept of a repo between boards follows everything that it was derived from."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from symphony.domain.attention import Inspection, attention_board, board_machines
from symphony.domain.git.status import RepoState
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.assessment import UNSEEN_AFTER, RepoCheckouts
from symphony.domain.machines.candidates import Candidate, KeptCandidates
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import RepoIdentity
from symphony.domain.machines.matching import MatchedRepo
from symphony.domain.observations import BoardFacts, RepoObservation
from tests.domain.machines.test_assessment import (
    CLEAN,
    DESKTOP,
    LAPTOP,
    NOW,
    REPO,
    a_checkout,
    a_status,
    commit,
    stored,
    synced_heads,
)


def test_the_same_checkouts_are_assessed_again_when_anything_else_changes() -> None:
    laptop = stored(LAPTOP, a_checkout())
    desktop = stored(DESKTOP, a_checkout(status=a_status(**CLEAN)))
    identity = RepoIdentity(REPO.id, REPO.path, "git.example.org/ada/engine", is_read_here=True)
    machines = {each.id: each for each in (LAPTOP, DESKTOP)}
    of_user = UserCheckouts([identity], machines, [laptop, desktop])

    def reasons(
        found: Mapping[UUID, AbstractSet[str]] | None = None,
        synced: RemoteHeads | None = None,
        own: RepoObservation | None = None,
        now: datetime = NOW,
    ) -> list[list[str]]:
        facts = BoardFacts([replace(REPO, observation=own)], [])
        heads = {} if synced is None else {REPO.id: synced}
        machines = board_machines(facts, now, of_user, heads)
        board = attention_board(facts, machines, found or {}, Inspection.ENABLED)
        return [[str(each) for each in item.reasons] for item in board.items]

    at_first = [["unpushed"]]
    assert reasons() == at_first
    assert reasons(found={desktop.id: {commit("tip")}}) == []
    assert reasons() == at_first
    assert reasons(synced=synced_heads("tip")) == []
    assert reasons(synced=synced_heads("base")) == at_first
    dirty = RepoObservation.of_repo(
        REPO.id, REPO.path, a_status(**CLEAN, state=RepoState.DIRTY, modified=1)
    )
    assert reasons(own=dirty) == [["dirty", "unpushed"]]
    assert reasons() == at_first
    assert "unseen" in reasons(now=NOW + 2 * UNSEEN_AFTER)[0]
    assert "stale" in reasons(now=NOW + timedelta(days=365))[0]
    assert reasons() == at_first


def test_kept_candidates_take_limited_memory_and_the_last_used_ones_stay() -> None:
    laptop = stored(LAPTOP, a_checkout())
    candidates = {
        number: Candidate(MatchedRepo(None, [laptop], needs_attention=True), RepoCheckouts(None))
        for number in range(4)
    }
    kept = KeptCandidates(max_bytes=3 * (2_048 + 3 * len(laptop.facts)))

    def is_kept(number: int) -> bool:
        one = candidates[number]
        return kept.get(UUID(int=number), one.matched, RepoCheckouts(None)) is one

    for number in range(3):
        kept.keep(UUID(int=number), candidates[number])
    assert is_kept(0)
    kept.keep(UUID(int=3), candidates[3])
    assert [is_kept(number) for number in range(4)] == [True, False, True, True]
    kept.keep(UUID(int=3), candidates[3])  # instead of itself
    assert [is_kept(number) for number in range(4)] == [True, False, True, True]


def test_what_a_sync_saw_counts_as_memory_of_the_candidate() -> None:
    checkouts = [stored(LAPTOP, a_checkout())]
    matched = MatchedRepo(None, checkouts, needs_attention=True)
    small = synced_heads("tip")
    large = replace(small, branches={f"branch-{number}": commit("tip") for number in range(2_000)})
    kept = KeptCandidates(max_bytes=64 << 10)
    for number, synced, is_kept in ((0, small, True), (1, large, False)):
        own = RepoCheckouts(None, (), synced)
        kept.keep(UUID(int=number), Candidate(matched, own))
        assert (kept.get(UUID(int=number), matched, own) is not None) == is_kept
