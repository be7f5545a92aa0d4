"""The checkout that the tests belong to, and the tools to work on it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.prerequisites import missing

TOP = Path(__file__).parents[2]


def uv() -> str:
    """Return the path of uv; a test that needs it cannot run without."""
    own = TOP / ".tools" / "bin" / "uv"
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if found is None:
        missing("uv is neither named by $UV, nor in .tools, nor on the path")
    return found


def run(
    *command: str | Path, folder: Path, within: float = 60, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for it; a non-zero exit status fails the test."""
    environment = {**os.environ, "UV_OFFLINE": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}
    finished = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=folder,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"
    return finished


def copy_to(folder: Path) -> None:
    """Copy the files that are, or will be, under version control."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in run(*command, folder=TOP).stdout.split("\0"):
        source, target = TOP / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
