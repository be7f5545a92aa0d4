"""The assessment of a disposal: what an inspection found becomes evidence and a verdict."""

from dataclasses import replace

import pytest

from symphony.domain.base import utc_now
from symphony.domain.git.assessment import DisposalFindings, assess
from symphony.domain.git.disposal import EvidenceKind, Verdict
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.git.work import Work

NOW = utc_now()
CLEAN = RepoStatus(state=RepoState.CLEAN, at_risk=False, observed_at=NOW)
WORK = Work(unpushed_commits=0, at_risk=0, items=(), is_truncated=False, as_of=None)
NOTHING = DisposalFindings(work=WORK, files_at_risk=False, outer_remotes=("origin",))


def test_without_evidence_a_disposal_is_safe() -> None:
    disposal = assess(CLEAN, NOTHING)
    assert (disposal.verdict, disposal.evidence) == (Verdict.SAFE, [])
    assert disposal.observed_at == NOW


def test_a_loss_decides_whatever_was_not_checked() -> None:
    unchecked = replace(NOTHING, nested=("part",))
    assert assess(CLEAN, unchecked).verdict == Verdict.UNKNOWN
    assert assess(CLEAN, replace(unchecked, secrets=(".env",))).verdict == Verdict.UNSAFE


@pytest.mark.parametrize(
    ("at_risk", "verdict", "kind"),
    [
        (True, Verdict.UNSAFE, EvidenceKind.AT_RISK),
        (None, Verdict.UNKNOWN, EvidenceKind.NOT_CHECKED),
    ],
)
def test_what_only_the_status_knows_is_evidence(
    at_risk: bool | None,  # noqa: FBT001 - a parameter of the test
    verdict: Verdict,
    kind: EvidenceKind,
) -> None:
    disposal = assess(replace(CLEAN, at_risk=at_risk), NOTHING)
    assert (disposal.verdict, [each.kind for each in disposal.evidence]) == (verdict, [kind])


def test_commits_that_are_unknown_are_not_safe() -> None:
    unknown = replace(WORK, unpushed_commits=None, at_risk=None, reason="More than 2,000 branches.")
    (evidence,) = assess(CLEAN, replace(NOTHING, work=unknown)).evidence
    assert (evidence.kind, evidence.detail) == (EvidenceKind.NOT_CHECKED, unknown.reason)


@pytest.mark.parametrize(
    "state",
    [RepoState.MISSING, RepoState.NOT_A_REPOSITORY, RepoState.REFUSED, RepoState.ERROR],
)
def test_what_was_not_inspected_is_unknown(state: RepoState) -> None:
    status = replace(CLEAN, state=state, reason="There is nothing.", at_risk=None)
    disposal = assess(status, None)
    assert disposal.verdict == Verdict.UNKNOWN
    assert [each.detail for each in disposal.evidence] == ["There is nothing."]


def test_of_a_worktree_only_what_is_in_it_counts() -> None:
    status = replace(CLEAN, main_repository="/srv/main", stashes=2, at_risk=True)
    work = replace(WORK, unpushed_commits=3, at_risk=3)
    assert assess(status, replace(NOTHING, work=work)).evidence == []
    for commits, verdict in ((1, Verdict.UNSAFE), (None, Verdict.UNKNOWN)):
        findings = replace(NOTHING, work=work, detached_commits=commits)
        assert assess(status, findings).verdict == verdict
