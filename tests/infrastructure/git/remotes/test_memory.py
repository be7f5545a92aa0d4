"""A sync with limited memory, whatever the remote sends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from itertools import count

import pytest

from scripts.support.polling import until
from symphony.domain.base import new_id
from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.process.resource_limits import ResourceLimits
from symphony.infrastructure.git.remotes.remote_git import SyncLimits
from tests.infrastructure.git.factories import NewRemotes
from tests.support.remotes import http_server, no_sync_runs
from tests.support.repositories import USER


def limited(mebibytes: int) -> tuple[SyncLimits, str]:
    """Limits with this much memory, and the reason of a sync that exceeds it."""
    options = ProgramOptions(limits=ResourceLimits(memory=mebibytes << 20))
    reason = f"git needs more than {mebibytes} MiB of memory. Use git itself for this repository."
    return SyncLimits(program=options), reason


def packet(line: bytes) -> bytes:
    """A line of git's protocol (gitprotocol-common(5), "pkt-line")."""
    return b"%04x" % (len(line) + 4) + line


def endless_refs() -> Iterator[bytes]:
    """Yield a list of branches, in chunks, that has no end."""
    for chunk in count():
        yield b"".join(
            packet(b"%040x refs/heads/%07d%s\n" % (number + 1, number, b"x" * 900))
            for number in range(chunk * 1000, chunk * 1000 + 1000)
        )


@pytest.fixture
def endless_remote() -> Iterator[str]:
    """The URL of a remote over git:// that never stops listing its branches."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(4096)
                    connection.sendall(
                        packet(b"version 2\n") + packet(b"ls-refs=unborn\n") + b"0000"
                    )
                    connection.recv(4096)
                    for chunk in endless_refs():
                        connection.sendall(chunk)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"git://127.0.0.1:{listener.getsockname()[1]}/engine"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


async def test_a_remote_that_never_stops_listing_branches_has_failed(
    endless_remote: str, new_remotes: NewRemotes
) -> None:
    limits, reason = limited(32)
    with pytest.raises(RemoteFailed) as failed:
        await new_remotes(limits).sync(USER, new_id(), "/none", endless_remote)
    assert failed.value.detail == reason
    await until(no_sync_runs)


@pytest.mark.long
async def test_the_process_that_git_starts_for_http_has_the_limit_as_well(
    new_remotes: NewRemotes,
) -> None:
    def send_endless_refs(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-type", "application/x-git-upload-pack-advertisement")
        request.end_headers()
        request.wfile.write(packet(b"# service=git-upload-pack\n") + b"0000")
        with suppress(OSError):
            for chunk in endless_refs():
                request.wfile.write(chunk)

    limits, reason = limited(96)
    with http_server(send_endless_refs) as url, pytest.raises(RemoteFailed) as failed:
        await new_remotes(limits).sync(USER, new_id(), "/none", f"{url}/engine")
    assert failed.value.detail == reason
    await until(no_sync_runs)
