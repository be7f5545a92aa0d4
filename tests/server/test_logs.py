"""What the log says about requests and errors, and what it omits."""

import asyncio
import logging
import secrets
import sqlite3
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
import structlog

from scripts.support.polling import until
from symphony import logs
from tests.support.api import API, code, sign_up
from tests.support.server import running_server
from tests.support.vaults import OpenVault

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def as_before() -> Generator[None]:
    """Configuring logs replaces the handlers that pytest has set."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def look_up(secret: str) -> None:
    raise LookupError(len(secret))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_shows_the_code_but_not_the_values_in_it(
    log_format: Literal["text", "json"], capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure(log_format)
    password = secrets.token_hex(8)
    try:
        look_up(password)
    except LookupError:
        structlog.get_logger("symphony.test").exception("request failed")
    logs.finish()
    written = capfd.readouterr().err
    assert "LookupError" in written
    assert password not in written


async def test_all_processes_write_one_line_in_json_for_each_request_and_nothing_that_was_sent(
    tmp_path: Path,
) -> None:
    path, query, body, header, name = canaries = [secrets.token_hex(8) for _ in range(5)]
    request_id = f"test-{secrets.token_hex(8)}"
    given = {"X-Request-ID": request_id, "X-Canary": header}
    async with (
        running_server(tmp_path / "data", "--workers", "2", "--log-format", "json") as server,
        server.client() as client,
    ):
        ada = await sign_up(client, "ada_lovelace")
        workspace = await ada.workspace(name)
        one = f"/workspaces/{workspace['id']}"
        fifty = await asyncio.gather(*(ada.get(one, headers=given) for _ in range(50)))
        assert all(each.json() == workspace for each in fifty)
        await ada.patch(one, {"description": body}, headers=given)
        await ada.get(f"{one}/repos", params={"q": query}, headers=given)
        await client.get(f"{API}/{path}", params={"q": query}, headers=given)

        def counted() -> Counter[tuple[str, str | None, int]]:
            entries = server.log_entries()
            own = (each for each in entries if each.get("request_id") == request_id)
            return Counter((each["method"], each["route"], each["status"]) for each in own)

        async def all_are_written() -> bool:
            return counted().total() == 53

        await until(all_are_written)  # a line is written when its answer has gone
        assert counted() == {
            ("GET", "/api/v1/workspaces/{workspace_id}", 200): 50,
            ("PATCH", "/api/v1/workspaces/{workspace_id}", 200): 1,
            ("GET", "/api/v1/workspaces/{workspace_id}/repos", 200): 1,
            ("GET", None, 404): 1,
        }
        written = server.log.read_text()
        sent = (*canaries, ada.token, ada.name, workspace["id"])
        assert not [each for each in sent if each in written]


async def test_a_damaged_entry_is_a_warning_in_the_log(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "data", "--log-format", "json") as server,
        server.client() as client,
    ):
        ada = await sign_up(client, "ada")
        vault = await OpenVault.created(ada, (await ada.workspace())["id"], "v")
        await vault.put("a")
        with closing(sqlite3.connect(tmp_path / "data" / "symphony.sqlite3")) as database, database:
            database.execute("UPDATE vault_entries SET sealed = x'00'")
        damaged = await vault.get("a")
        assert code(damaged) == "409 entry-damaged"

        def warnings() -> list[tuple[str, str]]:
            entries = server.log_entries()
            own = (each for each in entries if each["level"] == "warning")
            return [(each["request_id"], each["vault_id"]) for each in own]

        async def is_written() -> bool:
            return warnings() == [(damaged.headers["x-request-id"], vault.id)]

        await until(is_written)
