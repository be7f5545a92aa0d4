"""Looking has an end, whatever happens, and leaves nothing behind."""

import asyncio
import os
import shutil
import struct
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from symphony.application.ports import Overloaded
from symphony.domain.git import RepoState
from symphony.infrastructure.git.files import config
from symphony.infrastructure.git.process import program
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.status import inspector, local
from symphony.infrastructure.git.status.local import LocalGit
from tests.support import processes
from tests.support.repositories import USER, Repository, entries, git_runs, nothing_runs, running
from tests.support.server import until

LOOK = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.local import LocalGit
git = LocalGit([Path(sys.argv[1])])
print("looking", flush=True)
seen = asyncio.run(git.status(UUID(int=1), sys.argv[2]))
git.close()
print(seen.state, seen.untracked, seen.reason, sep="; ")
"""


@pytest.fixture
def repo(root: Path) -> Repository:
    repo = Repository.made(root / "repo")
    repo.commit()
    return repo


@pytest.fixture
def endless(repo: Repository) -> Repository:
    """One at which git waits for ever: it opens what it takes for a list."""
    os.mkfifo(repo.path / ".gitignore")
    return repo


async def test_what_takes_too_long_is_ended(
    endless: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "TIME_LIMIT", 0.5)
    seen = await git.status(USER, str(endless.path))
    assert seen.state == RepoState.ERROR
    assert seen.reason == "Reading it took longer than 0.5 seconds."
    await until(nothing_runs)


async def test_git_ends_when_nobody_waits_for_it_any_more(
    endless: Repository, git: LocalGit
) -> None:
    asked = asyncio.create_task(git.status(USER, str(endless.path)))
    await until(git_runs)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await until(nothing_runs)


async def test_what_git_has_begun_ends_with_it(
    repo: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    stand_in = tmp_path / "git"
    stand_in.write_text(f"#!/bin/sh\n/bin/sleep 600 &\necho $! > {begun}.new\n"
                        f"/bin/mv {begun}.new {begun}\nwait\n")  # fmt: skip
    stand_in.chmod(0o755)
    monkeypatch.setitem(program._ENVIRONMENT, "PATH", str(tmp_path))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a git that begins something
    asked = asyncio.create_task(git.status(USER, str(repo.path)))

    async def it_has_begun() -> bool:
        return begun.exists()

    await until(it_has_begun)
    helper = int(begun.read_text())
    asked.cancel()

    async def it_has_ended() -> bool:
        return processes.has_ended(helper)

    await until(it_has_ended)


async def test_only_so_many_look_at_once_and_who_gives_up_takes_no_turn(
    endless: Repository, git: LocalGit
) -> None:
    asked = [
        asyncio.create_task(git.status(USER, str(endless.path))) for _ in range(local.AT_ONCE * 3)
    ]
    await until(git_runs_as_often_as_it_may)
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    await until(nothing_runs)


async def git_runs_as_often_as_it_may() -> bool:
    assert len(running()) <= local.AT_ONCE
    return len(running()) == local.AT_ONCE


async def test_beyond_a_bound_nobody_may_join_the_line(
    endless: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MAX_WAITING", 1)
    first = asyncio.create_task(git.status(USER, str(endless.path)))
    await until(git_runs)
    with pytest.raises(Overloaded):
        await git.status(USER, str(endless.path))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await until(nothing_runs)


async def test_who_waits_when_the_service_stops_is_told_so(
    endless: Repository, root: Path, temporary: Path
) -> None:
    git = LocalGit([root])
    asked = asyncio.create_task(git.status(USER, str(endless.path)))
    await until(git_runs)
    git.close()
    assert running() == []
    assert entries(temporary) == []
    with pytest.raises(Overloaded):
        await asked


async def test_what_git_prints_has_a_bound(
    repo: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        repo.write(f"file-{number}")
    monkeypatch.setattr(program, "MAX_OUTPUT", 1000)
    seen = await git.status(USER, str(repo.path))
    assert (seen.state, seen.reason) == (RepoState.ERROR, "There is more to tell than 1,000 bytes.")
    assert running() == []


async def test_what_git_complains_of_does_not_stop_it(repo: Repository, git: LocalGit) -> None:
    repo.git("config", "core.autocrlf", "true")
    for number in range(2000):
        repo.write(f"file-{number:04}-{'x' * 100}", "line\n")
    repo.git("add", ".")
    for number in range(2000):
        repo.write(f"file-{number:04}-{'x' * 100}", "changed\n")
    assert (await git.status(USER, str(repo.path))).modified == 2000


async def test_many_looks_at_one_repository_do_not_disturb_each_other(
    repo: Repository, git: LocalGit
) -> None:
    repo.write("new")
    seen = await asyncio.gather(*(git.status(USER, str(repo.path)) for _ in range(20)))
    assert {(each.state, each.untracked) for each in seen} == {(RepoState.DIRTY, 1)}


async def test_without_git_it_is_told_that_there_is_none(
    repo: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(program._ENVIRONMENT, "PATH", str(tmp_path))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a machine without git
    seen = await git.status(USER, str(repo.path))
    assert seen.state == RepoState.ERROR
    assert seen.reason == "There is no git on the machine that runs this service."


async def test_a_configuration_that_says_one_thing_over_and_over_is_read_in_time(
    repo: Repository, git: LocalGit
) -> None:
    repo.write(".git/config", "[core]\n" + "bare\n" * 200_000)
    seen = await git.status(USER, str(repo.path))
    assert seen.reason == "It is a bare repository: there are no files to compare."


async def test_large_configurations_are_read_one_at_a_time_and_hold_up_no_small_one(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = (Repository.made(root / name) for name in ("large", "small"))
    large.write(".git/config", "[core]\n" + "bare\n" * 20_000)
    begun, end, read = list[int](), threading.Event(), config.settings

    def held(content: bytes) -> Iterator[tuple[str, str, str | None]]:
        if len(content) > 1000:
            begun.append(1)
            end.wait(60)
        return read(content)

    monkeypatch.setattr(config, "settings", held)
    asked = [asyncio.create_task(git.status(USER, str(large.path))) for _ in range(3)]

    async def one_has_begun() -> bool:
        return bool(begun)

    await until(one_has_begun)
    assert (await git.status(USER, str(small.path))).state == RepoState.CLEAN
    assert len(begun) == 1
    end.set()
    assert {each.state for each in await asyncio.gather(*asked)} == {RepoState.CLEAN}


LONG = "x" * 50_000


@pytest.mark.parametrize(
    ("config", "state"),
    [
        (f'[a "{LONG}"]\n' + "".join(f"b{number}\n" for number in range(5_000)), RepoState.CLEAN),
        (
            f'[branch "main"]\nremote = {LONG}\nmerge = refs/heads/main\n'
            f'[remote "{LONG}"]\n' + "fetch = a\n" * 5_000,
            RepoState.ERROR,
        ),
    ],
    ids=["settings", "refspecs"],
)
async def test_a_long_heading_takes_no_room_for_each_setting_below_it(
    config: str, state: RepoState, repo: Repository, git: LocalGit
) -> None:
    repo.write(".git/config", config)
    tracemalloc.start()
    seen = await git.status(USER, str(repo.path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * len(config) + (10 << 20)
    assert seen.state == state


async def test_what_claims_to_be_very_large_takes_no_memory(
    repo: Repository, git: LocalGit
) -> None:
    commit = "1" * 40
    repo.write(f".git/objects/{commit[:2]}/{commit[2:]}", zlib.compress(b"commit 1000000000\0"))
    repo.write(".git/refs/heads/main", commit)
    seen = await git.status(USER, str(repo.path))
    assert seen.state == RepoState.ERROR
    assert "over limit" in (seen.reason or "")


async def test_of_who_wrote_what_only_the_beginning_is_told(
    repo: Repository, git: LocalGit
) -> None:
    long = "x" * 100_000
    repo.git("commit", "--allow-empty", "--message", long, GIT_AUTHOR_NAME=long)
    head = (await git.status(USER, str(repo.path))).head
    assert head is not None
    assert (head.subject, head.author) == ("x" * 1000, "x" * 1000)


async def test_an_index_beside_very_many_shared_ones_is_looked_through_once(
    repo: Repository, git: LocalGit
) -> None:
    """It has no entries and one extension that nobody knows; as holes, its bytes take no room."""
    size = 64 << 20
    index = repo.write(".git/index", b"DIRC" + struct.pack(">IIII", 2, 0, 0x41414141, size))
    os.truncate(index, 12 + 8 + size + 20)
    for number in range(300):
        repo.write(f".git/sharedindex.{number + 1:040x}", "")
    assert (await git.status(USER, str(repo.path))).state == RepoState.DIRTY


async def test_what_is_copied_has_a_bound_for_submodules_within_each_other_and_not_side_by_side(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wide/a", "wide/b", "wide/c", "wide", "deep/a/b/c", "deep/a/b", "deep/a", "deep"):
        repository = Repository.made(root / name)
        repository.commit()
        repository.git("add", ".")
        index = repository.own / "index"
        extended = index.read_bytes()[:-20] + b"AAAA" + struct.pack(">I", 1000)
        index.write_bytes(extended)
        os.truncate(index, len(extended) + 1000 + 20)
    monkeypatch.setattr(inspector, "MAX_COPIED", 5_000)
    assert (await git.status(USER, str(root / "wide"))).state == RepoState.DIRTY
    assert (await git.status(USER, str(root / "deep/a"))).state == RepoState.DIRTY
    seen = await git.status(USER, str(root / "deep"))
    assert (seen.state, seen.reason) == (
        RepoState.ERROR,
        "In a submodule: There is more to copy of it than this service has room for.",
    )


async def test_only_one_shared_index_is_copied(repo: Repository, git: LocalGit) -> None:
    repo.git("update-index", "--split-index")
    (shared,) = repo.own.glob("sharedindex.*")
    other = repo.own / f"sharedindex.{'1' * 40}"
    shutil.copy(shared, other)
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN
    with (repo.own / "index").open("ab") as index:
        index.write(b"link" + struct.pack(">I", 20) + bytes.fromhex("1" * 40))
    seen = await git.status(USER, str(repo.path))
    assert seen.reason == "Its index is split from several others."


@pytest.mark.long
async def test_of_a_service_that_was_killed_git_ends_and_the_folder_goes_with_the_next_start(
    endless: Repository, temporary: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LOOK, str(endless.path), str(endless.path)),
        env={**os.environ, "TMPDIR": str(temporary)},
    )

    begun = list[psutil.Process]()

    async def looks_at_files() -> bool:
        begun[:] = processes.children(process.pid)
        return any("status" in processes.command_line(each) for each in begun)

    async def all_have_ended() -> bool:
        return all(processes.has_ended(each.pid) for each in begun)

    await until(looks_at_files)
    process.kill()
    await process.wait()
    await until(all_have_ended)
    assert len(entries(temporary)) == 1
    ServiceTemporaryDirectory().close()
    assert entries(temporary) == []


def test_what_may_not_be_read_is_told(root: Path, temporary: Path) -> None:
    """As root too: without its capabilities it is kept out by permissions like anybody else."""
    inner = Repository.made(root / "closed" / "repo")
    inner.commit()
    partly = Repository.made(root / "partly")
    partly.commit()
    partly.write("folder/new").parent.chmod(0)
    inner.path.parent.chmod(0)
    humbly = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []

    def look(path: Path) -> str:
        return subprocess.run(  # noqa: S603 - this Python
            [*humbly, sys.executable, "-c", LOOK, str(root), str(path)],
            env={**os.environ, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]

    try:
        assert look(inner.path) == "error; 0; It cannot be read: Permission denied."
        assert look(partly.path) == "clean; 0; None"  # as git itself, which only warns
    finally:
        inner.path.parent.chmod(0o755)
        (partly.path / "folder").chmod(0o755)
