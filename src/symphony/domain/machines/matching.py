"""Which repos a checkout belongs to: derived when it is asked, since repos come and go.

All repos and checkouts of a user are needed, also where only some are asked for: whether a root
commit tells repos apart depends on all of them.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from uuid import UUID

from symphony.domain.machines.checkouts import RepoIdentity, StoredCheckout

RepoIds = tuple[UUID, ...]

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
    3. It has no remotes, and the repo has its path, at which the server itself has read nothing.
    4. As the second rule, with the checkouts found by the third one as well.
    """
    by_remote = _by_remote(repos)
    matched = dict[UUID, RepoIds]()
    remaining = list[StoredCheckout]()
    owners = _RootOwners()
    for checkout in checkouts:
        found = _found(by_remote, checkout.remotes)
        if found:
            matched[checkout.id] = found
            owners.add(checkout, found)
        else:
            remaining.append(checkout)
    if not remaining:
        return matched
    remaining = _match_by_roots(remaining, owners, matched)
    by_path = _by_path(repos)
    unmatched = list[StoredCheckout]()
    for checkout in remaining:
        found = () if checkout.has_remotes else by_path.get(checkout.path, ())
        if found:
            matched[checkout.id] = found
            owners.add(checkout, found)
        else:
            unmatched.append(checkout)
    _match_by_roots(unmatched, owners, matched)
    return matched


def checkouts_by_repo(
    checkouts: Sequence[StoredCheckout], matched: Mapping[UUID, RepoIds], repo_ids: Container[UUID]
) -> Mapping[UUID, Sequence[StoredCheckout]]:
    """Return the checkouts of those of the repos that are asked for and have any.

    Beyond `MAX_MATCHES` the rest is left out: it would take long, and nobody has that many.
    """
    of_repos = defaultdict[UUID, list[StoredCheckout]](list)
    remaining = MAX_MATCHES
    for checkout in checkouts:
        found = matched.get(checkout.id, ())
        for repo_id in found[:remaining]:
            if repo_id in repo_ids:
                of_repos[repo_id].append(checkout)
        remaining -= len(found)
        if remaining <= 0:
            break
    return of_repos


class _RootOwners:
    """The repo to which each root commit leads; None when there are several."""

    def __init__(self) -> None:
        self._repos = dict[str, UUID | None]()

    def add(self, checkout: StoredCheckout, repo_ids: RepoIds) -> None:
        repos = self._repos
        for root in checkout.root_commits:
            for repo_id in repo_ids[:2]:  # two are as good as more
                if repos.setdefault(root, repo_id) != repo_id:
                    repos[root] = None

    def of(self, checkout: StoredCheckout) -> RepoIds:
        found = (self._repos.get(root) for root in checkout.root_commits)
        return tuple(dict.fromkeys(each for each in found if each is not None))


def _match_by_roots(
    checkouts: Iterable[StoredCheckout], owners: _RootOwners, matched: dict[UUID, RepoIds]
) -> list[StoredCheckout]:
    """Add the checkouts that have a root commit of one repo, and return the others."""
    others = list[StoredCheckout]()
    for checkout in checkouts:
        found = owners.of(checkout)
        if found:
            matched[checkout.id] = found
        else:
            others.append(checkout)
    return others


def _by_remote(repos: Sequence[RepoIdentity]) -> dict[str, RepoIds]:
    by_remote = defaultdict[str, list[UUID]](list)
    for repo in repos:
        if repo.remote is not None:
            by_remote[repo.remote].append(repo.id)
    return {remote: tuple(ids) for remote, ids in by_remote.items()}


def _by_path(repos: Sequence[RepoIdentity]) -> dict[str, RepoIds]:
    """Return the repos by path, without those whose directory the server has read, or whose path is
    relative to the home of the user of the server."""
    by_path = defaultdict[str, list[UUID]](list)
    for repo in repos:
        if not repo.is_read_here and not repo.path.startswith("~"):
            by_path[repo.path].append(repo.id)
    return {path: tuple(ids) for path, ids in by_path.items()}


def _found(by_remote: Mapping[str, RepoIds], remotes: Sequence[str]) -> RepoIds:
    if len(remotes) == 1:
        return by_remote.get(remotes[0], ())
    return tuple(dict.fromkeys(each for remote in remotes for each in by_remote.get(remote, ())))
