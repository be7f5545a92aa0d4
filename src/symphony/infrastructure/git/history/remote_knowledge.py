"""What is known of the remotes: by the remote-tracking branches, and by the last sync."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from symphony.domain.base import utc_now
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.git.work import (
    Comparison,
    KnowledgeSource,
    RemoteHeads,
    RemoteKnowledge,
)
from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.files.upstream import upstream_ref
from symphony.infrastructure.git.history.commits import Reader, to_time
from symphony.infrastructure.git.history.own_remotes import own_remotes
from symphony.infrastructure.git.history.refs import Refs
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_HEADS, _REMOTES = "refs/heads/", "refs/remotes/"
_MAX_TARGETS = 3  # of a fork: its own, that of the project, one more
_USUAL_DEFAULTS = ("main", "master")


@dataclass(frozen=True, slots=True)
class Upstream:
    """The upstream of a branch: the full name of its local ref, and its commit, None when there is
    no such ref. The commit `is_absent` when only the last sync saw it: the repository lacks it."""

    ref: str
    id: str | None
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class Remotes:
    """`ids` are those of all remote-tracking branches, and of what the last sync saw and exists
    here: of tags in any case, of branches where this is newer. Without a remote in the
    configuration there are none.

    `targets` are the commits of the default branches of the remotes, as far as they are known:
    that of `origin` first.
    """

    ids: Collection[str]
    targets: Sequence[str]
    as_of: RemoteKnowledge | None
    _config: Config
    _refs: Refs
    _synced: RemoteHeads | None
    _synced_remote: str | None
    _existing: Collection[str]

    @property
    def is_synced(self) -> bool:
        """Whether the last sync is newer than the remote-tracking branches."""
        return self._synced is not None

    @property
    def comparison(self) -> Comparison | None:
        """The comparison that the last sync made, where this is newer."""
        return None if self._synced is None else self._synced.comparison

    def upstream(self, branch: str) -> Upstream | None:
        """Return the upstream of a branch; None when none is configured."""
        ref = upstream_ref(self._config, branch)
        if ref is None:
            return None
        if self._synced is not None:
            remote = self._config.last(f"branch.{branch}.remote")
            merge = self._config.first(f"branch.{branch}.merge") or ""
            seen = seen_commit(self._synced, merge.removeprefix(_HEADS))
            if seen is not None and remote == self._synced_remote:
                return Upstream(ref, seen, is_absent=seen not in self._existing)
        return Upstream(ref, self._refs.find(ref))


def read_remotes(reader: Reader, refs: Refs, synced: RemoteHeads | None) -> Remotes:
    """Return what is known of the remotes. Raises: Unreadable, Stopped, OutOfTime."""
    config = reader.private.config
    all_urls = dict(config.subsections("remote", "url"))
    own = own_remotes(reader.private.location, config) if all_urls else set[str]()
    urls = {name: url for name, url in all_urls.items() if name not in own}
    if not urls:
        return Remotes((), (), None, config, refs, None, None, ())
    of_others = _without(refs, config, own) if own else refs
    fetched_at = _fetched_at(reader.private, of_others)
    ids = set(of_others.remotes.values())
    defaults: dict[str, str | None] = {
        name: _tracked_default(of_others, name) for name in _in_order(urls)
    }
    if synced is None or (fetched_at is not None and synced.synced_at <= fetched_at):
        as_of = RemoteKnowledge(KnowledgeSource.FETCH, fetched_at)
        if synced is not None:  # no fetch says that a tag is at the remote
            ids |= reader.existing(set(synced.tags) - ids)
        return Remotes(ids, _known(defaults), as_of, config, refs, None, None, ())
    seen = {*synced.branches.values(), *synced.tags}
    existing = (seen & ids) | reader.existing(seen - ids)
    synced_remote = _remote_at(urls, synced.remote_url)
    if synced.default_branch is not None:
        now = seen_commit(synced, synced.default_branch)
        if now in existing:
            # Without this remote in the configuration, it is one more.
            defaults[synced_remote or ""] = now
    as_of = RemoteKnowledge(KnowledgeSource.SYNC, synced.synced_at)
    targets = _known(defaults)
    return Remotes(ids | existing, targets, as_of, config, refs, synced, synced_remote, existing)


def _without(refs: Refs, config: Config, own: Collection[str]) -> Refs:
    """Return the refs without the remote-tracking branches of some remotes."""
    targets = [f"{_REMOTES}{name}/*" for name in own] + [
        target
        for name in own
        for refspec in config.all(f"remote.{name}.fetch")
        if (target := refspec.partition(":")[2])
    ]
    prefixes = tuple(target.partition("*")[0] for target in targets)
    kept = {
        name: each
        for name, each in refs.remotes.items()
        if not f"{_REMOTES}{name}".startswith(prefixes)
    }
    return replace(refs, remotes=kept)


def seen_commit(synced: RemoteHeads, branch: str) -> str | None:
    """Return the commit of a branch of the remote; None when the sync saw no such branch."""
    branch = branch.removeprefix(_HEADS)
    return synced.branches.get(branch) or synced.branches.get(f"{_HEADS}{branch}")


def is_same_remote(configured: str, synced: str) -> bool:
    """Return whether an address of the configuration leads to the remote that was synced."""
    if synced in {configured, without_credentials(configured)}:
        return True
    normalized = normalized_remote(configured)
    return normalized is not None and normalized == normalized_remote(synced)


def _remote_at(urls: dict[str, str], synced: str) -> str | None:
    return next((name for name, url in urls.items() if is_same_remote(url, synced)), None)


def _in_order(urls: Iterable[str]) -> list[str]:
    """Return the remotes, whose default branches take up the work: mostly that of `origin`."""
    return sorted(urls, key=lambda name: name != "origin")


def _known(defaults: Mapping[str, str | None]) -> list[str]:
    found = dict.fromkeys(each for each in defaults.values() if each is not None)
    return list(found)[:_MAX_TARGETS]


def _tracked_default(refs: Refs, remote: str) -> str | None:
    """Return the id of the default branch of a remote, as the remote-tracking branches have it.

    A repository that was not cloned often does not record which one it is.
    """
    recorded = refs.remote_defaults.get(remote)
    names = [recorded] if recorded else [f"{remote}/{each}" for each in _USUAL_DEFAULTS]
    found = [refs.remotes[name] for name in names if name in refs.remotes]
    if not found:
        found = [each for name, each in refs.remotes.items() if name.startswith(f"{remote}/")]
        if len(found) > 1:
            return None
    return next(iter(found), None)


def _fetched_at(private: PrivateDirectory, refs: Refs) -> datetime | None:
    """Return when the remote-tracking branches were fetched; None when it is unknown.

    A fetch that fails leaves an empty FETCH_HEAD.
    """
    location = private.location
    times = [
        directory.modified_at("FETCH_HEAD")
        for directory in (location.git_directory, location.common_directory)
        if directory.size("FETCH_HEAD")
    ]
    if not any(times):
        times = [refs.remotes_modified_at]
        if refs.remotes and not any(times):
            times = [location.common_directory.modified_at("packed-refs")]
    newest = max((time for time in times if time is not None), default=None)
    if newest is None or (found := to_time(newest // 10**9)) is None:
        return None
    # A sync in the same second may be older.
    found = found.astimezone(UTC).replace(microsecond=newest // 1000 % 10**6)
    return None if found > utc_now() else found
