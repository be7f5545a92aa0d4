"""A machine, and reports without a pause between them."""

from datetime import timedelta
from typing import Any

import pytest

from symphony.domain.machines import reports
from tests.support.api import User


@pytest.fixture
async def machine(ada: User) -> dict[str, Any]:
    return await ada.machine("laptop")


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a machine report at any time."""
    monkeypatch.setattr(reports, "LEAST_INTERVAL", timedelta(0))
