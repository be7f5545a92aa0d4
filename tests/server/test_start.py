"""The service is started, used, stopped and started again."""

import asyncio
import stat
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.support.api import API, created, sign_up
from tests.support.server import environment, running_server


@pytest.mark.long
async def test_data_and_tokens_of_an_embedded_service_survive_a_restart(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "new" / "data"
    async with running_server(data_dir) as server, server.client() as client:
        assert server.greeting == (
            f"Symphony listens on {server.address}",
            f"Documentation: {server.address}/docs",
            f"Data: {data_dir}",
            "Registration: open; every client that reaches this address can sign up",
            f"Next: open {server.address}/#/sign-up in a browser, and create an account",
        )
        assert (await client.get("/docs")).status_code == 200
        ada = await sign_up(client, "ada")
        workspace = await ada.workspace("Thesis")
        body = {"name": "laptop", "scopes": ["read"]}
        api_token = created(await ada.post("/api-tokens", body))["token"]

    assert (data_dir / "symphony.sqlite3").is_file()
    key = data_dir / "symphony.sqlite3.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700

    async with running_server(data_dir) as server, server.client() as client:
        for token in (ada.token, api_token):
            answer = await client.get(
                f"{API}/workspaces/{workspace['id']}", headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.json() == workspace


@pytest.mark.long
async def test_a_service_that_may_migrate_starts_on_an_empty_postgresql(
    tmp_path: Path, empty_postgresql: str
) -> None:
    data_dir = tmp_path / "data"
    async with (
        running_server(
            data_dir, DATABASE_URL=empty_postgresql, SECRET_KEY=SECRET, AUTO_MIGRATE="true"
        ) as server,
        server.client() as client,
    ):
        (database,) = [line for line in server.greeting if line.startswith("Database: ")]
        assert database.startswith("Database: postgresql://")
        assert "@" not in database
        ada = await sign_up(client, "ada")
        assert (await ada.get("/user-profiles/me")).json()["username"] == "ada"
    assert not data_dir.exists()


@pytest.mark.long
async def test_a_demo_prints_its_token_has_data_and_leaves_no_files(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    async with running_server(data_dir, "--demo") as server, server.client() as client:
        token = (await server.line_with("Demo: token ")).removeprefix("Demo: token ")
        client.headers["Authorization"] = f"Bearer {token}"
        me = (await client.get(f"{API}/user-profiles/me")).json()
        workspaces = await client.get(f"{API}/user-profiles/{me['id']}/workspaces")
        assert workspaces.json()["items"]
    assert not data_dir.exists()


@pytest.mark.long
async def test_a_worker_collects_garbage_but_not_among_imported_objects(tmp_path: Path) -> None:
    code = "import gc, symphony.start as it; it.application();"
    code += "print(gc.isenabled(), gc.get_freeze_count())"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), env=environment(tmp_path / "data"), stdout=PIPE
    )
    output, _ = await process.communicate()
    is_enabled, frozen = output.split()
    assert is_enabled == b"True"
    assert int(frozen) > 100_000  # objects


@pytest.mark.long
async def test_a_demo_with_a_saved_database_creates_its_data_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
    workspaces: list[object] = []
    for _ in ("first", "second"):
        async with (
            running_server(tmp_path / "data", "--demo", DEMO_DATABASE_URL=url) as server,
            server.client() as client,
        ):
            token = (await server.line_with("Demo: token ")).removeprefix("Demo: token ")
            client.headers["Authorization"] = f"Bearer {token}"
            me = (await client.get(f"{API}/user-profiles/me")).json()
            listed = await client.get(f"{API}/user-profiles/{me['id']}/workspaces")
            workspaces.append(listed.json()["items"])
    assert workspaces[0] == workspaces[1] != []
