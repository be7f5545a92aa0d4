"""What the outermost middleware does with requests that do not end by themselves."""

import asyncio
import json

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symphony.api.request_context import RequestContext


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
