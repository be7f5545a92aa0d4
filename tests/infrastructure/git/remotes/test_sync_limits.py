"""Asking a remote has an end, whatever it does, and leaves nothing behind."""

import asyncio
import errno
import fcntl
import os
import re
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from symphony.application.ports import Overloaded
from symphony.domain.base import new_id
from symphony.domain.sync import RemoteFailed, RemoteTimeout, SyncInProgress
from symphony.infrastructure.git.process import program
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.remotes import mirrors, remote
from symphony.infrastructure.git.remotes.mirrors import Mirror, Mirrors
from symphony.infrastructure.git.remotes.remote import RemoteGit
from tests.support import processes
from tests.support.remotes import Listener, asking, git_daemon, http_server, refusal
from tests.support.repositories import USER, Repository, entries
from tests.support.server import until

SYNC = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.remote_git import RemoteGit
remotes = RemoteGit([Path(sys.argv[1])], Path(sys.argv[2]), allow_private=True)
asyncio.run(remotes.sync(UUID(int=1), UUID(sys.argv[3]), sys.argv[1], sys.argv[4]))
"""
REPO = new_id()


@pytest.fixture
def silent() -> Generator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


async def nobody_asks() -> bool:
    return asking() == []


async def one_asks() -> bool:
    return asking() != []


@pytest.mark.parametrize("scheme", ["git", "http", "https", "ssh"])
async def test_a_remote_that_says_nothing_is_given_up(
    scheme: str, silent: Listener, remotes: RemoteGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.create_task(
        remotes.sync(USER, REPO, "/none", f"{scheme}://127.0.0.1:{silent.port}/engine")
    )

    async def is_called() -> bool:
        return silent.calls > 0

    monkeypatch.setattr(remote, "TIME_LIMIT", 1)
    await until(is_called)
    with pytest.raises(RemoteTimeout):
        await asked
    await until(nobody_asks)


async def test_what_outlives_git_is_ended_and_gives_the_mirror_back(
    remotes: RemoteGit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that talks nonsense, so that git gives up, and then keeps ssh waiting."""
    mark = tmp_path / "begun"
    stand_in = tmp_path / "programs/ssh"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!/bin/sh\necho $$ > {mark}\necho nonsense\nexec sleep 600 >&-\n")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:/usr/bin:/bin"
    monkeypatch.setitem(program._ENVIRONMENT, "PATH", path)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - with another ssh
    monkeypatch.setattr(remote, "TIME_LIMIT", 1)
    with pytest.raises(RemoteTimeout):
        await remotes.sync(USER, REPO, "/none", "git@127.0.0.1:engine")
    helper = int(mark.read_text())

    async def it_has_ended() -> bool:
        return processes.has_ended(helper)

    await until(it_has_ended)
    await until(partial(is_free, tmp_path / "mirrors"))


async def is_free(mirrors: Path) -> bool:
    try:
        with Mirrors(mirrors).held(REPO):
            return True
    except SyncInProgress:
        return False


async def test_git_ends_when_nobody_waits_any_more_and_gives_the_mirror_back(
    silent: Listener, remotes: RemoteGit, tmp_path: Path
) -> None:
    address = f"git://127.0.0.1:{silent.port}/engine"
    asked = asyncio.create_task(remotes.sync(USER, REPO, "/none", address))
    await until(one_asks)
    with pytest.raises(SyncInProgress):
        await remotes.sync(USER, REPO, "/none", address)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await until(nobody_asks)
    await until(partial(is_free, tmp_path / "mirrors"))


async def test_who_waits_when_the_service_stops_is_told_to_come_back(
    silent: Listener, root: Path, temporary: Path, tmp_path: Path
) -> None:
    remotes = RemoteGit([root], tmp_path / "mirrors", allow_private=True)
    asked = asyncio.create_task(
        remotes.sync(USER, REPO, "/none", f"git://127.0.0.1:{silent.port}/engine")
    )
    await until(one_asks)
    remotes.close()
    assert asking() == []
    assert entries(temporary) == []
    with pytest.raises(Overloaded):
        await asked


