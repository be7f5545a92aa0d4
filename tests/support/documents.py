"""Reading the project's documents, and running the scripts in them."""

import os
import re
from pathlib import Path

from tests.support.processes import output_of

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
    return await output_of(
        *("bash", *options, "-c", script),
        folder=folder,
        environment={**os.environ, "SYMPHONY": service, **variables},
        within=SESSION_WITHIN,
    )
