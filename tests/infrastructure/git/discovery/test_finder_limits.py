"""A search has an end, whatever it meets, and says when there was more."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from symphony.application.ports import Overloaded
from symphony.infrastructure.git.discovery import finder as limits
from symphony.infrastructure.git.discovery import walk
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.discovery.walk import Walk
from tests.support.repositories import USER, Repository
from tests.support.server import until

SEARCH = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.finder import LocalFinder
root = Path(sys.argv[1])
finder = LocalFinder([root])
search = asyncio.run(finder.find(UUID(int=1), str(root), 9, []))
finder.close()
for each in search.found:
    print(Path(each.path).name, each.reason, sep="; ")
"""


@pytest.fixture
def finder(root: Path) -> Iterator[LocalFinder]:
    finder = LocalFinder([root])
    yield finder
    finder.close()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """A disk that does not answer until this is set."""
    held = Event()

    def wait(*_: object) -> None:
        held.wait()

    monkeypatch.setattr(limits, "classify", wait)
    yield held
    held.set()


async def names(finder: LocalFinder, root: Path) -> tuple[list[str], bool]:
    search = await finder.find(USER, str(root), 9, [])
    return [Path(each.path).name for each in search.found], search.truncated


async def test_of_too_many_repositories_the_first_are_told(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        Repository.made(root / name)
    monkeypatch.setattr(limits, "MAX_FOUND", 3)
    assert await names(finder, root) == (["a", "b", "c"], False)
    monkeypatch.setattr(limits, "MAX_FOUND", 2)
    assert await names(finder, root) == (["a", "b"], True)


async def test_of_too_many_folders_the_upper_ones_are_visited(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/deep", "a/deep/er", "b", "c"):
        Repository.made(root / name)
    monkeypatch.setattr(walk, "MAX_FOLDERS", 6)
    assert await names(finder, root) == (["deep", "er", "b", "c"], False)
    monkeypatch.setattr(walk, "MAX_FOLDERS", 4)
    assert await names(finder, root) == (["b", "c"], True)


async def test_when_the_time_is_over_it_tells_what_it_has_found(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        Repository.made(root / name)
    clock = count()
    for module in (limits, walk):  # not that of the event loop
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(limits, "SEARCH_LIMIT", 8)
    # Looked at before the search, then before and in each folder: the last time in c.
    assert await names(finder, root) == (["a", "b"], True)


@pytest.mark.parametrize(("seconds", "truncated"), [(3, True), (4, False)])
def test_a_folder_with_very_many_files_is_read_no_longer_than_there_is_time(
    seconds: int, root: Path, monkeypatch: pytest.MonkeyPatch, *, truncated: bool
) -> None:
    for number in range(2500):
        (root / str(number)).touch()
    clock = count(1)
    # Looked at before the folder, and then with every thousandth of its files.
    monkeypatch.setattr(walk, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    limited = Walk(9, seconds)
    limited.through(root, lambda _: True)
    assert limited.truncated == truncated


async def test_a_disk_that_does_not_answer_holds_up_nobody_for_ever(
    root: Path, finder: LocalFinder, held: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.made(root / "engine")
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.2)
    with pytest.raises(Overloaded):
        await names(finder, root)
    held.set()
    assert await names(finder, root) == ([], False)


async def test_beyond_a_bound_nobody_may_join_the_line(
    root: Path, finder: LocalFinder, held: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.made(root / "engine")
    monkeypatch.setattr(limits, "MAX_WAITING", 3)
    asked = [asyncio.create_task(names(finder, root)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await names(finder, root)
    held.set()
    assert await asyncio.gather(*asked) == [([], False)] * 3


async def test_who_has_waited_too_long_for_a_turn_is_told_to_come_back(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_LIMIT", -1)
    with pytest.raises(Overloaded):
        await names(finder, root)


async def test_the_search_ends_when_nobody_waits_for_it_any_more(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        Repository.made(root / str(number))
    begun, go_on, looks = Event(), Event(), list[Path]()

    def look(folder: Path, _: object) -> None:
        looks.append(folder)
        begun.set()
        go_on.wait()

    monkeypatch.setattr(limits, "classify", look)
    asked = asyncio.create_task(names(finder, root))

    async def has_begun() -> bool:
        return begun.is_set()

    await until(has_begun)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    go_on.set()
    finder.close()  # which waits for the thread
    assert len(looks) == 1


def test_a_link_put_in_the_place_of_a_folder_meanwhile_is_not_followed(
    root: Path, outside: Path
) -> None:
    for place in (root / "a", root / "b/inner", outside / "inner"):
        Repository.made(place)
    seen = list[str]()

    def look(folder: Path) -> bool:
        seen.append(str(folder.relative_to(root)))
        if folder.name == "a":
            (root / "b").rename(root / "was")
            (root / "b").symlink_to(outside)
        return True

    careful = Walk(9, time.monotonic() + 1000)
    careful.through(root, look)
    assert seen == ["a"]
    assert not careful.truncated


def test_what_may_not_be_read_is_passed_over_or_told(root: Path) -> None:
    """As root too: without its capabilities it is kept out by permissions like anybody else."""
    Repository.made(root / "closed/engine")
    Repository.made(root / "config")
    Repository.made(root / "git")
    Repository.made(root / "open")
    closed = [root / "closed", root / "config/.git/config", root / "git/.git"]
    for each in closed:
        each.chmod(0)
    humbly = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    try:
        told = subprocess.run(  # noqa: S603 - this Python
            [*humbly, sys.executable, "-c", SEARCH, str(root)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    finally:
        for each in closed:
            each.chmod(0o755)
    cannot = "It cannot be read: Permission denied."
    assert told == [f"config; {cannot}", f"git; {cannot}", "open; None"]
