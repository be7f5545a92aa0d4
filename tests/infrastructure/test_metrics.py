"""The metrics of several processes, from their files."""

from pathlib import Path

import pytest

from symphony.infrastructure.metrics import SHARED_DIRECTORY, Metrics


def test_a_process_that_is_just_creating_its_file_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    for name in ("counter_123.db", "histogram_123.db", "gauge_livesum_123.db"):
        (tmp_path / name).touch()
    monkeypatch.setenv(SHARED_DIRECTORY, str(tmp_path))
    assert metrics.text() == b""
