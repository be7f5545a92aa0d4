"""The upstream of a branch, according to the configuration of the repository."""

from collections.abc import Collection, Iterable, Iterator

from symphony.infrastructure.git.files.config import Config

_HEADS, _REMOTES = "refs/heads/", "refs/remotes/"


def tracking_settings(config: Config, branch: str | None) -> Iterator[tuple[str, str]]:
    """Yield the settings that git needs to find the upstream of a branch."""
    remote, merge = _upstream(config, branch)
    if remote is None or merge is None:
        return
    yield f"branch.{branch}.remote", remote
    yield f"branch.{branch}.merge", merge
    fetch = f"remote.{remote}.fetch"
    for refspec in config.all(fetch):
        yield fetch, refspec


def upstream_ref(config: Config, branch: str | None) -> str | None:
    """Return the local ref of the branch's upstream (git-fetch(1), "refspec")."""
    remote, merge = _upstream(config, branch)
    ref = None
    if remote is not None and merge is not None:
        refspecs = config.all(f"remote.{remote}.fetch")
        ref = merge if remote == "." else _map(merge, refspecs)
    return ref if ref is not None and ref.startswith("refs/") else None


def tracked_refs(config: Config, remote: str, ref: str) -> list[str]:
    """Return the refs of a remote that a local ref may follow."""
    refspecs = config.all(f"remote.{remote}.fetch")
    halves = (each.removeprefix("+").partition(":") for each in refspecs)
    mapped = [_map(ref, [f"{target}:{source}"]) for source, _, target in halves if target]
    return [each for each in mapped if each is not None]


def followed_branches(
    config: Config, remotes: Collection[str], name: str
) -> set[tuple[str, str | None]]:
    """Return the remotes that a remote-tracking branch may be of, and the branches there; None for
    a ref that is no branch, such as one of a pull request.

    `name` is without `refs/remotes/`.
    """
    return set(_each_followed(config, remotes, name))


def _each_followed(
    config: Config, remotes: Collection[str], name: str
) -> Iterator[tuple[str, str | None]]:
    for remote in remotes:
        followed = tracked_refs(config, remote, _REMOTES + name)
        for ref in followed:
            is_branch = ref.startswith(_HEADS)
            yield remote, ref.removeprefix(_HEADS) if is_branch else None
        if not followed and name.startswith(f"{remote}/"):
            yield remote, name.removeprefix(f"{remote}/")


def _upstream(config: Config, branch: str | None) -> tuple[str | None, str | None]:
    return config.last(f"branch.{branch}.remote"), config.first(f"branch.{branch}.merge")


def _map(ref: str, refspecs: Iterable[str]) -> str | None:
    for refspec in refspecs:
        source, _, target = refspec.removeprefix("+").partition(":")
        if not target:
            continue  # the ref is fetched, but not stored
        prefix, star, suffix = source.partition("*")
        if not star and source == ref:
            return target
        if star and ref.startswith(prefix) and ref.endswith(suffix):
            return target.replace("*", ref[len(prefix) : len(ref) - len(suffix)], 1)
    return None
