"""Bytes that are not HTTP are answered with a problem, as every other error is."""

import json
from http import HTTPStatus

import pytest
import uvicorn
from uvicorn.server import ServerState

from symphony.api.problems.catalogue import PROBLEMS
from symphony.serving.http_protocol import TimeLimitedHttpProtocol
from tests.support.transport import Transport


async def _never_called(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError


@pytest.mark.parametrize("sent", [b"rubbish\r\n\r\n", b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", b"\0"])
async def test_bytes_that_are_not_http_are_answered_with_a_problem(sent: bytes) -> None:
    transport = Transport()
    protocol = TimeLimitedHttpProtocol(
        uvicorn.Config(_never_called, lifespan="off"), ServerState(), {}
    )
    protocol.connection_made(transport)
    protocol.data_received(sent)
    protocol.connection_lost(None)

    head, _, body = bytes(transport.written).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    problem = json.loads(body)
    assert status == "HTTP/1.1 400 Bad Request"
    assert problem == {
        "type": "/problems/malformed-request",
        "title": PROBLEMS["malformed-request"].title,
        "status": HTTPStatus.BAD_REQUEST,
        "detail": "The request is not valid HTTP/1.1.",
        "instance": "",
        "code": "malformed-request",
        "request_id": headers["x-request-id"],
    }
    assert headers == {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "x-request-id": problem["request_id"],
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "connection": "close",
    }
    assert transport.is_closed
