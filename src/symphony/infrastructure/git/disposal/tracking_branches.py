"""Remote-tracking branches, compared with what the last sync saw of their remote."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from symphony.domain.base import utc_now
from symphony.domain.git.work import RemoteHeads
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.files.upstream import followed_branches
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.history.refs import Refs
from symphony.infrastructure.git.history.remote_knowledge import is_same_remote, seen_commit

_REMOTES = "refs/remotes/"


@dataclass(frozen=True, slots=True)
class TrackingBranches:
    """`outdated` differ from what the last sync saw, and were not updated since. `foreign` are of
    no remote that is configured. `reason` says why the sync could not be compared."""

    outdated: list[str] = field(default_factory=list[str])
    foreign: list[str] = field(default_factory=list[str])
    reason: str | None = None


def compare_with_sync(reader: Reader, refs: Refs, synced: RemoteHeads | None) -> TrackingBranches:
    """Compare the branches of the synced remote.

    A branch that the remote no longer has proves nothing any more. It is harmless when branches
    that the remote still has reach all of its commits, as after a merge.

    Raises: Unreadable, Stopped, OutOfTime.
    """
    config = reader.private.config
    urls = dict(config.subsections("remote", "url"))
    if not urls:
        return TrackingBranches()  # git cannot update them, so they count as no proof of anything
    tracked = {
        name: followed_branches(config, urls, name)
        for name in refs.remotes
        if not (name.endswith("/HEAD") and name.removesuffix("/HEAD") in refs.remote_defaults)
    }
    foreign = sorted(name for name, followed in tracked.items() if not followed)
    if synced is None:
        return TrackingBranches(foreign=foreign)
    if not synced.is_complete:
        reason = "The remote has too many branches to store what the last sync saw of them."
        return TrackingBranches(foreign=foreign, reason=reason)
    remotes = _synced_remotes(urls, synced.remote_url)
    if not remotes:
        return TrackingBranches(foreign=foreign, reason="The last sync saw another remote.")
    common = reader.private.location.common_directory
    outdated, deleted, confirmed = list[str](), list[str](), set[str]()
    for name, followed in tracked.items():
        common.check_stopped()
        branches = {branch for remote, branch in followed if remote in remotes}
        if not branches or None in branches:
            continue  # of another remote, or of no branch, of which a sync says nothing
        seen = {seen_commit(synced, branch) for branch in branches if branch is not None}
        if seen == {refs.remotes[name]} or _is_newer(common, name, synced.synced_at):
            confirmed.add(refs.remotes[name])
        elif seen == {None}:
            deleted.append(name)
        else:
            outdated.append(name)
    lost = _not_reached({refs.remotes[name] for name in deleted}, confirmed, reader)
    outdated += deleted if lost else []
    return TrackingBranches(sorted(outdated), foreign)


def _synced_remotes(urls: Mapping[str, str], synced_url: str) -> set[str]:
    found = {name for name, url in urls.items() if is_same_remote(url, synced_url)}
    # A URL may be abbreviated by the user's own configuration (`url.<base>.insteadOf`).
    return found or (set(urls) if len(urls) == 1 else set())


def _is_newer(common: UntrustedDirectory, name: str, synced_at: datetime) -> bool:
    """Return whether a fetch or push has updated the branch after the sync.

    In `packed-refs` the time of a branch is not recorded.
    """
    modified = common.modified_at(_REMOTES + name)
    return modified is not None and _nanoseconds(synced_at) < modified <= _nanoseconds(utc_now())


def _nanoseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000) * 1_000


def _not_reached(tips: Collection[str], confirmed: Collection[str], reader: Reader) -> bool:
    """Return whether the tips reach a commit that the others do not."""
    existing = reader.existing(tips)
    if not existing:
        return False
    commits = reader.reached(existing, reader.existing(confirmed), limit=1)
    return commits is None or bool(commits)
