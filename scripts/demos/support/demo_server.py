"""The real `symphony serve` for a demo, in a process that stops with the block."""

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.support.service_process import STARTS_WITHIN, SYMPHONY

STOPS_WITHIN = 8  # seconds
LOGS_WITHIN = 5  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready, and what it printed at its start."""

    address: str
    token: str
    """The demo user's; empty outside of demo mode."""
    greeting: str
    process: subprocess.Popen[str]
    folder: Path
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def client(self) -> httpx.Client:
        # trust_env: a proxy that the environment names must not be asked for this machine.
        return httpx.Client(base_url=self.address, timeout=30, trust_env=False)

    def log_line(self, words: str) -> str:
        """The line with these words, which is written after the answer has been sent.

        Raises: RuntimeError when it is not written in time.
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
        """What it has left in its working, data and temporary directory."""
        return list(self.folder.rglob("*"))

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; returns the exit code and the seconds it took. Raises: TimeoutExpired."""
        start = time.perf_counter()
        self.process.terminate()
        return self.process.wait(STOPS_WITHIN), time.perf_counter() - start


@contextmanager
def running_server(*options: str, data: Path | None = None, **settings: str) -> Generator[Server]:
    """Run a server on a free port of this machine; it is killed at the end of the block.

    It runs in demo mode, in which everyone can sign up, or keeps its database in the folder `data`.
    `settings` are environment variables without their prefix `SYMPHONY_`.

    Raises: RuntimeError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        folder, log_file = Path(temporary, "empty"), Path(temporary, "log")
        folder.mkdir()
        with log_file.open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [SYMPHONY, "serve", "--port", "0", *([] if data else ["--demo"]), *options],
                env=os.environ
                | ({} if data else {"SYMPHONY_REGISTRATION": "open"})
                | {f"SYMPHONY_{name}": value for name, value in settings.items()}
                | {"SYMPHONY_DATA_DIR": str(data or folder), "TMPDIR": str(folder)},
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        with process:
            try:
                greeting = _greeting(process, "/docs" if data else "sym_")
                address = re.search(r"http://[^\s/]+", greeting)
                token = re.search(r"sym_\S+", greeting)
                if not address or not (data or token):
                    raise RuntimeError(f"the server did not start:\n{log_file.read_text()}")
                shown = token[0] if token else ""
                yield Server(address[0], shown, greeting, process, folder, log_file)
            finally:
                process.kill()


def _greeting(process: subprocess.Popen[str], last: str) -> str:
    """What it prints up to its last line `last`, or until it has stopped or time is up."""
    assert process.stdout is not None
    time_limit = threading.Timer(STARTS_WITHIN, process.kill)
    time_limit.start()
    try:
        greeting = ""
        while last not in greeting and (line := process.stdout.readline()):
            greeting += line
        return greeting
    finally:
        time_limit.cancel()
