"""TypeScript clients that two generators produce from the OpenAPI document compile and work."""

import shutil
from pathlib import Path

import pytest

from tests.sdk.tools import from_npm, install_from_npm, node, openapi_generator
from tests.support.server import running_server

pytestmark = pytest.mark.sdk
STORY = Path(__file__).with_name("story.ts")
STORY_OF_OPENAPI_FETCH = Path(__file__).with_name("story_openapi_fetch.ts")


async def test_a_client_in_typescript_goes_from_signing_up_to_a_locked_vault(
    openapi_file: Path, tmp_path: Path
) -> None:
    openapi_generator(
        *("--generator-name", "typescript-fetch"),
        *("--additional-properties", "importFileExtension=.js"),
        document=openapi_file,
        client=tmp_path / "client",
    )
    (tmp_path / "package.json").write_text('{"type": "module"}')
    await _compile_and_run(STORY, tmp_path)


async def test_a_client_of_openapi_fetch_goes_from_signing_up_to_a_locked_vault(
    openapi_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    install_from_npm("openapi-fetch@0.17.0", folder=tmp_path)
    generator = from_npm("openapi-typescript@7.13.0", "openapi-typescript")
    generator.run(openapi_file, "--output", "schema.ts", folder=tmp_path)
    await _compile_and_run(STORY_OF_OPENAPI_FETCH, tmp_path)


async def _compile_and_run(story: Path, folder: Path) -> None:
    shutil.copy(story, folder)
    from_npm("typescript@7.0.2", "tsc").run(
        *("--strict", "--target", "es2022", "--lib", "es2022,dom"),
        *("--module", "nodenext", "--outDir", "built", story.name),
        folder=folder,
    )
    async with running_server(folder / "data") as server:
        node().run(folder / "built" / f"{story.stem}.js", server.address, folder=folder)
