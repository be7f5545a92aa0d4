"""Inspections in another process, how many run in this one, and with or without Landlock."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from symphony.domain.git.status import RepoStatus
from symphony.infrastructure.git.confinement.landlock import detect_landlock
from symphony.infrastructure.git.status.inspector import Inspector

_IS_CI = os.environ.get("CI", "").lower() in {"true", "1"}  # there, it must not be missing

needs_landlock = pytest.mark.skipif(
    not _IS_CI and detect_landlock() is None,
    reason="needs Landlock, which this kernel or container lacks",
)

SCRIPT = """
import asyncio, sys
from pathlib import Path
from typing import Any
from uuid import UUID
from symphony.infrastructure.git.status.local_git import LocalGit
git = LocalGit([Path(sys.argv[1])])
print("inspecting", flush=True)
status = asyncio.run(git.status(UUID(int=1), sys.argv[2]))
git.close()
print(status.state, status.untracked, status.reason, sep="; ")
"""
"""Inspects the repository at the second argument; the first one is the git root."""


def no_landlock() -> None:
    """Detect Landlock as on a system that lacks it."""


@contextmanager
def counted_inspections(monkeypatch: pytest.MonkeyPatch) -> Generator[list[int]]:
    """Yield a list with, for each inspection, how many ran when it started, itself included."""
    concurrency, running, lock = list[int](), [0], threading.Lock()
    original = Inspector.inspect

    def inspect(inspector: Inspector, path: str, *rest: Any, **options: Any) -> RepoStatus:
        with lock:
            running[0] += 1
            concurrency.append(running[0])
        try:
            return original(inspector, path, *rest, **options)
        finally:
            with lock:
                running[0] -= 1

    with monkeypatch.context() as patched:
        patched.setattr(Inspector, "inspect", inspect)
        yield concurrency
