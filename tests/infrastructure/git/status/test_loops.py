"""Loops over what a repository contains: each stops with its inspection, and has a limit."""

import asyncio
import threading
import tracemalloc
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.discovery.walk import Walk
from symphony.infrastructure.git.files import config_files, objects
from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.config_files import Values, read_values
from symphony.infrastructure.git.files.stopping import Stopped, StopSignal
from symphony.infrastructure.git.files.untrusted_directory import CopyBudget, UntrustedDirectory
from symphony.infrastructure.git.process import copies
from symphony.infrastructure.git.status import submodules
from symphony.infrastructure.git.status.index import IndexCheck
from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.git.status.porcelain import parse_porcelain
from tests.support.repositories import USER, opened

MANY = 5000


def list_entries(directory: UntrustedDirectory, target: Path) -> None:
    for number in range(2000):
        (directory.path / str(number)).touch()
    list(directory.entries())


def read_settings(directory: UntrustedDirectory, target: Path) -> None:
    (directory.path / "config").write_text("[a]\n" + "b\n" * MANY)
    read_values(directory, "config")


def copy_a_file(directory: UntrustedDirectory, target: Path) -> None:
    (directory.path / "file").write_bytes(b"x" * (3 << 20))
    directory.copy("file", target / "file", 1 << 30, CopyBudget(1 << 30))


def search_an_index(directory: UntrustedDirectory, target: Path) -> None:
    (directory.path / f"sharedindex.{'1' * 40}").touch()
    (directory.path / "index").write_bytes(b"x" * (3 << 20))
    copies.copy_index(directory, target, CopyBudget(1 << 30))


def read_the_output_of_git(directory: UntrustedDirectory, target: Path) -> None:
    parse_porcelain(b"? a\0" * MANY, directory.check_stopped)


def check_what_is_left_out(directory: UntrustedDirectory, target: Path) -> None:
    entries = (f"S 100644 1 0\t{number:05}/a\0".encode() for number in range(MANY))
    IndexCheck(directory).consume(b"".join(entries))


@pytest.mark.parametrize(
    "loop",
    [
        list_entries,
        read_settings,
        copy_a_file,
        search_an_index,
        read_the_output_of_git,
        check_what_is_left_out,
    ],
)
def test_a_loop_stops_while_it_runs(
    loop: Callable[[UntrustedDirectory, Path], None], root: Path, outside: Path
) -> None:
    checks = 0

    def stop_at_the_second() -> None:
        nonlocal checks
        checks += 1
        if checks == 2:
            raise Stopped

    with opened(root) as directory:
        directory.check_stopped = stop_at_the_second
        checks = 0
        with pytest.raises(Stopped):
            loop(directory, outside)


def test_what_waits_for_the_turn_of_a_large_configuration_stops(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "config").write_text("[a]\n" + "b\n" * (1 << 16))
    lock = threading.Lock()
    monkeypatch.setattr(config_files, "_large_config_lock", lock)
    signal = StopSignal()
    with lock, opened(root, signal.check) as directory:
        signal.stop()
        with pytest.raises(Stopped):
            read_values(directory, "config")


async def test_an_inspection_that_nobody_waits_for_inspects_no_further_submodule(
    repo: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},sub{number}")
    inspected, has_stopped = list[str](), threading.Event()

    def slow(_: object, __: UntrustedDirectory, path: str, *rest: object) -> None:
        inspected.append(path)
        has_stopped.wait(60)

    monkeypatch.setattr(submodules, "_add", slow)
    task = asyncio.create_task(git.status(USER, str(repo.path)))

    async def one_is_inspected() -> bool:
        return inspected == ["sub0"]

    async def the_thread_has_ended() -> bool:
        return "git" not in {each.name for each in threading.enumerate()}

    await until(one_is_inspected)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    has_stopped.set()
    await until(the_thread_has_ended)
    assert inspected == ["sub0"]


async def test_alternates_are_counted_before_any_of_them_is_searched(
    root: Path, git: LocalGit
) -> None:
    repo = Repository.created(root / "repo")
    lines = "".join(f"{root}/nothing-{number}\n" for number in range(51))
    repo.write(".git/objects/info/alternates", lines)
    status = await git.status(USER, str(repo.path))
    assert status.state == RepoState.ERROR
    assert status.reason == "The repository has more than 50 object directories."
    repo.write(".git/objects/info/alternates", lines.removesuffix(f"{root}/nothing-50\n"))
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN


async def test_the_files_beside_each_other_that_git_reads_have_a_limit(
    repo: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_MAX_SHARED_INDEXES", 3)
    for number in range(4):
        repo.write(f".git/sharedindex.{number:040x}", "")
    status = await git.status(USER, str(repo.path))
    assert status.reason == "The git directory has more than 3 shared indexes."
    monkeypatch.setattr(objects, "_MAX_ENTRIES", 10)
    for number in range(20):
        repo.write(f".git/objects/pack/{number}", "")
    status = await git.status(USER, str(repo.path))
    assert status.reason == "An object directory has more than 10 entries."


def test_of_a_directory_with_very_many_directories_few_names_are_kept_in_memory(
    root: Path,
) -> None:
    names = [f"{number:03}-{'x' * 240}" for number in range(1000)]
    for name in names:
        (root / name).mkdir()
    (root / names[0] / ".git").mkdir()
    (root / names[2] / ".git").mkdir()
    (root / names[3] / ".git").mkdir()
    visited = list[str]()
    walk = Walk(1, inf, max_directories=4)
    with opened(root) as top:
        tracemalloc.start()
        walk.run(top, lambda directory: visited.append(directory.path.name) is None)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert visited == [names[0], names[2]]
    assert walk.truncated
    assert most < 100_000


def test_a_setting_is_found_beside_very_many_in_a_section_with_a_long_name() -> None:
    long = "x" * 1000
    values: Values = {(f"remote.{long}", f"a{number}"): ("b",) for number in range(10)}
    values |= {
        (f"remote.{long}", "url"): ("first", "last"),
        ("remote.", "url"): ("none",),
        ("remote", "url"): ("none",),
        ("remotes.a", "url"): ("none",),
    }
    assert list(Config(values).subsections("remote", "url")) == [(long, "first")]
