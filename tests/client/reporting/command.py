"""`symphony report` as a process, on a machine of its own."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYMPHONY = Path(sys.executable).with_name("symphony")
_ENDS_WITHIN = 60  # seconds


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    output: str
    errors: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.status == 0, self.errors
        return json.loads(self.output)


@dataclass(frozen=True, slots=True)
class TestMachine:
    """A machine: directories of its own, and what its user reports."""

    home: Path
    root: Path
    url: str
    token: str

    __test__ = False

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        return {**own, "HOME": str(self.home)}

    async def start(self, *arguments: str) -> Process:
        return await self.start_signed_out("--url", self.url, "--token", self.token, *arguments)

    async def start_signed_out(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            SYMPHONY,
            *("report", "--root", str(self.root), *arguments),
            env=self.environment(),
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )

    async def report(self, *arguments: str) -> Result:
        return await ended(await self.start(*arguments))


async def ended(process: Process) -> Result:
    """Raises: TimeoutError."""
    async with asyncio.timeout(_ENDS_WITHIN):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return Result(process.returncode, output.decode(), errors.decode())


async def stopped(process: Process, number: signal.Signals) -> tuple[Result, float]:
    """Send a signal; return the result and after how many seconds the process ended."""
    loop = asyncio.get_running_loop()
    process.send_signal(number)
    started = loop.time()
    await process.wait()
    seconds = loop.time() - started
    return await ended(process), seconds
