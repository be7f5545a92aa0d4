"""Reports to a real server."""

import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from scripts.support.ports import free_port
from tests.client.reporting.command import TestMachine, stopped
from tests.support.api import User, sign_up
from tests.support.server import Server, running_server


@asynccontextmanager
async def running_user(data: Path) -> AsyncGenerator[tuple[Server, User]]:
    async with running_server(data) as server, server.client() as client:
        yield server, await sign_up(client, "ada")


async def machines(ada: User) -> dict[str, Any]:
    return {each["name"]: each for each in (await ada.get("/machines")).json()["items"]}


@pytest.mark.long
async def test_a_machine_is_created_reports_and_its_checkouts_belong_to_repos(
    tmp_path: Path, home: Path, root: Path, repo: Repository
) -> None:
    repo.git("remote", "add", "origin", "git@git.example.org:ada/engine.git")
    Repository.with_commits(root / "other", "another")
    async with running_user(tmp_path / "data") as (server, ada):
        workspace = await ada.workspace()
        url = "https://git.example.org/ada/engine"
        await ada.repo(workspace["id"], remote_url=url)
        token = (await ada.api_token("read", "write"))["token"]
        machine = TestMachine(home, root, server.address, token)
        result = await machine.report("--machine", "laptop", "--json")
        assert (result.json["matched"], result.json["unmatched"]) == (1, 1)
        assert result.json["notes"] == []
        laptop = (await machines(ada))["laptop"]
        assert (laptop["id"], laptop["checkout_count"]) == (result.json["machine"]["id"], 2)

        again = await machine.report("--machine", "LAPTOP", "--json")
        assert again.json["machine"] == {"id": laptop["id"], "name": "laptop"}
        await machine.report("--machine", "desktop")
        assert set(await machines(ada)) == {"laptop", "desktop"}

        # Without a name it is that of the host, also after it was renamed.
        of_host = (await machine.report("--json")).json["machine"]
        await ada.patch(f"/machines/{of_host['id']}", json={"name": "thinkpad"})
        again = await machine.report("--json")
        assert again.json["machine"] == {"id": of_host["id"], "name": "thinkpad"}
        assert set(await machines(ada)) == {"laptop", "desktop", "thinkpad"}
        await ada.delete(f"/machines/{of_host['id']}")
        assert (await machine.report("--json")).json["machine"]["name"] == of_host["name"]

        fields = {"machine_id": laptop["id"]}
        own = (await ada.api_token("report", name="reporter", **fields))["token"]
        reporter = TestMachine(home, root, server.address, own)
        named = await reporter.report("--machine", "desktop", "--json")
        assert named.status == 1
        assert "laptop" in named.errors
        assert (await reporter.report("--json")).json["machine"]["id"] == laptop["id"]

        await ada.delete(f"/machines/{laptop['id']}")
        refused = await reporter.report()
        assert (refused.status, refused.output) == (1, "")
        assert "unauthenticated" in refused.errors


@pytest.mark.long
async def test_a_reporter_outlives_a_restart_of_the_server(
    tmp_path: Path, home: Path, root: Path, repo: Repository
) -> None:
    assert repo.path.exists()
    port = str(free_port())
    async with running_server(tmp_path / "data", "--port", port) as server:
        async with server.client() as client:
            ada = await sign_up(client, "ada")
            token = (await ada.api_token("read", "write"))["token"]
        machine = TestMachine(home, root, server.address, token)
        process = await machine.start("--every", "1", "--json")
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(await process.stdout.readline())
        await server.stop()
    assert b"no server listens there" in await process.stderr.readline()
    async with running_server(tmp_path / "data", "--port", port):
        second = json.loads(await process.stdout.readline())
        await stopped(process, signal.SIGTERM)
    assert second["machine"] == first["machine"]
    assert second["sequence"] > first["sequence"] + 1  # one did not arrive


@pytest.mark.long
async def test_the_server_is_stopped_while_a_reporter_runs_and_the_reporter_ends_on_request(
    tmp_path: Path, home: Path, root: Path, repo: Repository
) -> None:
    assert repo.path.exists()
    async with running_user(tmp_path / "data") as (server, ada):
        token = (await ada.api_token("read", "write"))["token"]
        process = await TestMachine(home, root, server.address, token).start("--every", "1")
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"Reported 1 checkout")
        await server.stop(signal.SIGKILL)
        result, seconds = await stopped(process, signal.SIGTERM)
    assert (result.status, result.errors) == (0, "")
    assert seconds < 1.5
