"""Files of another user, also for tests that root does not run."""

import os
from pathlib import Path

import pytest

ANOTHER_UID = 54321


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another user own a file or directory. An ordinary user becomes another one instead."""
    if os.geteuid() == 0:
        os.chown(path, ANOTHER_UID, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: ANOTHER_UID)
