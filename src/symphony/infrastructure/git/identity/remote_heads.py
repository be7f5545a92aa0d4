"""The branches of the remotes of a repository, as far as the repository knows them."""

from collections.abc import Mapping, Sequence

from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.checkouts import MAX_REMOTE_HEADS, RemoteHead
from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.upstream import followed_branches
from symphony.infrastructure.git.history.own_remotes import own_remotes
from symphony.infrastructure.git.history.refs import Refs
from symphony.infrastructure.git.history.remote_knowledge import is_same_remote
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_HEADS = "refs/heads/"
_FIRST_REMOTE = "origin"
_FIRST_BRANCHES = ("main", "master")
_Branch = tuple[str, str]


def known_heads(
    private: PrivateDirectory, refs: Refs, synced: RemoteHeads | None
) -> Sequence[RemoteHead]:
    """Return the heads of the branches of the remotes, at most 2,000.

    They are those of the remote-tracking branches, and of what was `synced` for that remote. The
    upstream of the checked-out branch comes first, then `main` and `master`. A remote that is the
    repository itself has none: what it has is nowhere else.

    Raises: Unreadable, Stopped, OSError.
    """
    urls = dict(private.config.subsections("remote", "url"))
    own = own_remotes(private.location, private.config) if urls else set[str]()
    urls = {name: url for name, url in urls.items() if name not in own}
    asked = {
        name: synced
        for name, url in urls.items()
        if synced and is_same_remote(url, synced.remote_url)
    }
    heads = _tracked(private, refs, [name for name in urls if name not in asked])
    for name, seen in asked.items():
        heads |= {(name, each.removeprefix(_HEADS)): head for each, head in seen.branches.items()}
    upstream = _upstream(private.config, private.branch)
    ordered = sorted(heads, key=lambda branch: (branch != upstream, _rank(branch), branch))
    return [
        RemoteHead(printable(remote), printable(branch), heads[remote, branch])
        for remote, branch in ordered[:MAX_REMOTE_HEADS]
    ]


def remote_to_ask(config: Config, branch: str | None) -> str | None:
    """Return the address, as it is configured, of the remote that says most about a branch.

    None without a remote.
    """
    urls: Mapping[str, str] = dict(config.subsections("remote", "url"))
    of_branch = None if branch is None else config.last(f"branch.{branch}.remote")
    names = (of_branch or "", _FIRST_REMOTE, *urls)
    return next((urls[name] for name in names if name in urls), None)


def _tracked(private: PrivateDirectory, refs: Refs, remotes: Sequence[str]) -> dict[_Branch, str]:
    heads = dict[_Branch, str]()
    for name, head in refs.remotes.items():
        private.program.check_stopped()
        if name.endswith("/HEAD") and name.removesuffix("/HEAD") in refs.remote_defaults:
            continue
        for remote, branch in followed_branches(private.config, remotes, name):
            if branch is not None:
                heads[remote, branch] = head
    return heads


def _upstream(config: Config, branch: str | None) -> _Branch | None:
    if branch is None:
        return None
    remote = config.last(f"branch.{branch}.remote") or ""
    return remote, (config.first(f"branch.{branch}.merge") or "").removeprefix(_HEADS)


def _rank(branch: _Branch) -> tuple[bool, bool]:
    remote, name = branch
    return name not in _FIRST_BRANCHES, remote != _FIRST_REMOTE
