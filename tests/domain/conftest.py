"""Property tests use the same examples in every run, without a deadline per example."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "symphony",
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("symphony")
