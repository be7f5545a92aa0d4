"""Requests that wait for Argon2: one client address, or one account, cannot keep others out."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from functools import partial

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.types import Message

from scripts.support.polling import until
from symphony import main
from symphony.config.settings import Settings
from symphony.infrastructure.hashing_queue import HashingQueue, Job, QueueLimits
from symphony.infrastructure.hashing_threads import HashingThreads
from tests.support.api import API, PASSWORD, code, sign_up
from tests.support.hashing import CHEAP
from tests.support.openapi import check
from tests.support.vaults import OpenVault

FORM = {"username": "ada", "password": PASSWORD}
STRANGER, OTHER = "203.0.113.1", "198.51.100.7"


@pytest.fixture
async def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FastAPI]:
    """A service with one thread for Argon2, and two places for each requester."""

    def one_thread(_: int) -> HashingThreads:
        return HashingThreads(1, QueueLimits(per_requester=2))

    monkeypatch.setattr(main, "HashingThreads", one_thread)
    app = main.create_app(settings, costs=CHEAP)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def clients(app: FastAPI) -> AsyncGenerator[list[httpx.AsyncClient]]:
    """Clients with different addresses."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app, client=(address, 50_000)),
                    base_url="http://127.0.0.1",
                    event_hooks={"response": [check]},
                    timeout=60,
                )
            )
            for address in (STRANGER, OTHER)
        ]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Generator[threading.Event]:
    """Passwords are compared after this event; until then they occupy the thread."""
    release, verify = threading.Event(), PasswordHasher.verify

    def slow(self: PasswordHasher, password_hash: str, password: bytes) -> bool:
        release.wait(60)
        return verify(self, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", slow)
    yield release
    release.set()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many hashes have got a place in the queue (`add`), and have left it for the thread."""
    counts = Counter[str]()
    add, take = HashingQueue.add, HashingQueue.take

    def counting_add(self: HashingQueue, job: Job) -> None:
        add(self, job)
        counts["add"] += 1

    def counting_take(self: HashingQueue) -> Job:
        job = take(self)
        counts["take"] += 1
        return job

    monkeypatch.setattr(HashingQueue, "add", counting_add)
    monkeypatch.setattr(HashingQueue, "take", counting_take)
    return counts


async def test_a_client_with_too_many_sign_ins_gets_a_503_and_others_are_served(
    clients: list[httpx.AsyncClient], held: threading.Event
) -> None:
    held.set()
    stranger, other = clients
    ada = await sign_up(other, "ada")
    workspace = await ada.workspace()
    vault = await OpenVault.created(ada, workspace["id"], "keys", "a mare and a cell")
    held.clear()
    guesses = [asyncio.create_task(stranger.post(f"{API}/auth/token", data=FORM)) for _ in range(5)]

    async def two_are_refused() -> bool:
        return sum(guess.done() for guess in guesses) == 2

    await until(two_are_refused)
    unlock = asyncio.create_task(vault.unlock())
    sign_in = asyncio.create_task(other.post(f"{API}/auth/token", data=FORM))
    await asyncio.sleep(0.05)
    assert not unlock.done()
    assert not sign_in.done()
    held.set()
    assert (await unlock).status_code == 200
    assert (await sign_in).status_code == 200
    answers = await asyncio.gather(*guesses)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert [code(answer) for answer in refused] == ["503 service-unavailable"] * 2
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)


@pytest.mark.long
async def test_sign_ups_wait_in_the_queue_of_their_address(
    clients: list[httpx.AsyncClient], held: threading.Event
) -> None:
    stranger, other = clients
    guesses = await guesses_that_fill_the_queue(stranger)
    body = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
    assert code(await stranger.post(f"{API}/user-profiles", json=body)) == "503 service-unavailable"
    created = asyncio.create_task(other.post(f"{API}/user-profiles", json=body))
    await asyncio.sleep(0.05)
    held.set()
    assert (await created).status_code == 201
    assert {answer.status_code for answer in await asyncio.gather(*guesses)} <= {200, 401, 503}


async def guesses_that_fill_the_queue(
    stranger: httpx.AsyncClient,
) -> list[asyncio.Task[httpx.Response]]:
    """Send sign-ins until one is refused, which shows that the others wait for the thread."""
    guesses = list[asyncio.Task[httpx.Response]]()
    while not any(guess.done() for guess in guesses):
        guesses.append(asyncio.create_task(stranger.post(f"{API}/auth/token", data=FORM)))
        await asyncio.sleep(0.1)
    assert {code(await guess) for guess in guesses if guess.done()} == {"503 service-unavailable"}
    return guesses


@pytest.mark.long
async def test_a_client_that_disconnects_frees_its_place(
    app: FastAPI,
    clients: list[httpx.AsyncClient],
    held: threading.Event,
    counted: Counter[str],
) -> None:
    async def has_begun() -> bool:
        return counted["take"] == 1

    async def has_added(count: int) -> bool:
        return counted["add"] == count

    stranger, _ = clients
    first = asyncio.create_task(stranger.post(f"{API}/auth/token", data=FORM))
    await until(has_begun)
    for number in range(2):
        left = [asyncio.Event() for _ in range(2)]
        waiting = [asyncio.create_task(_abandoned_sign_in(app, event)) for event in left]
        await until(partial(has_added, 1 + 2 * (number + 1)))
        refused = await stranger.post(f"{API}/auth/token", data=FORM)
        assert code(refused) == "503 service-unavailable"
        for event in left:
            event.set()
        async with asyncio.timeout(30):
            assert await asyncio.gather(*waiting) == [[], []]
    held.set()
    assert (await first).status_code == 401


async def _abandoned_sign_in(app: FastAPI, left: asyncio.Event) -> list[Message]:
    """Sign in from the stranger's address, disconnect at the event; return what was sent."""
    sent, content = list[Message](), b"username=ada&password=wrong"
    received: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        if received:
            return received.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"{API}/auth/token",
        "raw_path": f"{API}/auth/token".encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": (STRANGER, 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return sent
