"""Requests to what may not be a Symphony server: bounded, and refused with the reason."""

import gzip
import json
import socket
from time import monotonic

import pytest

from symphony.client import connection
from symphony.client.connection import Connection, checked_url, is_loopback
from symphony.client.errors import ClientError, ServerProblem, UnexpectedAnswer, Unreachable
from tests.client.raw_server import http_answer, raw_server

PROBLEM = {
    "code": "validation-error",
    "detail": "2 fields are invalid; see `errors`.",
    "request_id": "abc",
    "errors": [
        {"pointer": "/name", "detail": "Must not be empty."},
        {"parameter": "q", "detail": "Must be text."},
    ],
}


def test_the_json_of_an_answer_is_returned_and_the_token_is_sent() -> None:
    with raw_server(http_answer(b'{"a": 1}')) as server, Connection(server.url, "sym_x") as opened:
        assert opened.request("GET", "/machines", query={"q": "a b&"}) == {"a": 1}
    assert server.heads[0].startswith(b"GET /api/v1/machines?q=a+b%26 HTTP/1.1\r\n")
    assert b"Authorization: Bearer sym_x\r\n" in server.heads[0]


def test_a_server_below_a_path_is_asked_below_it() -> None:
    with raw_server(http_answer(b"{}")) as server, Connection(f"{server.url}/sym/") as opened:
        opened.request("POST", "/machines", json={})
    assert server.heads[0].startswith(b"POST /sym/api/v1/machines HTTP/1.1\r\n")


def test_a_connection_is_used_again_and_opened_again_when_the_server_has_closed_it() -> None:
    answer = http_answer(b"{}")
    for closes in (False, True):
        with raw_server(answer, closes=closes) as server, Connection(server.url) as opened:
            assert [opened.request("GET", "/") for _ in range(3)] == [{}, {}, {}]
            assert len(server.heads) == 3


def test_an_answer_without_a_body_is_none() -> None:
    with raw_server(b"HTTP/1.1 204 No Content\r\n\r\n") as server, Connection(server.url) as opened:
        assert opened.request("DELETE", "/machines/1") is None


def test_a_compressed_answer_is_decompressed() -> None:
    body = gzip.compress(json.dumps(["ä"] * 1000).encode())
    answer = http_answer(body, "200 OK", "application/json", "Content-Encoding: gzip")
    with raw_server(answer) as server, Connection(server.url) as opened:
        assert opened.request("GET", "/") == ["ä"] * 1000


def test_a_problem_has_its_detail_its_errors_and_the_request_id() -> None:
    answer = http_answer(
        json.dumps(PROBLEM).encode(), "422 No", "application/problem+json", "Retry-After: 7"
    )
    with (
        raw_server(answer) as server,
        Connection(server.url) as opened,
        pytest.raises(ServerProblem) as raised,
    ):
        opened.request("GET", "/")
    assert str(raised.value) == (
        "/name: must not be empty. q: must be text. (validation-error, request abc)"
    )
    assert (raised.value.http_status, raised.value.retry_after) == (422, 7)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            http_answer(b"<p>", media_type="text/html; charset=utf-8"),
            "status 200 and the type text/",
        ),
        (
            http_answer(b"<p>", "404 Not Found", "text/html"),
            "the status 404 and the type text/html",
        ),
        (http_answer(b'{"a": '), "it is not valid JSON."),
        (http_answer(b"[" * 100_000), "it is not valid JSON."),
        (http_answer(b"\xff"), "it is not valid JSON."),
        (http_answer(b"[]", "404 Not Found"), "it has the status 404, but is not a problem."),
        (http_answer(b'{"code": 1}', "500 Oh"), "it has the status 500, but is not a problem."),
        (
            http_answer(b"", "302 Found", "text/html", "Location: https://example.org/"),
            "it leads to https://example.org/; if the server is there,",
        ),
        (
            http_answer(b"{}", "200 OK", "application/json", "Content-Encoding: br"),
            "it has an encoding that this command did not ask for.",
        ),
        (
            http_answer(b"{}", "200 OK", "application/json", "Content-Encoding: gzip"),
            "it is damaged.",
        ),
    ],
)
def test_an_answer_that_is_not_one_of_symphony_is_refused(answer: bytes, why: str) -> None:
    with (
        raw_server(answer) as server,
        Connection(server.url, within=5) as opened,
        pytest.raises(UnexpectedAnswer) as raised,
    ):
        opened.request("GET", "/")
    line = str(raised.value)
    assert line.startswith(f"The answer of {server.url} is not one of Symphony: ")
    assert why in line


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_an_answer_is_not_read_beyond_its_limit(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_ANSWER", 1 << 20)
    body = b" " * (1 << 22)
    sent = gzip.compress(body) if coding == "gzip" else body
    answer = http_answer(sent, "200 OK", "application/json", f"Content-Encoding: {coding}")
    with (
        raw_server(answer) as server,
        Connection(server.url) as opened,
        pytest.raises(UnexpectedAnswer, match="it has more than 1 MiB"),
    ):
        opened.request("GET", "/")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "it closed the connection before it had answered"),
        (http_answer(b'{"a": 1}')[:-1], "it closed the connection before it had answered"),
        (b"SSH-2.0-OpenSSH_9\r\n", "what it answers is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n", "what it answers is not HTTP"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000, "what it answers is not HTTP"),
    ],
)
def test_what_is_not_http_is_unreachable(answer: bytes, why: str) -> None:
    with (
        raw_server(answer) as server,
        Connection(server.url, within=5) as opened,
        pytest.raises(Unreachable) as raised,
    ):
        opened.request("GET", "/")
    assert str(raised.value) == f"Cannot reach {server.url}: {why}."