async def test_a_look_up_that_never_ends_holds_nobody_up(
    root: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def never(_: str) -> list[str]:
        loop.call_soon_threadsafe(begun.set)
        end.wait(60)
        return ["192.0.2.1"]

    monkeypatch.setattr(remote, "TIME_LIMIT", 0.2)
    remotes = RemoteGit([root], tmp_path / "mirrors", allow_private=False, look_up=never)
    with pytest.raises(RemoteTimeout):
        await remotes.sync(USER, REPO, "/none", "https://git.example.org/engine")
    assert begun.is_set()
    remotes.close()
    end.set()
    assert entries(temporary) == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (302, "It redirects to another address, which is not followed."),
        (401, "It needs credentials, and none are sent."),
        (403, "It needs credentials, and none are sent."),
        (404, "There is no repository at its address."),
        (500, "It failed: unable to access …: The requested URL returned error: 500."),
    ],
)
async def test_a_refusal_is_told_in_words_and_nobody_else_is_called(
    status: int, told: str, silent: Listener, remotes: RemoteGit
) -> None:
    elsewhere = f"http://127.0.0.1:{silent.port}/engine/info/refs?service=git-upload-pack"
    answer = refusal(status, location=elsewhere, www_authenticate='Basic realm="s3cret"')
    with http_server(answer) as address, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{address}/engine")
    assert failed.value.detail == told
    assert silent.calls == 0
    assert asking() == []


async def test_what_kind_of_failure_it_was_is_told_without_addresses(
    remotes: RemoteGit, tmp_path: Path
) -> None:
    (tmp_path / "served").mkdir()
    with git_daemon(tmp_path / "served") as address, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{address}/s3cret")
    assert "127.0.0.1" not in failed.value.detail
    assert "s3cret" not in failed.value.detail
    assert str(tmp_path) not in failed.value.detail
    assert failed.value.detail.startswith("It failed: ")


@pytest.mark.parametrize("scheme", ["git", "ssh", "http"])
async def test_a_connection_that_is_refused_is_told_as_such(
    scheme: str, remotes: RemoteGit
) -> None:
    login = "git@" if scheme == "ssh" else ""
    with pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{scheme}://{login}127.0.0.1:1/engine")
    assert re.search("Connection refused|Couldn't connect to server", failed.value.detail)


