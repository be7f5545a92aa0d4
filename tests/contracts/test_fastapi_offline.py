"""The folder of fastapi-offline that `symphony.api.fastapi_adapter` serves."""

from importlib.util import find_spec
from pathlib import Path

import pytest

ADAPTER = "see symphony/api/fastapi_adapter.py"


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js"])
def test_the_package_has_a_folder_with_swagger_ui_and_redoc(name: str) -> None:
    spec = find_spec("fastapi_offline")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "static" / name
    assert file.is_file(), f"fastapi-offline no longer has static/{name}; {ADAPTER}"
    assert file.stat().st_size > 10_000
