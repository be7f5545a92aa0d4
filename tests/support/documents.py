"""Reading the project's documents, and running the scripts in them."""

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

SESSION_WITHIN = 120  # seconds


def blocks(markdown: str, language: str = "bash") -> list[str]:
    """The contents of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def rows(markdown: str, first_cell: str) -> list[list[str]]:
    """The cells of every row, in any table, whose first cell matches a pattern."""
    lines = [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [row for row in cells if re.fullmatch(first_cell, row[0])]


STRICT = ("-euo", "pipefail")
"""The options with which every command that fails makes the script fail."""


async def run(
    script: str, service: str, folder: Path, options: tuple[str, ...] = STRICT, **variables: str
) -> str:
    """Run a script with bash, and return its output. A script that fails fails the test.

    `service` is the address of the service, which the documents take from `$SYMPHONY`.
    """
    process = await asyncio.create_subprocess_exec(
        "bash", *options, "-c", script,
        cwd=folder, env={**os.environ, "SYMPHONY": service, **variables},
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SESSION_WITHIN):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()
    return output.decode()
