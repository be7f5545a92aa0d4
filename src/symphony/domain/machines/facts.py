"""The facts of a checkout that are stored when it is reported, and what it knows of its remotes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from symphony.domain.git.facts import RepoFacts, places_of, read_facts
from symphony.domain.git.reasons import repo_reasons
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.git.work import KnowledgeSource
from symphony.domain.json_objects import compact
from symphony.domain.machines.checkouts import Checkout, ReceivedReport
from symphony.domain.machines.server_times import at_server_times

_USUAL_DEFAULTS = {"main", "master"}
_MAX_KNOWN = 20
_MAX_FORMER = 5


@dataclass(frozen=True, slots=True)
class RemoteBranch:
    """A branch of a remote, whose address is normalized."""

    remote: str
    name: str


@dataclass(frozen=True, slots=True)
class KnownHead:
    """The commit of a remote's branch, as a machine knows it.

    The machine learned it between `not_before` and `not_after` by the clock of the server;
    `not_before` is None when that is unknown. `former` are the commits that it knew before, the
    latest first.
    """

    head: str
    not_before: datetime | None
    not_after: datetime
    former: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutFacts:
    """What the board needs of a checkout.

    `head` is the checked-out commit, `upstream` the branch of a remote that the checked-out branch
    follows; None without one. `known` has this one, and `main` and `master` of each remote.
    """

    repo: RepoFacts
    head: str | None
    upstream: RemoteBranch | None
    known: dict[RemoteBranch, KnownHead]

    @property
    def needs_attention(self) -> bool:
        """Whether it has a reason for attention, whatever is known elsewhere."""
        return bool(repo_reasons(self.repo, None))

    @property
    def known_heads(self) -> str:
        """A text which is equal for checkouts that know the same of the same branches."""
        return "\n".join(
            f"{each.remote} {each.name} {known.head}"
            for each, known in sorted(self.known.items(), key=lambda item: _key(item[0]))
        )

    def to_text(self) -> str:
        """The text from which `read` restores the facts."""
        upstream, times = self.upstream, self.repo.times_to_json()
        return compact(
            {
                "repo": self.repo.to_json(),
                **({"since": times} if times else {}),
                "head": self.head,
                "upstream": None if upstream is None else [upstream.remote, upstream.name],
                "known": [
                    [
                        branch.remote,
                        branch.name,
                        known.head,
                        known.not_before and known.not_before.isoformat(),
                        known.not_after.isoformat(),
                        list(known.former),
                    ]
                    for branch, known in self.known.items()
                ],
            }
        )

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Restore the facts; None if another version of the service wrote the text."""
        written: dict[str, Any] = json.loads(text)
        facts = read_facts(written["repo"], written.get("since"))
        if facts is None:
            return None
        upstream = written["upstream"]
        return cls(
            repo=RepoFacts(**facts),
            head=written["head"],
            upstream=None if upstream is None else RemoteBranch(*upstream),
            known={
                RemoteBranch(remote, name): KnownHead(
                    head,
                    not_before and datetime.fromisoformat(not_before),
                    datetime.fromisoformat(not_after),
                    tuple(former),
                )
                for remote, name, head, not_before, not_after, former in written["known"]
            },
        )


@dataclass(frozen=True, slots=True)
class Previous:
    """The facts of the checkout at the same path in the previous report, and its arrival."""

    facts: CheckoutFacts
    received_at: datetime


def clock_difference(report: ReceivedReport, received_at: datetime) -> timedelta:
    """How much is added to times of a machine to get those of the server, at most: a report was
    made before it arrived. Zero without checkouts."""
    return (
        received_at - max(each.observed_at for each in report.checkouts)
        if report.checkouts
        else timedelta()
    )


def checkout_facts(
    checkout: Checkout,
    received_at: datetime,
    difference: timedelta,
    previous: Previous | None = None,
) -> CheckoutFacts:
    """Derive the facts of a checkout that arrived at a time of the server.

    `difference` is the `clock_difference` of the report.
    """
    status = at_server_times(checkout.status, received_at, difference)
    derived = replace(
        status,
        places=places_of(status.work),
        is_behind=bool(status.behind),
        remotes={each.name: each.url for each in checkout.remotes} or status.remotes,
    )
    upstream = _upstream(checkout)
    return CheckoutFacts(
        repo=RepoFacts.of(derived),
        head=status.head and status.head.id,
        upstream=upstream,
        known=_known(checkout, upstream, received_at, difference, previous),
    )


def normalized_remotes(checkout: Checkout) -> tuple[str, ...]:
    """The remotes in the form in which they are compared, without those that have no host."""
    found = (normalized_remote(each.url) for each in checkout.remotes)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _known(
    checkout: Checkout,
    upstream: RemoteBranch | None,
    received_at: datetime,
    difference: timedelta,
    previous: Previous | None,
) -> dict[RemoteBranch, KnownHead]:
    remotes = {each.name: normalized_remote(each.url) for each in checkout.remotes}
    # A fetch is of one remote: with several, it is unknown of which.
    fetched_at = _fetched_at(checkout, received_at, difference) if len(remotes) == 1 else None
    known = dict[RemoteBranch, KnownHead]()
    for each in checkout.remote_heads:
        remote = remotes.get(each.remote)
        if remote is None:
            continue
        branch = RemoteBranch(remote, each.branch)
        if branch != upstream and (each.branch not in _USUAL_DEFAULTS or len(known) >= _MAX_KNOWN):
            continue
        before = None if previous is None else previous.facts.known.get(branch)
        if before is None or previous is None:
            known[branch] = KnownHead(each.head, fetched_at, received_at)
        elif before.head == each.head:
            known[branch] = before
        else:
            former = dict.fromkeys([before.head, *before.former])
            known[branch] = KnownHead(
                each.head, previous.received_at, received_at, tuple(former)[:_MAX_FORMER]
            )
    return known


def _fetched_at(
    checkout: Checkout, received_at: datetime, difference: timedelta
) -> datetime | None:
    known = checkout.status.as_of
    if known is None or known.at is None or known.source != KnowledgeSource.FETCH:
        return None
    try:
        return min(known.at + difference, received_at)
    except OverflowError:
        return None


def _upstream(checkout: Checkout) -> RemoteBranch | None:
    """Return the upstream; the name of a remote can contain slashes."""
    name = checkout.status.upstream
    if name is None:
        return None
    for each in sorted(checkout.remotes, key=lambda each: -len(each.name)):
        if name.startswith(f"{each.name}/"):
            remote = normalized_remote(each.url)
            branch = name.removeprefix(f"{each.name}/")
            return None if remote is None else RemoteBranch(remote, branch)
    return None


def _key(branch: RemoteBranch) -> tuple[str, str]:
    return branch.remote, branch.name
