"""Checkouts as machines report them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Any

from symphony.domain.git.status import Head, RepoState, RepoStatus
from symphony.domain.git.work import (
    Integration,
    KnowledgeSource,
    RemoteKnowledge,
    WorkItem,
    WorkKind,
)
from symphony.domain.machines.checkouts import (
    Checkout,
    CheckoutRemote,
    ReceivedCheckout,
    ReceivedReport,
    RemoteHead,
)

TIME = datetime(2026, 11, 15, 17, 2, 11, 250, tzinfo=UTC)


def commit(name: str) -> str:
    """The id of a commit."""
    return sha1(name.encode()).hexdigest()  # noqa: S324 - as git names commits


def a_status(**fields: Any) -> RepoStatus:
    """A clean status on a branch that is one commit ahead."""
    tip = commit("tip")
    values: dict[str, Any] = {
        "state": RepoState.CLEAN,
        "branch": "main",
        "head": Head(tip, "Note G", "Ada", TIME),
        "upstream": "origin/main",
        "ahead": 1,
        "behind": 0,
        "remotes": {"origin": "https://git.example.org/ada/engine.git"},
        "unpushed_commits": 1,
        "work": [
            WorkItem(
                kind=WorkKind.BRANCH,
                name="main",
                worktree=None,
                head=tip,
                upstream="origin/main",
                ahead=1,
                behind=0,
                unpushed_commits=1,
                integrated=Integration.NO,
                committed_at=TIME,
            )
        ],
        "at_risk": True,
        "as_of": RemoteKnowledge(KnowledgeSource.FETCH, TIME),
        "observed_at": TIME,
    }
    return RepoStatus(**values | fields)


def a_checkout(path: str = "/home/ada/dev/engine", **fields: Any) -> Checkout:
    """A checkout with one remote, one root commit and one remote head."""
    values: dict[str, Any] = {
        "path": path,
        "remotes": [CheckoutRemote("origin", "https://git.example.org/ada/engine.git")],
        "root_commits": [commit("root")],
        "remote_heads": [RemoteHead("origin", "main", commit("base"))],
        "status": a_status(),
    }
    return Checkout(**values | fields)


def a_report(checkouts: Sequence[Checkout], sequence: int = 1) -> ReceivedReport:
    return ReceivedReport(sequence=sequence, checkouts=[_received(each) for each in checkouts])


def _received(checkout: Checkout) -> ReceivedCheckout:
    at_any_time = replace(checkout, status=replace(checkout.status, observed_at=TIME))
    digest = sha256(repr(at_any_time).encode("utf-8", "surrogatepass")).digest()
    return ReceivedCheckout(checkout.path, checkout.status.observed_at, digest, lambda: checkout)
