"""A service in a process group of its own: started, waited for, and killed with its workers."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

PROGRAMS = Path(sys.executable).parent
SYMPHONY = PROGRAMS / "symphony"
STARTS_WITHIN = 60  # seconds; generous, for a busy machine
_PAUSE = 0.01  # seconds between two requests


class NotReady(Exception):
    """The service has stopped, or was not ready in time."""


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A started service, which writes both of its outputs to a log file."""

    address: str
    log_file: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(
        cls, command: Sequence[str | Path], port: int, variables: dict[str, str], log_file: Path
    ) -> "ServiceProcess":
        """Start a service that listens on a port of this machine.

        `variables` are added to the environment, from which all `SYMPHONY_` ones are removed.
        """
        log_file.parent.mkdir(parents=True, exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SYMPHONY_")}
        with log_file.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                env=inherited | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that its workers can be killed with it
            )
        return cls(f"http://127.0.0.1:{port}", log_file, process)

    async def ready(self) -> None:
        """Wait until it answers that it is ready. Raises: NotReady."""
        deadline = time.monotonic() + STARTS_WITHIN
        async with httpx.AsyncClient(base_url=self.address, timeout=5, trust_env=False) as client:
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    raise NotReady("the service has stopped by itself")
                with suppress(httpx.TransportError):
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(_PAUSE)
        raise NotReady(f"the service was not ready within {STARTS_WITHIN} s")

    async def stop(self, within: float) -> None:
        """Send SIGTERM and wait, then kill what is left. Raises: subprocess.TimeoutExpired."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.to_thread(self.process.wait, within)
        finally:
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL to the service and its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def log(self, characters: int = 3000) -> str:
        """The last part of the log."""
        return self.log_file.read_text("utf-8", "replace")[-characters:]


def settings(**values: str) -> dict[str, str]:
    """Environment variables for settings, which are given without their prefix."""
    return {f"SYMPHONY_{name}": value for name, value in values.items()}
