"""The checkouts of this machine: found below the roots, and inspected as the server does it."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.client.errors import ClientError
from symphony.client.reporting.asked_remotes import ask
from symphony.console.usage import quoted
from symphony.domain.base import utc_now
from symphony.domain.errors import Invalid
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.checkouts import MAX_CHECKOUTS, Checkout, CheckoutRemote
from symphony.infrastructure.git.confinement.landlock import detect_landlock
from symphony.infrastructure.git.confinement.root_owners import others_who_may_write
from symphony.infrastructure.git.discovery.finder import LocalFinder, SearchLimits
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.user_config import (
    UserConfig,
    UserConfigUnusable,
    read_user_config,
)
from symphony.infrastructure.git.history.memory import Memories
from symphony.infrastructure.git.identity.identity import RepositoryIdentity
from symphony.infrastructure.git.process.machine_memory import machine_memory
from symphony.infrastructure.git.status.local_git import InspectionLimits, LocalGit

T = TypeVar("T")
_USER = UUID(int=0)  # all work is for one user
_MAX_DEPTH = 50  # directories
_SEARCH = SearchLimits(
    search_time=300,
    time_limit=330,
    max_found=2 * MAX_CHECKOUTS,  # so that the message says how many there are
    max_directories=250_000,
    skipped=("node_modules",),  # of packages: most directories of many home directories
)
_NARROWER = "Name fewer or smaller directories with --root."
_NOT_STARTED = "The inspection was not started: those of other repositories do not finish."


def real_roots(given: Sequence[Path]) -> Sequence[Path]:
    """Return the directories without links, each once. Raises: ClientError."""
    roots = list(dict.fromkeys(Path(os.path.realpath(each)) for each in given))
    for root in roots:
        if not os.path.isdir(root):  # false for a name that is too long, too
            raise ClientError(
                f"{quoted(str(root))} is not a directory. Nothing was reported: the repositories in"
                " it would disappear from the board."
            )
    if detect_landlock() is None:
        for root in roots:
            if (others := others_who_may_write(root)) is not None:
                raise ClientError(
                    f"{others}, and this system cannot keep git inside a directory (Landlock)."
                    " Take that right away, or name another --root."
                )
    return roots


async def find_repositories(roots: Sequence[Path]) -> Sequence[str]:
    """Return the paths of all git repositories in and below the roots. Raises: ClientError."""
    finder = LocalFinder(roots, _SEARCH)
    found = set[str]()
    try:
        for root in roots:
            found.update(await _found_below(root, finder))
    finally:
        finder.close()
    return sorted(found)


async def _found_below(root: Path, finder: LocalFinder) -> Sequence[str]:
    """Raises: ClientError."""
    try:
        result = await finder.find(_USER, str(root), _MAX_DEPTH, ())
    except Invalid as invalid:
        raise ClientError(f"{str(root)!r}: {invalid.errors[0].detail}") from None
    except Overloaded:
        raise ClientError(f"The disk of {str(root)!r} does not answer.") from None
    if result.truncated:
        raise ClientError(
            f"{str(root)!r} contains more than {_SEARCH.max_found:,} repositories or"
            f" {_SEARCH.max_directories:,} directories, or cannot be searched in"
            f" {_SEARCH.search_time:g} seconds. Nothing was reported. {_NARROWER}"
        )
    return [each.path for each in result.found]


async def inspect_all(
    roots: Sequence[Path],
    paths: Sequence[str],
    memories: Memories,
    *,
    fetch_state: bool = False,
) -> Sequence[Checkout]:
    """Inspect the repositories, in the order of their paths. Raises: ClientError.

    With `fetch_state`, the remote of each repository is asked which branches it has.
    """
    # Twice as many as cores, as on the server: the threads of this process take turns, and while
    # git runs for one of them, another one goes on.
    limits = InspectionLimits(time_limit=30).within(machine_memory() // 2)
    git = LocalGit(roots, limits, user_config=_user_config(), memories=memories)
    try:
        seen: Mapping[str, RemoteHeads] = {}
        if fetch_state:
            seen = await _asked(git, paths, limits.concurrency_per_user)

        async def inspect(path: str) -> Checkout:
            try:
                found = await git.identified_status(_USER, path, seen.get(path))
            except Overloaded:
                found = _not_started(), RepositoryIdentity()
            return _checkout(path, *found)

        checkouts = await _in_parallel(paths, inspect, limits.concurrency_per_user)
    finally:
        git.close()
    return _with_different_paths(checkouts)


def _user_config() -> UserConfig:
    """Raises: ClientError."""
    try:
        return read_user_config()
    except UserConfigUnusable as unusable:
        raise ClientError(
            f"Your git configuration cannot be used: {unusable}. Nothing was reported."
        ) from None


async def _asked(
    git: LocalGit, paths: Sequence[str], concurrency: int
) -> Mapping[str, RemoteHeads]:
    """Return what the remotes have, by the path of the repository; without those that fail."""

    async def address(path: str) -> str | None:
        try:
            return await git.remote_address(_USER, path)
        except Overloaded:
            return None

    addresses = await _in_parallel(paths, address, concurrency)
    answers = await ask({each for each in addresses if each is not None})
    return {
        path: answers[url]
        for path, url in zip(paths, addresses, strict=True)
        if url is not None and url in answers
    }


async def _in_parallel(
    paths: Sequence[str], work: Callable[[str], Awaitable[T]], concurrency: int
) -> Sequence[T]:
    results = dict[str, T]()
    remaining: Iterator[str] = iter(paths)

    async def each() -> None:
        for path in remaining:
            results[path] = await work(path)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(each())
    return [results[path] for path in paths]


def _checkout(path: str, status: RepoStatus, identity: RepositoryIdentity) -> Checkout:
    return Checkout(
        path=printable(path),
        remotes=[CheckoutRemote(name, url) for name, url in status.remotes.items()],
        root_commits=identity.root_commits,
        remote_heads=identity.remote_heads,
        status=status,
    )


def _with_different_paths(checkouts: Sequence[Checkout]) -> Sequence[Checkout]:
    """Number the paths that are equal as text: they differ in bytes that are none."""
    counts = Counter[str]()
    numbered = list[Checkout]()
    for each in checkouts:
        counts[each.path] += 1
        number = counts[each.path]
        path = each.path if number == 1 else f"{each.path} ({number})"
        numbered.append(replace(each, path=path))
    return numbered


def _not_started() -> RepoStatus:
    return RepoStatus(state=RepoState.ERROR, reason=_NOT_STARTED, observed_at=utc_now())
