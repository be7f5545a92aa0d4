"""The real `symphony serve`, in a process of its own that surely ends."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SYMPHONY = Path(sys.executable).with_name("symphony")
STARTS_WITHIN = 60  # seconds
ENDS_WITHIN = 8  # seconds
LOGS_WITHIN = 5  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready, and what it said when it started."""

    address: str
    token: str
    """The demo user's; empty where there is none."""
    greeting: str
    process: subprocess.Popen[str]
    folder: Path
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def log_line(self, words: str) -> str:
        """The line with these words, which is written when its answer has gone.

        Raises: RuntimeError when it does not come.
        """
        deadline = time.monotonic() + LOGS_WITHIN
        while time.monotonic() < deadline:
            for line in self.log.splitlines():
                if words in line:
                    return line.strip()
            time.sleep(0.02)
        raise RuntimeError(f"the log has no line with {words}")

    @property
    def files(self) -> list[Path]:
        """What it has left in its working folder, data folder and temporary folder."""
        return list(self.folder.rglob("*"))

    def stop(self) -> tuple[int, float]:
        """Tells it to end; its exit code, and the seconds it took. Raises: TimeoutExpired."""
        begun = time.perf_counter()
        self.process.terminate()
        return self.process.wait(ENDS_WITHIN), time.perf_counter() - begun


@contextmanager
def running_server(*options: str, data: Path | None = None, **settings: str) -> Generator[Server]:
    """A server on a free port of this machine; it ends with the block, whatever happens there.

    It is in demo mode, or keeps its database in a folder. `settings` are variables without
    `SYMPHONY_`.

    Raises: RuntimeError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        folder, log_file = Path(temporary, "empty"), Path(temporary, "log")
        folder.mkdir()
        with log_file.open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [SYMPHONY, "serve", "--port", "0", *([] if data else ["--demo"]), *options],
                env=os.environ
                | {f"SYMPHONY_{name}": value for name, value in settings.items()}
                | {"SYMPHONY_DATA_DIR": str(data or folder), "TMPDIR": str(folder)},
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        with process:
            try:
                greeting = _greeting(process, "Documentation: " if data else "token sym_")
                address = re.search(r"listens on (http://\S+)", greeting)
                token = re.search(r"token (sym_\S+)", greeting)
                if not address or not (data or token):
                    raise RuntimeError(f"the server did not start:\n{log_file.read_text()}")
                shown = token[1] if token else ""
                yield Server(address[1], shown, greeting, process, folder, log_file)
            finally:
                process.kill()


def _greeting(process: subprocess.Popen[str], last: str) -> str:
    """What it says until it takes connections, which is last; or until it is gone or too late."""
    assert process.stdout is not None
    too_late = threading.Timer(STARTS_WITHIN, process.kill)
    too_late.start()
    try:
        greeting = ""
        while last not in greeting and (line := process.stdout.readline()):
            greeting += line
        return greeting
    finally:
        too_late.cancel()
