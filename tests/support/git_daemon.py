"""git's own server, on loopback."""

import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.git_repository import ENVIRONMENT

SERVER_ENVIRONMENT = {
    **ENVIRONMENT,
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
    "GIT_CONFIG_VALUE_0": "true",
    "GIT_CONFIG_KEY_1": "safe.directory",
    "GIT_CONFIG_VALUE_1": "*",
}
_STARTS_WITHIN = 20  # seconds
_POLL_INTERVAL = 0.02  # seconds


@contextmanager
def git_daemon(directory: Path) -> Generator[str]:
    """Serve the repositories in a directory; yield the URL that their paths follow.

    Raises: RuntimeError when the server does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    daemon = subprocess.Popen(  # noqa: S603 - git, on loopback
        # Not `git daemon`, which starts this program and leaves it running when it is killed.
        [
            *(_programs() / "git-daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"),
            *("--export-all", f"--base-path={directory}", "--init-timeout=60", directory),
        ],
        env=SERVER_ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with daemon:
        try:
            _wait(daemon, port)
            yield f"git://127.0.0.1:{port}"
        finally:
            daemon.kill()


def _programs() -> Path:
    """Return the directory of git's own programs."""
    output = subprocess.run(
        ["git", "--exec-path"],  # noqa: S607 - the one on the search path
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return Path(output.strip())


def _wait(daemon: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and daemon.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(_POLL_INTERVAL)
    raise RuntimeError("git daemon did not start")
