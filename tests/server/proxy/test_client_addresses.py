"""Behind nginx, with a recipe of production.md, sign-ins count by the address of the client."""

from pathlib import Path

import httpx
import pytest

from tests.server.proxy.nginx import running_nginx
from tests.server.proxy.test_root_path import PREFIX, RECIPES
from tests.support.api import API, PASSWORD
from tests.support.server import running_server

pytestmark = pytest.mark.long


@pytest.mark.parametrize("recipe", ["kept", "removed"])
async def test_a_client_cannot_choose_the_address_that_counts(recipe: str, tmp_path: Path) -> None:
    async with running_server(
        tmp_path / "data", "--root-path", PREFIX, TRUSTED_PROXIES="127.0.0.1"
    ) as server:
        nginx = RECIPES[recipe].replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        async with running_nginx(tmp_path / "nginx", nginx) as address:

            def client(own: str) -> httpx.AsyncClient:
                transport = httpx.AsyncHTTPTransport(local_address=own)
                return httpx.AsyncClient(
                    base_url=f"{address}{PREFIX}{API}", transport=transport, timeout=60
                )

            async with client("127.0.0.2") as stranger, client("127.0.0.3") as ada:
                body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
                assert (await ada.post("/user-profiles", json=body)).status_code == 201
                wrong = {"username": "ada", "password": "a wrong one"}
                refused = [
                    await stranger.post(
                        "/auth/token", data=wrong, headers={"X-Forwarded-For": f"192.0.2.{number}"}
                    )
                    for number in range(9)
                ]
                assert {answer.status_code for answer in refused} == {401, 429}
                form = {"username": "ada", "password": PASSWORD}
                assert (await ada.post("/auth/token", data=form)).status_code == 200
