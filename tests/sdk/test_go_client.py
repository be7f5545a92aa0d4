"""A Go client that is generated from the OpenAPI document compiles and works."""

import os
import shutil
from pathlib import Path

import pytest

from tests.sdk.tools import Tool, openapi_generator
from tests.support.prerequisites import missing
from tests.support.server import running_server

pytestmark = pytest.mark.sdk
STORY = Path(__file__).with_name("story.go")
# Where Debian keeps the sources of Go packages.
SYSTEM_PACKAGES = Path("/usr/share/gocode")


async def test_a_client_in_go_goes_from_signing_up_to_a_locked_vault(
    openapi_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = shutil.which("go")
    if go is None:
        missing("go is not on the path: apt-get install golang-go")
    if not (SYSTEM_PACKAGES / "src" / "golang.org" / "x" / "oauth2").is_dir():
        missing("the client needs a package: apt-get install golang-golang-x-oauth2-dev")
    sources = tmp_path / "go" / "src"
    openapi_generator(
        *("--generator-name", "go", "--additional-properties", "packageName=symphony"),
        # Names of Go that the generator changes by itself.
        ignored="(reserved word)",
        document=openapi_file,
        client=sources / "symphony",
    )
    (sources / "story").mkdir()
    shutil.copy(STORY, sources / "story")
    # Without modules, which would be fetched from the network.
    monkeypatch.setenv("GO111MODULE", "off")
    monkeypatch.setenv("GOPATH", f"{tmp_path / 'go'}{os.pathsep}{SYSTEM_PACKAGES}")
    monkeypatch.setenv("GOFLAGS", "")
    Tool((go,)).run("vet", "symphony", "story", folder=tmp_path)
    Tool((go,)).run("build", "-o", tmp_path / "walk", "story", folder=tmp_path)
    async with running_server(tmp_path / "data") as server:
        Tool((tmp_path / "walk",)).run(server.address, folder=tmp_path)
