"""How many look at repositories at the same time."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from symphony.domain.git import RepoStatus
from symphony.infrastructure.git.status.inspector import Inspector


@contextmanager
def counted_looks(monkeypatch: pytest.MonkeyPatch) -> Generator[list[int]]:
    """For each look that begins meanwhile, how many there then are, itself included."""
    at_once, present, lock = list[int](), [0], threading.Lock()
    status = Inspector.status

    def look(inspector: Inspector, path: str) -> RepoStatus:
        with lock:
            present[0] += 1
            at_once.append(present[0])
        try:
            return status(inspector, path)
        finally:
            with lock:
                present[0] -= 1

    with monkeypatch.context() as patched:
        patched.setattr(Inspector, "status", look)
        yield at_once
