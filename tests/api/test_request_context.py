"""The outermost middleware: request ids, and requests that are cancelled."""

import asyncio
import json

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symphony.api.request_context import RequestContext
from tests.support.api import API


async def _waits(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


def _count(_method: str, _route: str | None, _status: int, _seconds: float) -> None:
    """Count nothing."""


async def _begins_and_waits(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.Event().wait()


@pytest.mark.parametrize(("application", "status"), [(_waits, 503), (_begins_and_waits, 200)])
async def test_a_request_that_is_cancelled_because_the_service_stops_is_a_503_unless_it_has_begun(
    application: ASGIApp, status: int
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    context = RequestContext(application, _count)
    request = asyncio.create_task(context(scope, receive, send))
    await asyncio.sleep(0)
    request.cancel()
    await request
    assert sent[0]["status"] == status
    if status == 503:
        assert (b"retry-after", b"1") in sent[0]["headers"]
        assert json.loads(sent[1]["body"])["code"] == "service-unavailable"


async def test_a_valid_request_id_is_returned_and_any_other_replaced(
    client: httpx.AsyncClient,
) -> None:
    for given in ("a", "A-z_0.9", "x" * 128):
        for path in ("/", "/nothing", f"{API}/user-profiles/me"):
            answer = await client.get(path, headers={"X-Request-ID": given})
            assert answer.headers.get_list("x-request-id") == [given]
    made: set[str] = set()
    refused = ("", " ", "x" * 129, "a b", "a/b", "a,b", "<x>", "a\tb", "é", '"a"')
    for bad in refused:
        answer = await client.get("/nothing", headers={b"X-Request-ID": bad.encode()})
        (request_id,) = answer.headers.get_list("x-request-id")
        assert request_id != bad
        assert answer.json()["request_id"] == request_id
        made.add(request_id)
    assert len(made) == len(refused)
