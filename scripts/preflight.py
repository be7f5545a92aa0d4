"""Report what is missing on this machine.

It runs before anything is installed, so it uses only the standard library.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PYTHON = (3, 11)
TOP = Path(__file__).resolve().parents[1]


def missing() -> Iterator[str]:
    """Each missing tool or right, with what to do about it."""
    if sys.version_info < PYTHON:
        yield f"Python {PYTHON[0]}.{PYTHON[1]} or newer is needed; this is {sys.version.split()[0]}"
    if not (os.environ.get("UV") or shutil.which("uv")):
        yield "uv is not on the path: python3 -m venv .tools && .tools/bin/pip install uv"
    if not shutil.which("git"):
        yield "git is not on the path: install it with your system's package manager"
    for folder in (TOP, data_folder(), Path(tempfile.gettempdir())):
        reason = why_not_writable(folder)
        if reason:
            yield f"{folder} cannot be written ({reason})"


def data_folder() -> Path:
    """The data directory of an embedded service, or its nearest existing parent."""
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    folder = Path(os.environ.get("SYMPHONY_DATA_DIR") or Path(share) / "symphony").expanduser()
    while not folder.exists():
        folder = folder.parent
    return folder


def why_not_writable(folder: Path) -> str | None:
    """The reason, found by creating and removing a file; permissions alone do not show it."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".symphony-preflight-"):
            return None
    except OSError as error:
        return error.strerror


if __name__ == "__main__":
    found = list(missing())
    for each in found:
        print(f"preflight: {each}", file=sys.stderr)
    sys.exit(bool(found))
