"""Requests that never get to the application are answered with a problem, then disconnected."""

from http import HTTPStatus

import pytest

from symphony.api.problems.catalogue import PROBLEMS
from tests.server.http.connection import Connection, Recorder, exchange, problem_of, statuses

NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(
    target: bytes = b"/", version: bytes = b"HTTP/1.1", fields: bytes = b"Host: x\r\n"
) -> bytes:
    return b"GET %s %s\r\n%s\r\n" % (target, version, fields)


def post(fields: bytes, body: bytes = b"ab", version: bytes = b"HTTP/1.1") -> bytes:
    return b"POST / %s\r\nHost: x\r\n%s\r\n\r\n%s" % (version, fields, body)


@pytest.mark.parametrize("sent", [b"rubbish\r\n\r\n", b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", b"\0"])
async def test_bytes_that_are_not_http_are_answered_with_a_problem(sent: bytes) -> None:
    connection = Connection(Recorder())
    written = await connection.send(sent)
    connection.close()

    head, _, body = written.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    problem = problem_of(written)
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
    assert connection.transport.is_closed or connection.transport.is_half_closed


MALFORMED = {
    "no Host": get(fields=b""),
    "no Host, but another field": get(fields=b"Hostname: x\r\n"),
    "two Hosts": get(fields=b"Host: x\r\nhost: x\r\n"),
    "two Hosts in HTTP/1.0": get(version=b"HTTP/1.0", fields=b"Host: x\r\nHost: y\r\n"),
    "an empty Host": get(fields=b"Host:\r\n"),
    "a Host with a user": get(fields=b"Host: a@x\r\n"),
    "a Host with a path": get(fields=b"Host: x/y\r\n"),
    "a Host with a scheme": get(fields=b"Host: http://x\r\n"),
    "a Host with a space": get(fields=b"Host: a b\r\n"),
    "a Host that is not ASCII": get(fields=b"Host: \xe9\r\n"),
    "a Host with a wrong port": get(fields=b"Host: x:80a\r\n"),
    "a Host without brackets": get(fields=b"Host: ::1\r\n"),
    "a very long Host": get(fields=b"Host: " + b"x" * 300 + b"\r\n"),
    "an absolute URL without Host": get(b"http://x/", fields=b""),
    "an absolute URL with a user": get(b"http://a@x/"),
    "an absolute URL without a host": get(b"http:///y"),
    "another scheme": get(b"ftp://x/"),
    "a target that is no path": get(b"x"),
    "an asterisk for GET": get(b"*"),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 by name": get(version=b"HTTP/0.9"),
    "HTTP/1.2": get(version=b"HTTP/1.2"),
    "HTTP/2.0": get(version=b"HTTP/2.0"),
    "RTSP": get(version=b"RTSP/1.0"),
    "ICE": b"SOURCE / ICE/1.0\r\nHost: x\r\n\r\n",
    "a response": b"HTTP/1.1 200 OK\r\nHost: x\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "a bare line feed in a field": get(fields=b"Host: x\r\nA: b\nTransfer-Encoding: chunked\r\n"),
    "a bare carriage return": get(fields=b"Host: x\r\nA: b\rC: d\r\n"),
    "a folded field": get(fields=b"Host: x\r\nA: b\r\n c\r\n"),
    "a folded Upgrade": get(fields=b"Host: x\r\nUpgrade: a\r\n b\r\nConnection: upgrade\r\n"),
    "a folded first field": get(fields=b" A: b\r\nHost: x\r\n"),
    "a space before the colon": get(fields=b"Host: x\r\nContent-Length : 2\r\n"),
    "NUL in a field": get(fields=b"Host: x\r\nA: b\0c\r\n"),
    "NUL in Upgrade": get(fields=b"Host: x\r\nUpgrade: b\0c\r\nConnection: upgrade\r\n"),
    "an empty name": get(fields=b"Host: x\r\n: b\r\n"),
    "a name that is not ASCII": get(fields=b"Host: x\r\n\xe9: b\r\n"),
    "a length and chunks": post(b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "chunks and a length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 2", b"0\r\n\r\n"),
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 2"),
    "a list of lengths": post(b"Content-Length: 2, 2"),
    "a signed length": post(b"Content-Length: +2"),
    "a negative length": post(b"Content-Length: -2"),
    "a hexadecimal length": post(b"Content-Length: 0x2"),
    "an empty length": post(b"Content-Length:"),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999"),
    "another coding": post(b"Transfer-Encoding: gzip"),
    "two codings": post(b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    "chunked first": post(b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    "chunked with a vertical tab": post(b"Transfer-Encoding: \x0bchunked", b"0\r\n\r\n"),
    "a coding in HTTP/1.0": post(b"Transfer-Encoding: chunked", b"0\r\n\r\n", b"HTTP/1.0"),
    "a chunk size with a line feed": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "a chunk that is too long": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a chunk size with a sign": CHUNKED + b"+1\r\na\r\n0\r\n\r\n",
    "a hexadecimal prefix": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "a space after the size": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"10000000000000001\r\na\r\n0\r\n\r\n",
    "an empty chunk size": CHUNKED + b"\r\n0\r\n\r\n",
    "trailers with line feeds": CHUNKED + b"0\r\nA: b\n\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_request_is_a_400_and_nothing_after_it_is_answered(sent: bytes) -> None:
    for pieces in ([sent + NEXT], [NEXT + sent + NEXT], [NEXT, sent, NEXT]):
        application = Recorder()
        connection = Connection(application)
        written = await connection.send(*pieces)
        connection.close()
        before = len(pieces[0].partition(sent)[0]) > 0 or len(pieces) > 1
        assert statuses(written) == [200] * before + [400]
        assert [each.path for each in application.requests] == ["/next"] * before
        assert problem_of(written)["code"] == "malformed-request"
        assert connection.transport.is_closed or connection.transport.is_half_closed


ACCEPTED = {
    "HTTP/1.0 without Host": get(version=b"HTTP/1.0", fields=b""),
    "a name and a port": get(fields=b"Host: example.org:8000\r\n"),
    "an IPv6 address": get(fields=b"Host: [::1]:8000\r\n"),
    "a name with an underscore": get(fields=b"Host: my_service\r\n"),
    "spaces around Host": get(fields=b"Host:   x  \r\n"),
    "empty lines before": b"\r\n\r\n" + get(),
    "a length with spaces after it": post(b"Content-Length: 2 \t"),
    "another case": post(b"transfer-encoding: Chunked", b"2\r\nab\r\n0\r\n\r\n"),
    "an extension and a trailer": post(
        b"Transfer-Encoding: chunked", b'02;a=b;c="d"\r\nab\r\n000;e\r\nX: y\r\n\r\n'
    ),
}


@pytest.mark.parametrize("sent", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_an_unusual_but_valid_request_is_answered(sent: bytes) -> None:
    application = Recorder()
    assert statuses(await exchange(application, sent)) == [200]
    (got,) = application.requests
    assert got.body == (b"ab" if sent.startswith(b"POST") else b"")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://real:81/a/b?c", "/a/b"),
        (b"HTTPS://real:81/a/b", "/a/b"),
        (b"http://real:81", "/"),
        (b"http://real:81?c=/d", "/"),
        (b"http://real:81//a", "//a"),
    ],
)
async def test_the_host_of_an_absolute_url_replaces_the_field(target: bytes, path: str) -> None:
    application = Recorder()
    sent = get(target, fields=b"A: b\r\nHost: trusted\r\nX-Forwarded-Host: c\r\n")
    assert statuses(await exchange(application, sent)) == [200]
    (got,) = application.requests
    assert got.path == path
    assert got.headers == {"host": "real:81", "a": "b", "x-forwarded-host": "c"}


async def test_options_of_the_whole_server_gets_to_the_application() -> None:
    application = Recorder()
    sent = b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
    assert statuses(await exchange(application, sent)) == [200]
    assert application.requests[0].path == "*"


async def test_trailers_are_not_merged_into_the_headers() -> None:
    application = Recorder()
    await exchange(application, CHUNKED + b"1\r\na\r\n0\r\nAuthorization: b\r\nHost: y\r\n\r\n")
    assert application.requests[0].headers == {"host": "x", "transfer-encoding": "chunked"}


async def test_a_refused_request_keeps_its_request_id_unless_it_has_none() -> None:
    sent = get(fields=b"X-Request-ID: mine\r\n")
    assert problem_of(await exchange(Recorder(), sent))["request_id"] == "mine"
    first = NEXT.replace(b"Host", b"X-Request-ID: first\r\nHost")
    written = await exchange(Recorder(), first + b"GET /\r\n\r\n")
    assert statuses(written) == [200, 400]
    assert problem_of(written)["request_id"] != "first"


async def test_the_refusal_of_a_head_request_has_no_content() -> None:
    written = await exchange(Recorder(), b"HEAD / HTTP/1.1\r\n\r\n")
    assert statuses(written) == [400]
    assert written.endswith(b"\r\n\r\n")


async def test_http_1_0_is_not_asked_to_continue() -> None:
    for version, expected in ((b"HTTP/1.1", 1), (b"HTTP/1.0", 0)):
        sent = post(b"Expect: 100-Continue\r\nContent-Length: 2", b"", version)
        written = await exchange(Recorder(), sent, b"ab")
        assert written.count(b"HTTP/1.1 100 Continue\r\n\r\n") == expected
        assert statuses(written) == [200]
