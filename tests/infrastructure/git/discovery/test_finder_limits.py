"""A search stops in time, and reports when it is truncated."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.ports import Overloaded
from symphony.domain.discovery import RepoKind
from symphony.infrastructure.git.discovery import finder as finder_module
from symphony.infrastructure.git.discovery.classification import classify
from symphony.infrastructure.git.discovery.finder import LocalFinder, SearchLimits
from symphony.infrastructure.git.discovery.walk import Clock, Walk
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from tests.support.repositories import USER, opened

pytestmark = pytest.mark.long

SCRIPT = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.discovery.finder import LocalFinder

root = Path(sys.argv[1])
finder = LocalFinder([root])
search = asyncio.run(finder.find(UUID(int=1), str(root), 9, []))
finder.close()
for each in search.found:
    print(Path(each.path).name, each.reason, sep="; ")
"""
NewFinder = Callable[[SearchLimits], LocalFinder]


@pytest.fixture
def new_finder(root: Path) -> Iterator[NewFinder]:
    """Creates finders with other limits."""
    created: list[LocalFinder] = []

    def create(limits: SearchLimits) -> LocalFinder:
        created.append(LocalFinder([root], limits))
        return created[-1]

    yield create
    for finder in created:
        finder.close()


@pytest.fixture
def disk_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """An event until which the disk does not answer; then it has no repositories."""
    event = Event()

    def classify(*_: object) -> None:
        event.wait()

    monkeypatch.setattr(finder_module, "classify", classify)
    yield event
    event.set()


async def names(finder: LocalFinder, root: Path) -> tuple[list[str], bool]:
    search = await finder.find(USER, str(root), 9, [])
    return [Path(each.path).name for each in search.found], search.truncated


def ticking(start: int = 0) -> Clock:
    """Return a clock that advances by a second whenever it is read."""
    seconds = count(start)
    return lambda: next(seconds)


async def test_of_too_many_repositories_the_first_are_returned(
    root: Path, new_finder: NewFinder
) -> None:
    for name in "abc":
        Repository.created(root / name)
    finder = new_finder(SearchLimits(max_found=3))
    assert await names(finder, root) == (["a", "b", "c"], False)
    finder = new_finder(SearchLimits(max_found=2))
    assert await names(finder, root) == (["a", "b"], True)


async def test_of_too_many_directories_the_upper_ones_are_visited(
    root: Path, new_finder: NewFinder
) -> None:
    for name in ("a/deep", "a/deep/er", "b", "c"):
        Repository.created(root / name)
    finder = new_finder(SearchLimits(max_directories=6))
    assert await names(finder, root) == (["deep", "er", "b", "c"], False)
    finder = new_finder(SearchLimits(max_directories=4))
    assert await names(finder, root) == (["b", "c"], True)


async def test_after_the_search_time_the_search_returns_what_it_has_found(root: Path) -> None:
    for name in "abc":
        Repository.created(root / name)
    # The clock is read before the search, then before and in each directory: the last time in c.
    finder = LocalFinder([root], SearchLimits(search_time=8), clock=ticking())
    assert await names(finder, root) == (["a", "b"], True)
    finder.close()


def test_the_deadline_is_checked_in_a_directory_with_very_many_files(root: Path) -> None:
    for number in range(2500):
        (root / str(number)).touch()
    # The clock is read before the directory, then with every thousandth of its files.
    for seconds, truncated in ((3, True), (4, False)):
        walk = Walk(9, seconds, clock=ticking(1))
        with opened(root) as top:
            walk.run(top, lambda _: True)
        assert walk.truncated == truncated


async def test_a_disk_that_does_not_answer_delays_a_search_up_to_the_time_limit(
    root: Path, new_finder: NewFinder, disk_answers: Event
) -> None:
    Repository.created(root / "engine")
    finder = new_finder(SearchLimits(time_limit=0.2))
    with pytest.raises(Overloaded):
        await names(finder, root)
    disk_answers.set()

    async def is_free() -> bool:
        try:
            return await names(finder, root) == ([], False)
        except Overloaded:
            return False

    await until(is_free)


async def test_a_full_queue_is_overloaded(
    root: Path, new_finder: NewFinder, disk_answers: Event
) -> None:
    Repository.created(root / "engine")
    finder = new_finder(SearchLimits(max_queued=3))
    tasks = [asyncio.create_task(names(finder, root)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await names(finder, root)
    disk_answers.set()
    assert await asyncio.gather(*tasks) == [([], False)] * 3


async def test_a_search_that_waits_too_long_in_the_queue_is_overloaded(
    root: Path, new_finder: NewFinder
) -> None:
    with pytest.raises(Overloaded):
        await names(new_finder(SearchLimits(search_time=-1)), root)


async def test_a_search_stops_when_its_caller_is_cancelled(
    root: Path, new_finder: NewFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        Repository.created(root / str(number))
    started, resume, classified = Event(), Event(), list[UntrustedDirectory]()

    def classify(directory: UntrustedDirectory, _: object) -> None:
        classified.append(directory)
        started.set()
        resume.wait()

    monkeypatch.setattr(finder_module, "classify", classify)
    finder = new_finder(SearchLimits())
    task = asyncio.create_task(names(finder, root))

    async def has_started() -> bool:
        return started.is_set()

    await until(has_started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    resume.set()
    finder.close()  # waits for the thread
    assert len(classified) == 1


def test_a_symbolic_link_that_replaces_a_directory_during_the_walk_is_not_followed(
    root: Path, outside: Path
) -> None:
    for path in (root / "a", root / "b/inner", outside / "inner"):
        Repository.created(path)
    visited = list[str]()

    def visit(directory: UntrustedDirectory) -> bool:
        visited.append(str(directory.path.relative_to(root)))
        if directory.path.name == "a":
            (root / "b").rename(root / "was")
            (root / "b").symlink_to(outside)
        return True

    walk = Walk(9, time.monotonic() + 1000)
    with opened(root) as top:
        walk.run(top, visit)
    assert visited == ["a"]
    assert not walk.truncated


def test_what_the_service_may_not_read_is_skipped_or_has_a_reason(root: Path) -> None:
    """Root ignores permissions, so as root the search runs without its capabilities."""
    Repository.created(root / "closed/engine")
    Repository.created(root / "config")
    Repository.created(root / "git")
    Repository.created(root / "open")
    closed = [root / "closed", root / "config/.git/config", root / "git/.git"]
    for each in closed:
        each.chmod(0)
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    try:
        output = subprocess.run(  # noqa: S603 - this Python
            [*drop, sys.executable, "-c", SCRIPT, str(root)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    finally:
        for each in closed:
            each.chmod(0o755)
    reason = "The repository cannot be read: Permission denied."
    assert output == [f"config; {reason}", f"git; {reason}", "open; None"]


def test_a_git_directory_in_many_others_is_classified_in_time(root: Path) -> None:
    """Each `modules` above it may be that of a superproject; each takes a walk from the root."""
    deep = root.joinpath(*["modules"] * 200, "submodule")
    for name in ("objects", "refs"):
        (deep / name).mkdir(parents=True)
    (deep / "HEAD").write_text("ref: refs/heads/main\n")
    (root / "repo").mkdir()
    (root / "repo/.git").write_text(f"gitdir: {deep}\n")
    checks = count()

    def check_stopped() -> None:
        next(checks)

    with (
        GitRoots([root]).opened(check_stopped) as roots,
        roots.open(root / "repo", "The directory") as directory,
    ):
        found = classify(directory, roots)
    assert found is not None
    assert found.kind == RepoKind.REPOSITORY
    assert next(checks) < 50
