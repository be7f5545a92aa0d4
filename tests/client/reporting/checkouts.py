"""Checkouts to report."""

from datetime import UTC, datetime

from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.machines.checkouts import Checkout, RemoteHead, Report

_AT = datetime(2026, 11, 27, tzinfo=UTC)


def checkout(path: str, heads: int = 0) -> Checkout:
    return Checkout(
        path=path,
        remotes=[],
        root_commits=["1" * 40],
        remote_heads=[RemoteHead("origin", f"branch-{n}", "2" * 40) for n in range(heads)],
        status=RepoStatus(state=RepoState.CLEAN, branch="main", at_risk=False, observed_at=_AT),
    )


def report(*checkouts: Checkout) -> Report:
    return Report(sequence=7, roots=["/home/ada/dev"], checkouts=checkouts)
