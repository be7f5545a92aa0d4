"""Mirrors are locked during a sync, and removed when they are unused or too large."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from symphony.domain.base import new_id
from symphony.domain.sync import SyncInProgress
from symphony.infrastructure.git.remotes.mirrors import Mirror, MirrorLimits, Mirrors
from symphony.infrastructure.git.remotes.remote_git import RemoteGit
from tests.support.repositories import USER, entries

REPO = new_id()


@pytest.mark.parametrize("is_created_again", [True, False])
def test_a_mirror_that_is_removed_before_it_is_locked_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_created_again: bool
) -> None:
    mirrors = Mirrors(tmp_path / "mirrors")
    directory, flock = mirrors.mirror(REPO).path, fcntl.flock

    def remove_first(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        directory.rmdir()
        if is_created_again:
            directory.mkdir()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with mirrors.lock(REPO) as mirror:
        assert mirror.objects.is_dir()
        with pytest.raises(SyncInProgress), mirrors.lock(REPO):
            pass


async def test_without_a_mirror_directory_nothing_is_left_when_the_service_stops(
    root: Path, temporary: Path, tmp_path: Path
) -> None:
    clone = Repository.with_commits(tmp_path / "served/engine", "file")
    remotes = RemoteGit([root], None, allow_private=True)
    with git_daemon(tmp_path / "served") as url:
        state = await remotes.sync(USER, REPO, str(clone.path), f"{url}/engine")
    assert set(state.branches) == {"main"}
    remotes.close()
    assert entries(temporary) == []


def test_unused_mirrors_are_removed_and_a_locked_one_is_kept(tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path / "mirrors")
    mirrors.remove_unused()  # before any exist
    recent, old, locked = new_id(), new_id(), new_id()
    for each in (recent, old):
        with mirrors.lock(each):
            pass
    with mirrors.lock(locked) as mirror:
        for each in (old, locked):
            long_ago = time.time() - 8 * 24 * 3600
            os.utime(mirror.path.with_name(str(each)), (long_ago, long_ago))
        mirrors.remove_unused()
        mirrors.remove(locked)
    assert {each.name for each in entries(tmp_path / "mirrors")} == {str(recent), str(locked)}
    mirrors.remove(locked)
    mirrors.remove(locked)
    assert {each.name for each in entries(tmp_path / "mirrors")} == {str(recent)}


def test_a_mirror_that_a_clock_used_in_the_future_grows_old_from_now_on(tmp_path: Path) -> None:
    mirrors, repo = Mirrors(tmp_path / "mirrors"), new_id()
    with mirrors.lock(repo) as mirror:
        pass
    future = time.time() + 365 * 24 * 3600
    os.utime(mirror.path, (future, future))
    mirrors.remove_unused()
    assert mirror.path.stat().st_mtime <= time.time()


def test_the_temporary_files_of_an_interrupted_fetch_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "mirrors" / str(REPO) / "objects/pack/tmp_pack_rest"
    with suppress(TimeoutError), Mirrors(tmp_path / "mirrors").lock(REPO):
        file.touch()
        raise TimeoutError
    assert not file.exists()


def test_while_all_mirrors_are_too_large_those_used_longest_ago_are_removed(
    tmp_path: Path,
) -> None:
    limits = MirrorLimits(max_total=3_000)
    one, other = (Mirrors(tmp_path / "mirrors", limits) for _ in range(2))  # of two processes
    repos = [new_id() for _ in range(6)]
    locked, oldest, second, *recent = repos

    def fetch(mirror: Mirror, size: int) -> None:
        (mirror.objects / "pack/fetched.pack").write_bytes(bytes(size))

    def kept() -> set[str]:
        return {each.name for each in entries(tmp_path / "mirrors")}

    with one.lock(locked) as mirror:
        fetch(mirror, 900)
        for each in (oldest, second, *recent[:-1]):
            with other.lock(each) as another:
                fetch(another, 900)
        assert kept() == {str(each) for each in (locked, second, *recent[:-1])}
        with one.lock(second) as again, suppress(TimeoutError):
            fetch(again, 2_000)  # and fails
            raise TimeoutError
        assert kept() == {str(each) for each in (locked, second, recent[1])}
    assert kept() == {str(each) for each in (locked, second)}
