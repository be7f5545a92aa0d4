"""A service with room for what the matrix creates."""

import pytest

from symphony.config.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_vaults_per_workspace": 1000})
