"""Which repos a checkout belongs to: derived when it is asked, since repos come and go.

All repos and checkouts of a user are needed, also where only some are asked for: whether a root
commit tells repos apart depends on all of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from symphony.domain.machines.checkouts import RepoIdentity, StoredCheckout

RepoIds = tuple[UUID, ...]
_Positions = tuple[int, ...]
"""Those of repos in their list: ids are hashed by Python code, which takes most of the time."""

MAX_MATCHES = 100_000
"""Of all checkouts of a user: as many as there can be checkouts, in two repos each."""


def match_checkouts(
    repos: Sequence[RepoIdentity], checkouts: Sequence[StoredCheckout]
) -> Mapping[UUID, RepoIds]:
    """Return the ids of the repos of each checkout, by its id; one that matches none has no entry.

    A checkout belongs to all repos that the first of these rules finds:

    1. The remote of the repo is one of its remotes.
    2. A root commit of it is one of a checkout found by the first rule. A root commit of several
       repos finds none.
    3. It has no remotes with a host, and the repo has its path, at which the server itself has read
       nothing. A remote that is a directory is of one machine, and says nothing on another.
    4. As the second rule, with the checkouts found by the third one as well.
    """
    matched = _matched(repos, checkouts)
    # Checkouts with the same remote share them: there may be many of both.
    ids = {id(found): tuple(repos[each].id for each in found) for found in _distinct(matched)}
    return {
        checkout.id: ids[id(found)]
        for checkout, found in zip(checkouts, matched, strict=True)
        if found
    }


class MatchedRepo(NamedTuple):
    """The checkouts that belong to a repo.

    `needs_attention`: one has a reason for attention, whatever is known elsewhere, or they know
    different commits of a remote's branches, so that one may be behind.
    """

    remote: str | None
    checkouts: Sequence[StoredCheckout]
    needs_attention: bool


def matched_repos(
    repos: Sequence[RepoIdentity], checkouts: Sequence[StoredCheckout]
) -> Mapping[UUID, MatchedRepo]:
    """Return the repos that have checkouts, by their ids.

    Beyond `MAX_MATCHES` the rest is left out: it would take long, and nobody has that many.
    """
    of_repos = defaultdict[int, list[StoredCheckout]](list)
    remaining = MAX_MATCHES
    for checkout, found in zip(checkouts, _matched(repos, checkouts), strict=True):
        for each in found[:remaining]:
            of_repos[each].append(checkout)
        remaining -= len(found)
        if remaining <= 0:
            break
    return {
        repos[position].id: MatchedRepo(repos[position].remote, found, _needs_attention(found))
        for position, found in of_repos.items()
    }


def _needs_attention(checkouts: Sequence[StoredCheckout]) -> bool:
    known = checkouts[0].known_heads
    return any(each.needs_attention or each.known_heads != known for each in checkouts)


def _matched(
    repos: Sequence[RepoIdentity], checkouts: Sequence[StoredCheckout]
) -> Sequence[_Positions]:
    """Return the repos of each checkout."""
    by_remote = _by_remote(repos)
    matched = list[_Positions]()
    remaining = list[int]()
    owners = _RootOwners()
    for number, checkout in enumerate(checkouts):
        found = _found(by_remote, checkout.remotes)
        matched.append(found)
        if found:
            owners.add(checkout, found)
        else:
            remaining.append(number)
    if not remaining:
        return matched
    remaining = _match_by_roots(remaining, checkouts, owners, matched)
    by_path = _by_path(repos)
    unmatched = list[int]()
    for number in remaining:
        checkout = checkouts[number]
        found = () if checkout.remotes else by_path.get(checkout.path, ())
        if found:
            matched[number] = found
            owners.add(checkout, found)
        else:
            unmatched.append(number)
    _match_by_roots(unmatched, checkouts, owners, matched)
    return matched


def _distinct(matched: Sequence[_Positions]) -> Iterable[_Positions]:
    return {id(found): found for found in matched}.values()


class _RootOwners:
    """The repo to which each root commit leads; None when there are several."""

    def __init__(self) -> None:
        self._repos = dict[str, int | None]()

    def add(self, checkout: StoredCheckout, found: _Positions) -> None:
        repos = self._repos
        for root in checkout.root_commits:
            for position in found[:2]:  # two are as good as more
                if repos.setdefault(root, position) != position:
                    repos[root] = None

    def of(self, checkout: StoredCheckout) -> _Positions:
        found = (self._repos.get(root) for root in checkout.root_commits)
        return tuple(dict.fromkeys(each for each in found if each is not None))


def _match_by_roots(
    numbers: Iterable[int],
    checkouts: Sequence[StoredCheckout],
    owners: _RootOwners,
    matched: list[_Positions],
) -> list[int]:
    """Set the repos of checkouts that have a root commit of one repo, and return the others."""
    others = list[int]()
    for number in numbers:
        matched[number] = owners.of(checkouts[number])
        if not matched[number]:
            others.append(number)
    return others


def _by_remote(repos: Sequence[RepoIdentity]) -> dict[str, _Positions]:
    by_remote = defaultdict[str, list[int]](list)
    for position, repo in enumerate(repos):
        if repo.remote is not None:
            by_remote[repo.remote].append(position)
    return {remote: tuple(found) for remote, found in by_remote.items()}


def _by_path(repos: Sequence[RepoIdentity]) -> dict[str, _Positions]:
    """Return the repos by path, without those whose directory the server has read, or whose path is
    relative to the home of the user of the server."""
    by_path = defaultdict[str, list[int]](list)
    for position, repo in enumerate(repos):
        if not repo.is_read_here and not repo.path.startswith("~"):
            by_path[repo.path].append(position)
    return {path: tuple(found) for path, found in by_path.items()}


def _found(by_remote: Mapping[str, _Positions], remotes: Sequence[str]) -> _Positions:
    if len(remotes) == 1:
        return by_remote.get(remotes[0], ())
    return tuple(dict.fromkeys(each for remote in remotes for each in by_remote.get(remote, ())))
