"""A proxy in front of a PostgreSQL server, which loses connections as a network does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

_CHUNK = 65_536  # bytes
_PORT = 5432


@dataclass(slots=True, eq=False)
class _Line:
    """A connection of a client and one to the server."""

    is_silent: bool = False
    answers_are_lost: bool = False

    async def send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward what the client sends."""
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if not self.is_silent:  # else it is dropped, as by a firewall
                    writer.write(data)
                    await writer.drain()
        if not self.is_silent:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward what the server answers."""
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if not self.is_silent and not self.answers_are_lost:
                    writer.write(data)
                    await writer.drain()
        if not self.is_silent:
            writer.close()


@dataclass(slots=True)
class TcpProxy:
    """Forwards connections to the server of a URL."""

    server_url: str
    port: int = 0
    accepted: int = 0
    """The number of connections so far."""
    is_partitioned: bool = False
    """Whether new connections are accepted and forwarded nowhere."""
    _lines: set[_Line] = field(default_factory=set["_Line"])
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def url(self) -> str:
        """The URL of the same database by way of the proxy."""
        parts = urlsplit(self.server_url)
        user = parts.username or "postgres"
        return f"postgresql://{user}:@127.0.0.1:{self.port}{parts.path}?sslmode=disable"

    def lose_connections(self) -> None:
        """Drop all further data of the present connections, and close none of them."""
        for line in self._lines:
            line.is_silent = True

    def lose_answers(self) -> None:
        """Drop all further answers of the present connections, and close none of them."""
        for line in self._lines:
            line.answers_are_lost = True

    def partition(self) -> None:
        """Drop all data of all connections, also of new ones, until `heal`."""
        self.is_partitioned = True
        self.lose_connections()

    def heal(self) -> None:
        """Forward new connections again; those from before stay lost."""
        self.is_partitioned = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward a new connection until both ends have closed it."""
        self.accepted += 1
        line = _Line(is_silent=self.is_partitioned)
        server_reader, server_writer = await self._open()
        self._lines.add(line)
        self._writers |= {writer, server_writer}
        await asyncio.gather(line.send(reader, server_writer), line.answer(server_reader, writer))
        self._lines.discard(line)
        self._writers -= {writer, server_writer}

    async def close(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.transport.abort()
        while self._lines:  # noqa: ASYNC110 - each line ends by itself
            await asyncio.sleep(0.01)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.server_url)
        port = parts.port or _PORT
        (directory,) = parse_qs(parts.query).get("host", [""])
        if directory:
            return await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, port)


@asynccontextmanager
async def running_proxy(server_url: str) -> AsyncGenerator[TcpProxy]:
    """Run a proxy on a free port of this machine."""
    proxy = TcpProxy(server_url)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
