"""The OpenAPI document in a file, for the tools."""

import json
from pathlib import Path

import pytest

from tests.support.openapi import document


@pytest.fixture
def openapi_file(tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document()))
    return file
