"""Inspections in another process, and how many run at the same time in this one."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from symphony.domain.git import RepoStatus
from symphony.infrastructure.git.status.inspector import Inspector

SCRIPT = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.status.local_git import LocalGit
git = LocalGit([Path(sys.argv[1])])
print("inspecting", flush=True)
status = asyncio.run(git.status(UUID(int=1), sys.argv[2]))
git.close()
print(status.state, status.untracked, status.reason, sep="; ")
"""
"""Inspects the repository at the second argument; the first one is the git root."""


@contextmanager
def counted_inspections(monkeypatch: pytest.MonkeyPatch) -> Generator[list[int]]:
    """Yield a list with, for each inspection, how many ran when it started, itself included."""
    concurrency, running, lock = list[int](), [0], threading.Lock()
    original = Inspector.inspect

    def inspect(inspector: Inspector, path: str) -> RepoStatus:
        with lock:
            running[0] += 1
            concurrency.append(running[0])
        try:
            return original(inspector, path)
        finally:
            with lock:
                running[0] -= 1

    with monkeypatch.context() as patched:
        patched.setattr(Inspector, "inspect", inspect)
        yield concurrency
