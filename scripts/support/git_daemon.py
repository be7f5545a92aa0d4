"""git's own server, on loopback."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

from scripts.support.git_repository import ENVIRONMENT

_STARTS_WITHIN = 10  # seconds


@contextlib.contextmanager
def git_daemon(folder: Path) -> Generator[str]:
    """The address below which the repositories in a folder can be asked, by everybody here.

    Raises: RuntimeError when it does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    daemon = subprocess.Popen(  # noqa: S603 - git, and a folder of ours
        # The program itself: `git daemon` would only begin it, and leave it behind in the end.
        [
            *(_programs() / "git-daemon", "--listen=127.0.0.1", f"--port={port}"),
            *("--export-all", f"--base-path={folder}", folder),
        ],
        env=ENVIRONMENT,
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
    told = subprocess.run(
        ["git", "--exec-path"],  # noqa: S607 - the one that is on the path
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    )
    return Path(told.stdout.strip())


def _wait(daemon: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and daemon.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise RuntimeError("git's server did not start")
