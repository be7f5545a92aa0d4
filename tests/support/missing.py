"""What happens to a test whose tool is not on this machine."""

import os
from typing import NoReturn

import pytest


def cannot_run(reason: str) -> NoReturn:
    """Skip the running test with a reason; under `CI=true`, where every tool must be, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"this test must run in CI: {reason}", pytrace=False)
    pytest.skip(reason)
