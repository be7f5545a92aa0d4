"""What tests need from the machine that they run on."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip a test that cannot run on this machine; in continuous integration (CI), fail it."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"{reason}; under CI this test must run")
    pytest.skip(reason)
