"""What both commands do alike: a place to work in, an end that leaves nothing behind, a result."""

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.services import Failed

_STOPPED = 130  # what shells say of a program that was ended by Ctrl-C


def run(work: Callable[[Path], Awaitable[dict[str, Any]]], results: Path | None) -> int:
    """Does the work in a folder of its own, and writes what it gives; the exit status."""

    async def until_told_to_stop(folder: Path) -> dict[str, Any]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is one
        for ending in (signal.SIGTERM, signal.SIGHUP):  # as after Ctrl-C
            asyncio.get_running_loop().add_signal_handler(ending, task.cancel)
        return await work(folder)

    with tempfile.TemporaryDirectory(prefix="symphony-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # as root, PostgreSQL runs as a user of its own
        try:
            figures = asyncio.run(until_told_to_stop(folder))
        except Failed as failure:
            print(f"FAILED: {failure}", file=sys.stderr)
            return 1
        except (asyncio.CancelledError, KeyboardInterrupt):
            print("stopped", file=sys.stderr)
            return _STOPPED
    if results:
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(json.dumps(figures, indent=2) + "\n")
    return 0
