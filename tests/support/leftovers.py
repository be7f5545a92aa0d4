"""What a program that was stopped has left behind."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from scripts.support.polling import until
from tests.support.checkout import TOP


def left_behind(place: Path) -> list[str]:
    """Files and processes of a run whose temporary directory was `place`."""
    files = [str(each) for each in place.glob("symphony-*")]
    return files + [str(each) for each in psutil.process_iter() if _works_in(each, place)]


def _works_in(process: psutil.Process, place: Path) -> bool:
    try:
        return str(place) in " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:  # stopped, or owned by another user
        return False


async def stopped_run(
    command: Sequence[str | Path], place: Path, has_started: Callable[[], bool]
) -> tuple[int, str, str]:
    """Run a program, send SIGTERM once it has started; its exit status, output and errors.

    `place` is the program's temporary directory.
    """

    async def started() -> bool:
        assert process.poll() is None, process.communicate()
        return await asyncio.to_thread(has_started)

    with subprocess.Popen(  # noqa: ASYNC220, S603 - our own program; it returns at once
        command,
        env=os.environ | {"TMPDIR": str(place)},
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            await until(started, within=60)
            process.send_signal(signal.SIGTERM)
            output, errors = await asyncio.to_thread(process.communicate, timeout=60)
        finally:
            process.terminate()
    return process.returncode, output, errors
