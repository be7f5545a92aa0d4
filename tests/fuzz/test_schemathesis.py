"""Requests generated from the OpenAPI document, valid and invalid, against a real server."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.conftest import MASTER_KEY, SECRET
from tests.support import postgres
from tests.support.api import sign_up
from tests.support.server import Server, running_server

pytestmark = pytest.mark.fuzz

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
HERE = Path(__file__).parent
CONFIGURATION = HERE / "schemathesis.toml"
# Set by `just fuzz`: the number of requests for each operation and phase.
EXAMPLES = "FUZZ_EXAMPLES"


@pytest.fixture(params=["postgresql", "sqlite-file"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Server]:
    settings: dict[str, str] = {}
    name = f"test_{secrets.token_hex(8)}"
    if request.param == "postgresql":
        address = await postgres.create_database(name)
        settings = {
            "DATABASE_URL": address,
            "SECRET_KEY": SECRET,
            "MASTER_KEY": MASTER_KEY,
        }
    async with running_server(tmp_path / "data", **settings) as server:
        yield server
    if settings:
        await postgres.drop_database(name)


async def test_every_response_to_a_generated_request_is_documented(
    server: Server, tmp_path: Path
) -> None:
    async with server.client() as client:
        ada = await sign_up(client, "ada")
        workspace = await ada.workspace()
        await ada.repo(workspace["id"])
        vault = await ada.vault(workspace["id"])
        await ada.put(f"/vaults/{vault['id']}/entries/clients/acme/db", {"content": "x"})
    report, status = await _schemathesis(
        *("--config-file", CONFIGURATION, "--no-color", "run"),
        f"{server.address}/api/v1/openapi.json",
        *("--header", f"Authorization: Bearer {ada.token}"),
        *("--checks", "all", "--max-examples", os.environ.get(EXAMPLES, "10")),
        *("--continue-on-failure", "--request-timeout", "30"),
        folder=tmp_path,
    )
    print(report)  # noqa: T201 - the counts, shown with -s
    assert status == 0, report
    assert "request failed" not in server.log.read_text()


async def _schemathesis(*arguments: str | Path, folder: Path) -> tuple[str, int | None]:
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        *arguments,
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(), process.returncode
