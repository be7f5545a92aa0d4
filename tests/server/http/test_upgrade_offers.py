"""Offers to change the protocol are ignored (RFC 9110, 7.8); the request keeps its body."""

import pytest

from tests.server.http.connection import Recorder, exchange, problem_of, statuses

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OFFERS = (
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "upgrade: websocket\r\nconnection: keep-alive, upgrade\r\nSec-WebSocket-Version: 13",
    "UPGRADE: TLS/1.0, HTTP/2.0\r\nConnection: UPGRADE",
    "Upgrade: a\r\nUpgrade:\r\nupgrade: b\xff\r\nConnection: x\r\nConnection: upgrade",
    "Connection: upgrade",
    "Upgrade: h2c",
    "Expect: 100-continue\r\nUpgrade: h2c\r\nConnection: Upgrade",
)


def request(method: str, offer: str, body: bytes, *, chunked: bool) -> bytes:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = f"{method} /offer HTTP/1.1\r\nHost: x\r\n{offer}\r\n{framing}\r\n\r\n"
    if chunked:
        body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return head.encode("latin-1") + body


@pytest.mark.parametrize("offer", OFFERS)
async def test_a_request_with_an_offer_is_one_request_with_its_body(offer: str) -> None:
    shapes = [(method, SMUGGLED, False) for method in METHODS]
    shapes += [("POST", SMUGGLED, True), ("PATCH", b"", True), ("PUT", b"", False)]
    for method, body, chunked in shapes:
        sent = request(method, offer, body, chunked=chunked)
        after = b"POST /after HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"
        end_of_head = sent.index(b"\r\n\r\n") + 4
        for pieces in (
            [sent + after],
            [sent[:end_of_head], sent[end_of_head:] + after],
            [sent[: end_of_head - 2], sent[end_of_head - 2 :], after],
            [sent[:40], sent[40:-1], sent[-1:] + after],
        ):
            application = Recorder()
            written = await exchange(application, *pieces)
            assert [(each.method, each.path, each.body) for each in application.requests] == [
                (method, "/offer", body),
                ("POST", "/after", b"ok"),
            ]
            assert statuses(written) == [200, 200]


async def test_an_offer_does_not_keep_a_connection_that_the_client_closes() -> None:
    offer = "Connection: close, Upgrade\r\nUpgrade: h2c"
    written = await exchange(Recorder(), request("POST", offer, b"a", chunked=False) + SMUGGLED)
    assert statuses(written) == [200]
    assert b"\r\nconnection: close\r\n" in written


async def test_an_offer_in_the_trailers_is_ignored() -> None:
    sent = request("POST", "X: y", b"a", chunked=True).removesuffix(b"\r\n")
    application = Recorder()
    written = await exchange(
        application, sent + b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n" + SMUGGLED
    )
    assert [each.path for each in application.requests] == ["/offer", "/smuggled"]
    assert statuses(written) == [200, 200]
    assert "upgrade" not in application.requests[0].headers


@pytest.mark.parametrize("target", ["x:443", "/", "http://x/", "*"])
async def test_connect_is_refused_with_everything_after_it(target: str) -> None:
    head = f"CONNECT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n"
    application = Recorder()
    written = await exchange(application, head.encode() + SMUGGLED)
    assert application.requests == []
    assert statuses(written) == [400]
    assert problem_of(written)["code"] == "malformed-request"


async def test_the_preface_of_http_2_is_refused() -> None:
    written = await exchange(Recorder(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    assert statuses(written) == [400]
