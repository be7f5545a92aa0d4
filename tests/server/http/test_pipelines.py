"""Pipelined requests are answered one after another, in turn with other connections."""

import asyncio

import pytest

from symphony.serving.request_pieces import SLICE
from tests.server.http.connection import Connection, Recorder, exchange, settled, statuses

PIPELINED = 1_000
CHUNKS = 20_000


def get(path: str, fields: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    application = Recorder()
    paths = [f"/{number}" for number in range(40)]
    connection = Connection(application)
    written = await connection.send(b"".join(get(path) for path in paths))
    while len(statuses(written)) < len(paths):
        written = await connection.send()
    connection.close()
    assert [each.path for each in application.requests] == paths
    assert b"".join(path.encode() for path in paths) == b"".join(
        response.partition(b"\r\n\r\n")[2] for response in written.split(b"HTTP/1.1 200 OK")
    )


async def test_nothing_is_read_or_started_while_a_request_waits() -> None:
    application = Recorder(may_answer=asyncio.Event())
    connection = Connection(application)
    await connection.send(get("/1"))
    assert not connection.transport.is_reading_paused  # so that a disconnect is noticed
    await connection.send(get("/2") * PIPELINED)
    assert connection.transport.is_reading_paused
    assert [each.path for each in application.requests] == ["/1"]
    assert application.may_answer
    application.may_answer.set()
    while connection.transport.is_reading_paused:
        await settled()
    connection.close()
    assert len(application.requests) == PIPELINED + 1


async def test_an_application_that_asks_for_more_does_not_resume_reading() -> None:
    application = Recorder()
    connection = Connection(application)
    body = b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"a" * 100_000
    connection.protocol.data_received(body + get("/2"))
    assert connection.transport.is_reading_paused
    while len(application.requests) < 1:
        await asyncio.sleep(0)
        assert connection.transport.is_reading_paused
    await settled()
    assert not connection.transport.is_reading_paused
    assert [len(each.body) for each in application.requests] == [100_000, 0]
    connection.close()


async def test_a_pipeline_without_end_has_no_more_than_its_turns() -> None:
    application = Recorder()
    greedy = [Connection(application) for _ in range(20)]
    honest = Connection(application)
    for connection in greedy:
        connection.protocol.data_received(get("/greedy") * PIPELINED)
    rounds = 20
    for number in range(rounds):
        honest.protocol.data_received(get(f"/honest/{number}"))
        await honest.until(
            lambda: len(statuses(bytes(honest.transport.written))) > number  # noqa: B023
        )
    answered = [each.path for each in application.requests]
    for connection in (*greedy, honest):
        connection.close()
    # While the honest client got its answers, each greedy one got about as many.
    last = answered.index(f"/honest/{rounds - 1}")
    assert len(answered[:last]) <= len(greedy) * (rounds + 1) * 2


async def test_a_large_body_has_no_more_than_its_slices() -> None:
    greedy, honest = Connection(Recorder()), Connection(Recorder())
    chunk = b"1\r\na\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    greedy.protocol.data_received(head + chunk * CHUNKS)
    honest.protocol.data_received(get("/honest"))
    assert greedy.transport.is_reading_paused
    turns = 0
    while not honest.transport.written:
        await asyncio.sleep(0)
        turns += 1
    assert greedy.transport.is_reading_paused
    assert turns < len(chunk) * 50_000 / SLICE
    greedy.close()
    honest.close()
    await settled()


@pytest.mark.long
async def test_many_small_pieces_have_no_more_than_their_turns() -> None:
    connection = Connection(Recorder())
    lines = b"\r\n\r\n" * 10_000  # each blank line might end the body
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.protocol.data_received(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(lines), lines))
    turns = 0
    while not connection.transport.written:
        await asyncio.sleep(0)
        turns += 1
    connection.close()
    assert statuses(bytes(connection.transport.written)) == [200]
    assert turns > 100


async def test_a_client_that_does_not_read_starts_no_further_request() -> None:
    application = Recorder()
    connection = Connection(application)
    connection.protocol.pause_writing()  # as the transport does when much is unread
    await connection.send(get("/1"))
    assert application.requests == []
    assert connection.transport.is_reading_paused
    connection.protocol.resume_writing()
    await settled()
    assert [each.path for each in application.requests] == ["/1"]
    assert not connection.transport.is_reading_paused
    connection.close()


async def test_nothing_after_a_request_that_closes_is_answered() -> None:
    for last in (get("/2", "Connection: close\r\n"), b"GET /2 HTTP/1.0\r\n\r\n"):
        for pieces in ([get("/1") + last + get("/3") * 3], [get("/1"), last, get("/3")]):
            application = Recorder()
            written = await exchange(application, *pieces)
            assert [each.path for each in application.requests] == ["/1", "/2"]
            assert statuses(written) == [200, 200]


async def test_waiting_requests_of_a_lost_connection_are_not_started() -> None:
    application = Recorder(may_answer=asyncio.Event())
    connection = Connection(application)
    await connection.send(get("/1") * 10)
    connection.close()
    assert application.may_answer
    application.may_answer.set()
    await settled()
    assert len(application.requests) == 1


async def test_a_connection_that_closes_between_two_requests_starts_no_more() -> None:
    application = Recorder(may_answer=asyncio.Event())
    connection = Connection(application)
    await connection.send(get("/1") * 10)
    connection.protocol.shutdown()
    assert application.may_answer
    application.may_answer.set()
    await settled()
    assert len(application.requests) == 1
    assert connection.transport.is_closed
    connection.close()


async def test_a_client_that_has_closed_its_half_gets_its_responses() -> None:
    application = Recorder(may_answer=asyncio.Event())
    connection = Connection(application)
    await connection.send(get("/1") + get("/2"))
    assert connection.protocol.eof_received()
    assert application.may_answer
    application.may_answer.set()
    await settled()
    assert statuses(bytes(connection.transport.written)) == [200, 200]
    assert connection.transport.is_closed
    connection.close()


async def test_a_client_that_closes_within_a_request_is_disconnected() -> None:
    for sent in (b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na"):
        connection = Connection(Recorder())
        await connection.send(sent)
        assert not connection.protocol.eof_received()
        connection.close()
        await settled()
