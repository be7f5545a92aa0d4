"""A failed sync has a reason without addresses, paths and names."""

import errno
import fcntl
import os
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from symphony.domain.base import new_id
from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.remotes.messages import REASONS
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from tests.infrastructure.git.factories import NewRemotes
from tests.support.remotes import (
    Listener,
    answering_server,
    http_server,
    refusal,
    sync_processes,
)
from tests.support.repositories import USER

REPO = new_id()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, "The remote redirects to another address, which is not followed."),
        (401, "The remote requires credentials, and this service sends none."),
        (403, "The remote requires credentials, and this service sends none."),
        (404, "The remote has no repository at this address."),
        (410, "The remote has no repository at this address."),
        (418, "The remote refuses the request."),
        (429, "The remote receives too many requests; retry later."),
        (500, "The remote answers with a server error."),
    ],
)
async def test_a_refusal_has_a_reason_and_no_other_address_is_contacted(
    status: int, reason: str, silent: Listener, remotes: RemoteGit
) -> None:
    elsewhere = f"http://127.0.0.1:{silent.port}/engine/info/refs?service=git-upload-pack"
    answer = refusal(status, location=elsewhere, www_authenticate='Basic realm="s3cret"')
    with http_server(answer) as url, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{url}/engine")
    assert failed.value.detail == reason
    assert silent.connections == 0
    assert sync_processes() == []


async def test_the_reason_of_git_is_without_addresses_and_paths(
    remotes: RemoteGit, tmp_path: Path
) -> None:
    (tmp_path / "served").mkdir()
    with git_daemon(tmp_path / "served") as url, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{url}/s3cret")
    assert "127.0.0.1" not in failed.value.detail
    assert "s3cret" not in failed.value.detail
    assert str(tmp_path) not in failed.value.detail
    assert failed.value.detail == "The remote has no repository at this address."


@pytest.mark.parametrize("scheme", ["git", "ssh", "http"])
async def test_a_refused_connection_is_reported(scheme: str, remotes: RemoteGit) -> None:
    login = "git@" if scheme == "ssh" else ""
    with pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{scheme}://{login}127.0.0.1:1/engine")
    assert failed.value.detail == "Connection refused: the remote has no server at this port."


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        ("git", b"+OK s3cret ready\r\n"),
        ("git", b"SSH-2.0-s3cret\r\n"),
        ("git", b"0011ERR s3cret\n\n0000"),
        ("git", b"0014version 2 s3cret0000"),
        ("git", b"ffffs3cret"),
        ("git", b""),
        ("ssh", b"220 s3cret ESMTP\r\n"),
        ("ssh", b"SSH-1.0-s3cret\r\n"),
        ("http", b"220 s3cret ESMTP\r\n"),
        ("http", b"HTTP/1.1 500 s3cret\r\ncontent-length: 6\r\n\r\ns3cret"),
        ("http", b"HTTP/1.1 200 OK\r\nx: s3cret\r\ncontent-length: 90\r\n\r\ns3cret"),
        (
            "http",
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\n"
            b"content-length: 10\r\n\r\n000as3cret",
        ),
        ("https", b"220 s3cret ESMTP\r\n"),
    ],
)
async def test_a_reason_contains_nothing_that_the_remote_has_sent(
    scheme: str, sent: bytes, remotes: RemoteGit
) -> None:
    """A user could have the service read another server, and would be shown what it says."""
    login = "git@" if scheme == "ssh" else ""
    with answering_server(sent) as port, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{scheme}://{login}127.0.0.1:{port}/engine")
    assert failed.value.detail in REASONS
    assert "s3cret" not in failed.value.detail


async def test_a_long_message_of_a_remote_is_cut_in_time(new_remotes: NewRemotes) -> None:
    def send_long_message(request: BaseHTTPRequestHandler) -> None:
        content = b"fatal: " + b"a" * 60_000
        request.send_response(500)
        request.send_header("content-type", "text/plain")
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    remotes = new_remotes(SyncLimits(time_limit=10))
    with http_server(send_long_message) as url, pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, REPO, "/none", f"{url}/engine")
    assert failed.value.detail == "The remote answers with a server error."


async def test_a_git_that_would_resolve_host_names_again_is_not_used(
    new_remotes: NewRemotes, tmp_path: Path
) -> None:
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.36.9\n")
    old.chmod(0o755)
    remotes = new_remotes(SyncLimits(program=ProgramOptions(search_path=str(tmp_path))))
    with pytest.raises(RemoteFailed, match=r"The git of this service is older than 2\.37\."):
        await remotes.sync(USER, REPO, "/none", "git://127.0.0.1:1/engine")


async def test_a_mirror_directory_that_cannot_be_written_is_reported(
    root: Path, temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    remotes = RemoteGit([root], tmp_path / "file" / "mirrors", allow_private=True)
    with pytest.raises(RemoteFailed, match="The service cannot store what it fetches: Not a dir"):
        await remotes.sync(USER, REPO, "/none", "git://127.0.0.1:1/engine")
    remotes.close()


async def test_a_file_system_without_locks_is_reported_and_is_not_another_sync(
    remotes: RemoteGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_directory: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RemoteFailed, match="cannot store what it fetches: No locks available"):
        await remotes.sync(USER, REPO, "/none", "git://127.0.0.1:1/engine")
    monkeypatch.undo()
