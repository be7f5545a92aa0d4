"""Two processes on two machines behind nginx, with the recipe of docs/production.md.

The machines share nothing but the network of the database, and that of the proxy: each is a
network namespace, with a cable into each of the two.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts.support.database_clusters import Cluster, a_cluster_at
from scripts.support.polling import until
from symphony.infrastructure.database.engine import DEFAULT_LIMITS
from tests.conftest import MASTER_KEY, SECRET
from tests.server.hosts.load import Load, running
from tests.server.hosts.network import Machine, machines
from tests.server.hosts.test_failover import REPLAYED, require_all
from tests.server.proxy.nginx import running_nginx
from tests.support.api import User, code, created, sign_up
from tests.support.checkout import TOP
from tests.support.documents import blocks
from tests.support.metrics import scraped
from tests.support.server import Server, running_server

pytestmark = pytest.mark.long

NAME = "symphony.example.org"
UPSTREAMS, LOCATION = (
    block
    for block in blocks((TOP / "docs" / "production.md").read_text("utf-8"), "nginx")
    if "upstream symphony" in block or "http://symphony;" in block
)
# The addresses of the recipe, and a network that only the machines of the service share.
PROXY, ONE, TWO = "192.0.2.1", "192.0.2.11", "192.0.2.12"
DATABASE, DATABASE_NETWORK = "198.51.100.1", "198.51.100.0/24"
WRITES = 80  # before, during and after the time in which a cable is pulled
NOTICED_WITHIN = 30.0  # seconds until a client has got a 503
READY_WITHIN = 10.0  # seconds, which a probe of readiness may take on a busy machine
ANSWERED_WITHIN = DEFAULT_LIMITS.work_timeout + READY_WITHIN
REQUESTS = 8
PASSED_ON_WITHIN = 6.0  # seconds, of which 2 are those of the recipe


@dataclass(frozen=True, slots=True)
class Site:
    """What runs where; the tests themselves run on the machine of the proxy."""

    database: Machine
    proxy: Machine
    one: Machine
    two: Machine
    cluster: Cluster
    first: Server
    second: Server
    client: httpx.AsyncClient
    """A client of nginx."""


@asynccontextmanager
async def a_site(folder: Path) -> AsyncGenerator[Site]:
    with machines("database", "proxy", "one", "two") as (database, proxy, one, two):
        database.become_switch(f"{DATABASE}/24")
        proxy.become_switch(f"{PROXY}/24")
        one.plug_into(proxy, f"{ONE}/24")
        two.plug_into(proxy, f"{TWO}/24")
        one.plug_into(database, "198.51.100.11/24")
        two.plug_into(database, "198.51.100.12/24")
        proxy.plug_into(database, "198.51.100.9/24")  # for the checks of the tests
        settings = {
            "DATABASE_URL": f"postgresql://postgres@{DATABASE}/postgres?sslmode=disable",
            "SECRET_KEY": SECRET,
            "MASTER_KEY": MASTER_KEY,
            "ALLOWED_HOSTS": NAME,
            "TRUSTED_PROXIES": PROXY,
            "AUTO_MIGRATE": "true",
            "MAX_REPOS_PER_WORKSPACE": "1000000",
        }
        with proxy.entered():
            async with (
                a_cluster_at(DATABASE, DATABASE_NETWORK, database.namespace) as cluster,
                running_server(
                    folder / "one", *at(ONE), namespace=one.namespace, **settings
                ) as first,
                running_server(
                    folder / "two", *at(TWO), namespace=two.namespace, **settings
                ) as second,
                running_nginx(folder / "nginx", LOCATION, UPSTREAMS) as address,
                httpx.AsyncClient(
                    base_url=address, headers={"Host": NAME}, timeout=60, trust_env=False
                ) as client,
            ):
                yield Site(database, proxy, one, two, cluster, first, second, client)


def at(address: str) -> tuple[str, ...]:
    """The options of a process that is at one of the addresses of the recipe."""
    assert f"server {address}:8000 " in UPSTREAMS
    return ("--host", address, "--port", "8000")


async def served(server: Server) -> float:
    """How many requests a process has answered, but for those that ask it how it is."""
    async with server.client() as client:
        samples = await scraped(client)
    count = "symphony_http_request_duration_seconds_count"
    routes = ("/metrics", "/health/ready", "/health/live")
    return samples.value(count) - sum(samples.value(count, route=route) for route in routes)


async def test_a_machine_without_its_database_costs_503s_and_no_acknowledged_write(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        ada = await sign_up(site.client, "ada")
        load = Load(ada, (await ada.workspace())["id"])
        async with running(load), site.first.client() as cut_off, site.second.client() as other:
            await load.wait_for_writes(WRITES)
            for server in (site.first, site.second):
                assert await served(server) > WRITES / 4
            assert not [each for each in load.answers if "503" in each]

            site.one.pull_cable(site.database)
            here = User(cut_off, ada.id, ada.name, ada.token)
            for _ in range(2):  # on connections from before, and on a new one
                started = time.monotonic()
                answer = await here.post(f"{load.path}/repos", {"name": "never", "path": "~/x"})
                assert code(answer) == "503 service-unavailable"
                assert int(answer.headers["Retry-After"]) >= 1
                assert time.monotonic() - started < ANSWERED_WITHIN
            ready = await cut_off.get("/health/ready")
            reason = "the database cannot be reached"
            assert (ready.status_code, ready.json()["reason"]) == (503, reason)
            assert (await cut_off.get("/health/live")).status_code == 200
            assert (await other.get("/health/ready")).status_code == 200

            async def is_noticed() -> bool:
                return any("503" in each for each in load.answers)

            await until(is_noticed, NOTICED_WITHIN)
            await load.wait_for_writes(WRITES)  # by way of the other machine

            site.one.plug_again(site.database)

            async def is_ready() -> bool:
                return (await cut_off.get("/health/ready")).status_code == 200

            await until(is_ready, READY_WITHIN)
            before = await served(site.first)
            await load.wait_for_writes(WRITES)
            assert await served(site.first) - before > WRITES / 4
        # nginx has asked the other machine instead, but never repeated a write by itself.
        assert not [each for each in load.answers if each.startswith("GET 503")]
        await require_all(load, site.cluster, list(load.acknowledged)[-REPLAYED:])
        print(f"{len(load.acknowledged)} repos, slowest {load.slowest:.1f} s: {load.answers}")  # noqa: T201


async def test_a_machine_that_is_gone_fails_no_request(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        ada = await sign_up(site.client, "ada")
        path = f"/workspaces/{(await ada.workspace())['id']}/repos"
        site.one.pull_cable(site.proxy)
        before = await served(site.second)
        for number in range(REQUESTS // 2):
            started = time.monotonic()
            repo = created(await ada.post(path, {"name": f"r{number}", "path": "~/x"}))
            assert (await ada.get(f"/repos/{repo['id']}")).json() == repo
            assert time.monotonic() - started < 2 * PASSED_ON_WITHIN
        assert await served(site.second) - before == REQUESTS

        site.one.plug_again(site.proxy)
        before = await served(site.first)

        async def is_used() -> bool:
            assert (await ada.get(path)).is_success
            return await served(site.first) > before

        await until(is_used, READY_WITHIN)


async def test_a_database_that_is_gone_is_the_503_of_the_service(tmp_path: Path) -> None:
    """nginx must not take the machines for failed ones, and answer in their place."""
    async with a_site(tmp_path) as site:
        ada = await sign_up(site.client, "ada")
        path = f"/workspaces/{(await ada.workspace())['id']}"
        site.cluster.kill()
        for _ in range(REQUESTS):
            answer = await ada.get(path)
            assert code(answer) == "503 service-unavailable"
            assert int(answer.headers["Retry-After"]) >= 1
        await site.cluster.start()
        assert (await ada.get(path)).is_success