@pytest.mark.parametrize("answer", [http_answer(b"{}" * 1000), b"HTTP/1.1 200 OK\r\n" * 1000])
def test_a_slow_answer_is_given_up_after_the_time_limit(answer: bytes) -> None:
    began = monotonic()
    with (
        raw_server(answer, drip=0.02) as server,
        Connection(server.url, within=0.3) as opened,
        pytest.raises(Unreachable, match=r"it did not answer within 0\.3 seconds"),
    ):
        opened.request("GET", "/")
    assert monotonic() - began < 5


def test_a_port_without_a_server_and_a_name_without_an_address_are_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="no server listens there"):
        Connection(f"http://127.0.0.1:{port}").request("GET", "/")
    with pytest.raises(Unreachable, match="its name is unknown, or there is no network"):
        Connection("http://symphony.invalid").request("GET", "/")


def test_https_at_a_port_without_tls_says_so() -> None:
    with (
        raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server,
        pytest.raises(Unreachable, match="it does not speak TLS; perhaps http:// is meant"),
    ):
        Connection(server.url.replace("http:", "https:"), within=5).request("GET", "/")


@pytest.mark.parametrize(
    "url",
    [
        "", "symphony", "ftp://a", "http://", "https://a:b@c", "http://a?b", "http://a#b",
        "http://a:port", "http://a b", "http://ä", "http://a\nb", "http://[",
        "http://" + "a" * 2000, "http://a..b", "http://.a", f"http://{'a' * 64}.example.org",
    ],
)  # fmt: skip
def test_an_address_that_is_not_one_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ClientError, match="is not the address of a server"):
        checked_url(url)


@pytest.mark.parametrize("path", ["/machines/é", "/machines/a b", "/machines/a\r\nX: y", "/\ud800"])
def test_an_id_that_cannot_be_part_of_an_address_is_not_sent(path: str) -> None:
    with (
        raw_server(http_answer(b"{}")) as server,
        Connection(server.url) as opened,
        pytest.raises(UnexpectedAnswer, match="an id that is not one of Symphony"),
    ):
        opened.request("GET", path)
    assert server.heads == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("9" * 9, 999_999_999), ("9" * 5000, 10**9), ("-1", None), ("٣", None), ("", None)],
)
def test_a_pause_that_is_asked_for_is_a_number_of_any_length(
    value: str, seconds: int | None
) -> None:
    header = f"Retry-After: {value}"
    answer = http_answer(json.dumps(PROBLEM).encode(), "429 No", "application/problem+json", header)
    with (
        raw_server(answer) as server,
        Connection(server.url) as opened,
        pytest.raises(ServerProblem) as raised,
    ):
        opened.request("GET", "/")
    assert raised.value.retry_after == seconds


def test_loopback_addresses_are_recognized() -> None:
    here = ("http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "http://localhost/a")
    assert all(map(is_loopback, here))
    others = ("http://128.0.0.1", "http://localhost.example.org", "http://127.example.org")
    assert not any(map(is_loopback, others))


def test_a_problem_of_a_megabyte_is_cut_off() -> None:
    body = json.dumps({"code": "c" * 5000, "detail": "d" * (1 << 20), "request_id": "r" * 5000})
    with (
        raw_server(http_answer(body.encode(), "403 No", "application/problem+json")) as server,
        Connection(server.url) as opened,
        pytest.raises(ServerProblem) as raised,
    ):
        opened.request("GET", "/")
    assert len(str(raised.value)) < 4_000
