"""The load generator: wrk, with the requests of load.lua."""

import asyncio
import json
import secrets
import shutil
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

from benchmarks.content import Content
from benchmarks.services import Failed, Service, token

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")
_NO_WRK = "wrk, the load generator, is missing: apt-get install wrk (or brew install wrk)"


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one run. Latencies are in milliseconds."""

    rate: float
    """Requests per second."""
    median: float
    p99: float
    processor: float
    """Microseconds of processor time that the service used per request."""


def write_targets(file: Path, content: Content) -> None:
    """Write the token and the ids that load.lua sends."""

    def listed(ids: list[str]) -> str:
        return "{" + ", ".join(f'"{each}"' for each in ids) + "}"

    repos = [str(repo) for workspace in content.full for repo in workspace.repos]
    lines = (
        f'token = "{token(content.caller)}"',
        f"repos = {listed(repos)}",
        f"full = {listed([str(each.id) for each in content.full])}",
        f"empty = {listed([str(each.id) for each in content.empty])}",
    )
    file.write_text(f"return {{{', '.join(lines)}}}\n")


async def load(service: Service, operation: str, seconds: int, targets: Path) -> Measured:
    """Put load on a service with one operation. Raises: Failed when an answer is an error."""
    program = shutil.which("wrk")
    if program is None:
        raise Failed(_NO_WRK)
    used = service.processor_seconds()
    process = await asyncio.create_subprocess_exec(
        *(program, "--threads", "1", "--connections", str(CONNECTIONS)),
        *("--duration", f"{seconds}s", "--timeout", "10s", "--script", _SCRIPT),
        *(service.address, "--", operation, f"new-{secrets.token_hex(6)}", targets),
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await process.communicate()
    _, found, result = output.decode().partition("RESULT ")
    if process.returncode or not found:
        raise Failed(f"wrk has failed: {errors.decode()} {output.decode()}")
    counted = json.loads(result)
    if counted["bad_answers"] or counted["broken"] or not counted["requests"]:
        raise Failed(
            f"{service.name}, {operation}: of {counted['requests']} answers"
            f" {counted['bad_answers']} were errors, {counted['broken']} connections broke:\n"
            f"{service.started.log()}"
        )
    return Measured(
        rate=counted["requests"] / counted["microseconds"] * 1e6,
        median=counted["median"] / 1000,
        p99=counted["p99"] / 1000,
        processor=(service.processor_seconds() - used) / counted["requests"] * 1e6,
    )
