"""230 strangers who guess passwords without a pause keep nobody else out.

Times would depend on the machine, so the test counts how many guesses the service answers before
it answers an owner: a guess takes about 40 ms, so 50 guesses take two seconds.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from scripts.support.polling import until
from tests.support.api import API, PASSWORD, sign_up
from tests.support.server import Server, running_server
from tests.support.vaults import OpenVault

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]
STRANGERS = 230
ADDRESSES = {
    "one address": ["127.0.1.1"],
    "many addresses": [f"127.0.1.{number}" for number in range(1, STRANGERS + 1)],
}
_SAMPLES = 10
_MAX_GUESSES = 50


def client_from(server: Server, address: str) -> httpx.AsyncClient:
    """A client with an address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(transport=transport, base_url=server.address, timeout=120)


async def guess(server: Server, address: str, name: str, statuses: Counter[str]) -> None:
    """Guess without end, over one connection; a client of httpx would take longer than a hash."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, local_addr=(address, 0)
    )
    try:
        while True:
            name += "x"  # a login that is not throttled yet
            form = f"username={name}&password=wrong+wrong".encode()
            writer.write(
                b"POST /api/v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(form), form)
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            status, fields = head[9:12], dict(line.split(": ") for line in head.splitlines()[1:-1])
            await reader.readexactly(int(fields["content-length"]))
            statuses[status] += 1
            if status == "503":
                await asyncio.sleep(int(fields["retry-after"]))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def guessing(server: Server, addresses: list[str]) -> AsyncGenerator[Counter[str]]:
    """Have strangers guess until the context ends; yield the statuses that they get."""
    statuses = Counter[str]()
    tasks = [
        asyncio.create_task(
            guess(server, addresses[number % len(addresses)], f"nobody{number}", statuses)
        )
        for number in range(STRANGERS)
    ]

    async def have_begun() -> bool:
        return statuses["401"] > 5

    await until(have_begun, within=60)
    yield statuses
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in results} == {asyncio.CancelledError}


async def most_guesses(statuses: Counter[str], ask: Callable[[], Awaitable[httpx.Response]]) -> int:
    """Return how many guesses were answered during one request, of some, at most."""
    most = 0
    for _ in range(_SAMPLES):
        before = statuses["401"]
        answer = await ask()
        most = max(most, statuses["401"] - before)
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(0.05)
    return most


@pytest.mark.parametrize("addresses", ADDRESSES.values(), ids=ADDRESSES)
async def test_an_owner_unlocks_and_signs_in_while_230_strangers_guess(
    tmp_path: Path, addresses: list[str]
) -> None:
    async with (
        running_server(tmp_path / "data") as server,
        client_from(server, "127.0.0.1") as owner,
        client_from(server, "127.0.0.2") as elsewhere,
    ):
        ada = await sign_up(owner, "ada")
        workspace = await ada.workspace()
        vault = await OpenVault.created(ada, workspace["id"], "keys", "a mare and a cell")
        form = {"username": "ada", "password": PASSWORD}

        def sign_in() -> Awaitable[httpx.Response]:
            return elsewhere.post(f"{API}/auth/token", data=form)

        assert (await sign_in()).status_code == 200
        async with guessing(server, addresses) as statuses:
            assert await most_guesses(statuses, vault.unlock) <= _MAX_GUESSES
            assert await most_guesses(statuses, sign_in) <= _MAX_GUESSES
        assert set(statuses) <= {"401", "503"}
        assert (statuses["503"] > 0) is (len(addresses) == 1)
