"""The maximum size of a body, with and without a declared length."""

import json
from collections.abc import AsyncGenerator

import pytest

from symphony.config.settings import Settings
from tests.support.api import User, code, running_api, sign_up

JSON = {"Content-Type": "application/json"}
LIMIT = 4096


@pytest.fixture
async def small(settings: Settings) -> AsyncGenerator[User]:
    """A user of a service that accepts bodies of at most 4 KiB."""
    async with running_api(settings.model_copy(update={"max_body_bytes": LIMIT})) as client:
        yield await sign_up(client, "ada")


async def test_a_body_that_is_declared_too_large_is_not_read(small: User) -> None:
    read: list[int] = []

    async def body() -> AsyncGenerator[bytes]:
        read.append(1)
        yield b"x"

    for length in (str(LIMIT + 1), "9" * 30):
        headers = JSON | {"Content-Length": length}
        for path in ("/api-tokens", "/user-profiles", "/auth/token"):
            answer = await small.request("POST", path, content=body(), headers=headers)
            assert code(answer) == "413 payload-too-large"
            assert f"{LIMIT:,} bytes" in answer.json()["detail"]
    assert read == []


async def test_a_body_of_no_declared_length_is_read_no_further_than_the_limit(small: User) -> None:
    sent: list[int] = []

    async def body() -> AsyncGenerator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield b" " * 1024

    answer = await small.request("POST", "/api-tokens", content=body(), headers=JSON)
    assert code(answer) == "413 payload-too-large"
    assert len(sent) <= LIMIT // 1024 + 2


async def test_a_body_as_large_as_the_limit_is_read(small: User) -> None:
    document = json.dumps({"name": "laptop", "scopes": ["read"]}).encode()
    answer = await small.request("POST", "/api-tokens", content=document.ljust(LIMIT), headers=JSON)
    assert answer.status_code == 201
    answer = await small.request(
        "POST", "/api-tokens", content=document.ljust(LIMIT + 1), headers=JSON
    )
    assert code(answer) == "413 payload-too-large"
