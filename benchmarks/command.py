"""The frame of a benchmark command: a temporary directory, tidy cancellation, a result file."""

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.services import Failed

_STOPPED = 130  # the exit status that shells use after Ctrl-C


def run(work: Callable[[Path], Awaitable[dict[str, Any]]], results: Path | None) -> int:
    """Run a benchmark in a temporary directory and write its figures; returns the exit status."""

    async def until_stopped(folder: Path) -> dict[str, Any]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is one
        for number in (signal.SIGTERM, signal.SIGHUP):  # tidy up, as after Ctrl-C
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work(folder)

    with tempfile.TemporaryDirectory(prefix="symphony-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # as root, PostgreSQL runs as a user of its own
        try:
            figures = asyncio.run(until_stopped(folder))
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