async def test_of_a_long_complaint_the_beginning_is_told_in_time(
    remotes: RemoteGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def complain(request: BaseHTTPRequestHandler) -> None:
        content = b"fatal: " + b"a" * 60_000
        request.send_response(500)
        request.send_header("content-type", "text/plain")
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    monkeypatch.setattr(remote, "TIME_LIMIT", 10)
    with http_server(complain) as address, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{address}/engine")
    assert failed.value.detail == f"It failed: {'a' * 200}."


async def test_a_git_that_would_look_names_up_once_more_is_not_used(
    remotes: RemoteGit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.36.9\n")
    old.chmod(0o755)
    monkeypatch.setitem(program._ENVIRONMENT, "PATH", f"{tmp_path}")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - another git
    with pytest.raises(RemoteFailed, match=r"The git of this service is older than 2\.37\."):
        await remotes.sync(USER, REPO, "/none", "git://127.0.0.1:1/engine")


async def test_a_folder_that_cannot_be_written_is_told(
    root: Path, temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    remotes = RemoteGit([root], tmp_path / "file" / "mirrors", allow_private=True)
    with pytest.raises(RemoteFailed, match="This service cannot keep what it fetches: Not a dir"):
        await remotes.sync(USER, REPO, "/none", "git://127.0.0.1:1/engine")
    remotes.close()


async def test_a_lock_that_cannot_be_had_is_no_other_sync(
    remotes: RemoteGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RemoteFailed, match="cannot keep what it fetches: No locks available"):
        await remotes.sync(USER, REPO, "/none", "git://127.0.0.1:1/engine")
    monkeypatch.undo()


@pytest.mark.parametrize("is_made_anew", [True, False])
def test_a_mirror_that_is_swept_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_made_anew: bool
) -> None:
    mirrors = Mirrors(tmp_path / "mirrors")
    folder, flock = mirrors.of(REPO).path, fcntl.flock

    def swept(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        folder.rmdir()
        if is_made_anew:
            folder.mkdir()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", swept)
    with mirrors.held(REPO) as mirror:
        assert mirror.objects.is_dir()
        with pytest.raises(SyncInProgress), mirrors.held(REPO):
            pass


async def test_without_a_folder_of_its_own_nothing_stays(
    root: Path, temporary: Path, tmp_path: Path
) -> None:
    clone = Repository.made(tmp_path / "served/engine")
    clone.commit()
    remotes = RemoteGit([root], None, allow_private=True)
    with git_daemon(tmp_path / "served") as address:
        found = await remotes.sync(USER, REPO, str(clone.path), f"{address}/engine")
    assert set(found.branches) == {"main"}
    remotes.close()
    assert entries(temporary) == []


@pytest.mark.long
async def test_after_a_kill_in_the_middle_the_next_sync_works(
    silent: Listener, remotes: RemoteGit, root: Path, temporary: Path, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SYNC, str(root), str(tmp_path / "mirrors"), str(REPO)),
        f"git://127.0.0.1:{silent.port}/engine",
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    await until(one_asks)
    left = processes.children(process.pid)
    with pytest.raises(SyncInProgress):  # another process has it
        await remotes.sync(USER, REPO, "/none", f"git://127.0.0.1:{silent.port}/engine")
    process.kill()
    await process.wait()
    Repository.made(tmp_path / "served/engine").commit()
    with git_daemon(tmp_path / "served") as address:
        found = await remotes.sync(USER, REPO, "/none", f"{address}/engine")
    assert set(found.branches) == {"main"}

    async def all_have_ended() -> bool:  # though the remote says nothing still
        return all(processes.has_ended(each.pid) for each in left)

    await until(all_have_ended)
    assert len(entries(temporary)) == 2
    ServiceTemporaryDirectory().close()  # as the next start does
    assert len(entries(temporary)) == 1


def test_mirrors_that_nobody_uses_go_and_one_in_use_stays(tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path / "mirrors")
    mirrors.sweep()  # before there are any
    recent, old, used = new_id(), new_id(), new_id()
    for each in (recent, old):
        with mirrors.held(each):
            pass
    with mirrors.held(used) as mirror:
        for each in (old, used):
            long_ago = time.time() - 8 * 24 * 3600
            os.utime(mirror.path.with_name(str(each)), (long_ago, long_ago))
        mirrors.sweep()
        mirrors.remove(used)
    assert {each.name for each in entries(tmp_path / "mirrors")} == {str(recent), str(used)}
    mirrors.remove(used)
    mirrors.remove(used)
    assert {each.name for each in entries(tmp_path / "mirrors")} == {str(recent)}


def test_what_a_fetch_that_was_cut_off_has_left_goes_with_it(tmp_path: Path) -> None:
    rest = tmp_path / "mirrors" / str(REPO) / "objects/pack/tmp_pack_rest"
    with suppress(TimeoutError), Mirrors(tmp_path / "mirrors").held(REPO):
        rest.touch()
        raise TimeoutError
    assert not rest.exists()


def test_of_mirrors_that_are_too_large_together_those_used_longest_ago_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (Mirrors(tmp_path / "mirrors") for _ in range(2))  # of two processes
    monkeypatch.setattr(mirrors, "MAX_TOTAL", 3_000)
    repos = [new_id() for _ in range(6)]
    in_use, oldest, second, *recent = repos

    def fetch(mirror: Mirror, size: int) -> None:
        (mirror.objects / "pack/fetched.pack").write_bytes(bytes(size))

    def kept() -> set[str]:
        return {each.name for each in entries(tmp_path / "mirrors")}

    with one.held(in_use) as mirror:
        fetch(mirror, 900)
        for each in (oldest, second, *recent[:-1]):
            with other.held(each) as another:
                fetch(another, 900)
        assert kept() == {str(each) for each in (in_use, second, *recent[:-1])}
        with one.held(second) as again, suppress(TimeoutError):
            fetch(again, 2_000)  # and fails
            raise TimeoutError
        assert kept() == {str(each) for each in (in_use, second, recent[1])}
    assert kept() == {str(each) for each in (in_use, second)}
