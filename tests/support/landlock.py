"""Landlock of this machine, and its absence."""

import pytest

from symphony.infrastructure.git.confinement.landlock import detect_landlock

needs_landlock = pytest.mark.skipif(
    detect_landlock() is None, reason="needs Landlock, which this kernel or container lacks"
)


def no_landlock() -> None:
    """Detect Landlock as on a system that lacks it."""
