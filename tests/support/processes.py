"""Programs that are run, and information about processes that may exit at any time."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


async def output_of(
    *command: str | Path, folder: Path, environment: Mapping[str, str], within: float
) -> str:
    """Run a program, and return what it prints on both streams.

    One that fails fails the test. Raises: TimeoutError after `within` seconds; it is killed then.
    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(within):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()
    return output.decode()


def children(pid: int | None = None) -> list[psutil.Process]:
    """The descendants of a process, or of this one."""
    return _unless_ended(lambda: psutil.Process(pid).children(recursive=True), [])


def name(process: psutil.Process) -> str:
    """Empty if the process has exited."""
    return _unless_ended(process.name, "")


def command_line(process: psutil.Process) -> list[str]:
    """Empty if the process has exited."""
    return _unless_ended(process.cmdline, [])


def environment(process: psutil.Process) -> dict[str, str]:
    """Empty if the process has exited."""
    return _unless_ended(process.environ, {})


def resident_memory(process: psutil.Process) -> int:
    """In bytes; 0 if the process has exited."""
    return _unless_ended(lambda: process.memory_info().rss, 0)


def has_ended(pid: int) -> bool:
    """True also for a zombie, which its new parent may not have reaped yet."""
    zombie = psutil.STATUS_ZOMBIE
    return _unless_ended(lambda: psutil.Process(pid).status(), zombie) == zombie


def _unless_ended(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except psutil.Error:
        return otherwise
