"""Property tests use the same examples in every run, without a deadline per example."""

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

settings.register_profile(
    "symphony",
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("symphony")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all property tests in one worker: the first text costs each process three seconds."""
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.function):
            item.add_marker(pytest.mark.xdist_group("properties"))
