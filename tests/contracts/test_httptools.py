"""What Symphony expects of httptools (`symphony.serving`)."""

from importlib.metadata import version

import pytest
from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

CHANGED = (
    f"httptools {version('httptools')} has changed this: {{}}. Adapt src/symphony/serving/, then"
    " this test."
)
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"


class Stopped(Exception):
    """Raised by a callback."""


class Calls:
    """Notes the calls of the parser, and stops at one of them."""

    def __init__(self, stop_at: str = "") -> None:
        self.names: list[str] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self._stop_at = stop_at

    def _note(self, name: str) -> None:
        self.names.append(name)
        if name == self._stop_at:
            raise Stopped

    def on_message_begin(self) -> None:
        self._note("begin")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))
        self._note("header")

    def on_headers_complete(self) -> None:
        self._note("head")

    def on_body(self, body: bytes) -> None:
        self._note(f"body {body.decode()}")

    def on_message_complete(self) -> None:
        self._note("end")


@pytest.mark.parametrize("where", ["header", "head", "body ab", "end"])
def test_the_error_of_a_callback_is_known(where: str) -> None:
    with pytest.raises(HttpParserCallbackError) as raised:
        HttpRequestParser(Calls(where)).feed_data(HEAD + b"\r\nab")
    assert isinstance(raised.value.__context__, Stopped), CHANGED.format("__context__")


def test_an_offer_is_known_at_the_end_of_the_head_and_ends_the_request() -> None:
    calls = Calls()
    parser = HttpRequestParser(calls)
    with pytest.raises(HttpParserUpgrade):
        parser.feed_data(HEAD + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\nab")
    assert parser.should_upgrade(), CHANGED.format("should_upgrade")
    assert calls.names[-2:] == ["head", "end"], CHANGED.format("upgrade keeps the body by now")


@pytest.mark.parametrize("offer", [b"Connection: upgrade\r\n", b"Upgrade: h2c\r\n"])
def test_half_an_offer_is_no_offer(offer: bytes) -> None:
    calls = Calls()
    HttpRequestParser(calls).feed_data(HEAD + offer + b"\r\nab")
    assert calls.names[-3:] == ["head", "body ab", "end"], CHANGED.format("what is an offer")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nA: b\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\n\n",
    ],
)
def test_a_head_ends_with_the_first_blank_line_and_no_other_line_endings_exist(
    sent: bytes,
) -> None:
    with pytest.raises(HttpParserError):
        HttpRequestParser(Calls()).feed_data(sent)


@pytest.mark.parametrize(
    "body", [b"1\na\r\n", b"1\r\na\n", b"0\n\r\n", b"0\r\n\n", b"0\r\nA: b\n\r\n", b"0\r\n\r\r"]
)
def test_a_chunked_body_ends_with_a_blank_line_only(body: bytes) -> None:
    calls = Calls()
    parser = HttpRequestParser(calls)
    parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(HttpParserError):
        parser.feed_data(body)
    assert "end" not in calls.names, CHANGED.format("how a chunked body ends")


def test_trailers_are_reported_as_headers() -> None:
    calls = Calls()
    HttpRequestParser(calls).feed_data(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b \r\n\r\n"
    )
    assert calls.headers[-1] == (b"A", b"b "), CHANGED.format("trailers, or space after values")


def test_a_head_needs_no_callbacks() -> None:
    HttpRequestParser(object()).feed_data(HEAD)
    with pytest.raises(HttpParserError):
        HttpRequestParser(object()).feed_data(b"\x16\x03\x01")
