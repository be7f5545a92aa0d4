"""git's own server, on loopback."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from scripts.support.ports import free_port

SERVER_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
    "GIT_CONFIG_VALUE_0": "true",
    "GIT_CONFIG_KEY_1": "safe.directory",
    "GIT_CONFIG_VALUE_1": "*",
}
_STARTS_WITHIN = 20  # seconds


@contextmanager
def git_daemon(folder: Path) -> Generator[str]:
    """Serve the repositories in a folder for reading; yields their address.

    Raises: RuntimeError when it does not start.
    """
    port = free_port()
    daemon = subprocess.Popen(  # noqa: S603 - git, on loopback
        # The program itself: `git daemon` would start it as a child, and leave it when killed.
        [
            *(_programs() / "git-daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"),
            *("--export-all", "--init-timeout=60"),
            *(f"--base-path={folder}", folder),
        ],
        env=SERVER_ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that the processes of its connections can be killed with it
    )
    with daemon:
        try:
            _wait(daemon, port)
            yield f"git://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(daemon.pid, signal.SIGKILL)


def _programs() -> Path:
    found = subprocess.run(
        ["git", "--exec-path"],  # noqa: S607 - the git that the service uses
        env=SERVER_ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    )
    return Path(found.stdout.strip())


def _wait(daemon: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and daemon.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError("git's server did not start")
