"""Linters find no problem in the OpenAPI document."""

import json
from pathlib import Path

import pytest

from tests.sdk.tools import from_npm

pytestmark = pytest.mark.sdk


def test_redocly_finds_nothing_with_its_recommended_rules(
    openapi_file: Path, tmp_path: Path
) -> None:
    redocly = from_npm("@redocly/cli@2.77.0", "redocly")
    said = redocly.run("lint", openapi_file, "--format", "json", folder=tmp_path)
    assert "using built in recommended configuration" in said
    report, _ = json.JSONDecoder().raw_decode(said, said.index('{\n  "totals"'))
    assert report["problems"] == []
    assert report["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}
