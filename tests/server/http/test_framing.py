"""However a stream of requests is cut, each request has its own body and no more."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.http.connection import Connection, Recorder, settled

# Bodies that look like the end of a body, or like a request.
TEXTS = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b"0\r\n\r\n", b"a", b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"]
    ),
    max_size=8,
).map(b"".join)


@dataclass(frozen=True, slots=True)
class Sent:
    method: str
    body: bytes
    data: bytes


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    method = draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE"]))
    body = draw(TEXTS)
    offer = draw(st.sampled_from(["", "Upgrade: h2c\r\nConnection: Upgrade\r\n"]))
    head = draw(st.sampled_from(["", "\r\n"])) + f"{method} / HTTP/1.1\r\nHost: x\r\n{offer}"
    if draw(st.booleans()):
        length = f"Content-Length: {len(body)}\r\n" if body or draw(st.booleans()) else ""
        return Sent(method, body, f"{head}{length}\r\n".encode() + body)
    data = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    rest = body
    while rest:
        size = draw(st.integers(1, len(rest)))
        extension = draw(st.sampled_from([b"", b";a", b';a="b;c"']))
        data += b"%x%s\r\n%s\r\n" % (size, extension, rest[:size])
        rest = rest[size:]
    trailers = draw(st.sampled_from([b"", b"A: b\r\n", b"Host: y\r\nConnection: close\r\n"]))
    return Sent(method, body, data + b"0\r\n" + trailers + b"\r\n")


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=4), st.integers(0, 2**32), st.integers(1, 40))
async def test_a_stream_of_requests_is_the_same_however_it_is_cut(
    sent: list[Sent], seed: int, largest: int
) -> None:
    stream = b"".join(each.data for each in sent)
    cut = random.Random(seed)  # noqa: S311 - not for security
    pieces: list[bytes] = []
    while stream:
        size = cut.randint(1, largest)
        pieces.append(stream[:size])
        stream = stream[size:]
    for parts in ([b"".join(pieces)], pieces):
        application = Recorder()
        connection = Connection(application)
        for part in parts:
            await connection.until(lambda: not connection.transport.is_reading_paused)  # noqa: B023
            connection.protocol.data_received(part)
        await settled()
        connection.close()
        got = [(each.method, each.body) for each in application.requests]
        assert got == [(each.method, each.body) for each in sent]
