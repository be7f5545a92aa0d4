"""What a client sends before it is answered has bounds: heads, trailers, chunk sizes."""

import pytest

from symphony.serving.request_head import MAX_FIELDS, MAX_HEAD_BYTES
from symphony.serving.request_pieces import SLICE
from tests.server.http.connection import Connection, Recorder, exchange, problem_of, statuses

START = b"GET / HTTP/1.1\r\nHost: x\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE = b"1\r\na\r\n"
ENDLESS = 20 << 20  # bytes
PART = 65_536


def head_of(length: int) -> bytes:
    filler = b"X: " + b"a" * (length - len(START) - len(b"X: \r\n\r\n"))
    return START + filler + b"\r\n\r\n"


def fields(count: int) -> bytes:
    return b"".join(b"X-%d: y\r\n" % number for number in range(count))


def pieces_of(sent: bytes, size: int) -> list[bytes]:
    return [sent[start : start + size] for start in range(0, len(sent), size)]


@pytest.mark.parametrize("size", [1000, 30_000, 1 << 20])
async def test_a_head_may_have_64_kib_and_100_fields(size: int) -> None:
    for largest in (head_of(MAX_HEAD_BYTES), START + fields(MAX_FIELDS - 1) + b"\r\n"):
        assert len(largest) <= MAX_HEAD_BYTES
        assert statuses(await exchange(Recorder(), *pieces_of(largest + NEXT, size))) == [200, 200]
    # The offer of an upgrade, which is ignored, counts as well.
    offer = START + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + fields(MAX_FIELDS - 2) + b"\r\n"
    for beyond in (head_of(MAX_HEAD_BYTES + 1), START + fields(MAX_FIELDS) + b"\r\n", offer):
        application = Recorder()
        written = await exchange(application, *pieces_of(beyond + NEXT, size))
        assert statuses(written) == [431]
        assert problem_of(written)["code"] == "header-fields-too-large"
        assert application.requests == []


@pytest.mark.parametrize(
    ("first", "repeated"),
    [
        (START, b"X: " + b"a" * 1000 + b"\r\n"),
        (START + b"X: ", b"a" * 1000),
        (START, b"a" * 1000),
        (b"GET /", b"a" * 1000),
        (b"GET /?a", b"a" * 1000),
        (b"\r\n", b"\r\n" * 500),
        (CHUNKED + ONE + b"0\r\n", b"X: " + b"a" * 1000 + b"\r\n"),
        (CHUNKED + ONE + b"0\r\n", b"X:y\r\n"),
        (CHUNKED + ONE + b"0\r\nX: ", b"a" * 1000),
        (CHUNKED + ONE + b"1;a=", b"a" * 1000),
        (CHUNKED + ONE, b"0" * 1000),
        (CHUNKED, b"1;" + b"a" * 1000 + b"\r\na\r\n"),
    ],
)
async def test_what_does_not_end_is_a_431_and_costs_no_memory(
    first: bytes, repeated: bytes
) -> None:
    connection = Connection(Recorder())
    sent = len(first)
    await connection.send(first)
    part = repeated * (PART // len(repeated) + 1)
    while not connection.transport.is_half_closed and sent < ENDLESS:
        await connection.send(part)
        sent += len(part)
    written = bytes(connection.transport.written)
    await connection.send(b"\r\n\r\n" + NEXT)
    connection.close()
    assert statuses(written) == [431]
    assert problem_of(written)["code"] == "header-fields-too-large"
    assert sent < 8 * PART + len(first)
    assert connection.transport.written == written


@pytest.mark.long
async def test_a_body_in_chunks_of_one_byte_is_accepted() -> None:
    application = Recorder()
    sent = CHUNKED + ONE * 100_000 + b"0\r\n" + fields(MAX_FIELDS) + b"\r\n" + NEXT
    assert statuses(await exchange(application, *pieces_of(sent, SLICE))) == [200, 200]
    assert application.requests[0].body == b"a" * 100_000


async def test_too_many_trailers_are_a_431() -> None:
    for count, expected in ((MAX_FIELDS, [200, 200]), (MAX_FIELDS + 1, [431])):
        sent = CHUNKED + ONE + b"0\r\n" + fields(count) + b"\r\n" + NEXT
        assert statuses(await exchange(Recorder(), sent)) == expected
