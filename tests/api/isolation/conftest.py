"""A service with room for what the matrix creates, and no pause between reports."""

from datetime import timedelta

import pytest

from symphony.config.settings import Settings
from symphony.domain.machines import reports


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "LEAST_INTERVAL", timedelta(0))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_vaults_per_workspace": 1000})
