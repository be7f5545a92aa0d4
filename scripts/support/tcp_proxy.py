"""A TCP proxy in front of a server, which can lose connections as a network does."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Opener = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
_CHUNK = 65_536  # bytes


class TcpProxy:
    """Forwards connections; `open_target` opens the one to the server."""

    def __init__(self, open_target: Opener) -> None:
        self._open_target = open_target
        self._lines: set[_Line] = set()
        self.refuses_new = False
        """New connections are accepted and never answered."""
        self.port = 0
        self.accepted = 0

    def lose_connections(self) -> int:
        """Stop forwarding on all present connections, and close none; return their number."""
        present = [line for line in self._lines if not line.is_lost]
        for line in present:
            line.is_lost = True
        return len(present)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        line = _Line(is_lost=self.refuses_new)
        self._lines.add(line)
        try:
            target_reader, target_writer = await self._open_target()
            async with asyncio.TaskGroup() as group:
                group.create_task(line.forward(reader, target_writer))
                group.create_task(line.forward(target_reader, writer))
        except* OSError:
            pass
        finally:
            self._lines.discard(line)
            writer.close()


class _Line:
    def __init__(self, *, is_lost: bool) -> None:
        self.is_lost = is_lost

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                if not self.is_lost:
                    writer.write(data)
                    await writer.drain()
        finally:
            if self.is_lost:
                writer.transport.abort()
            else:
                with suppress(OSError):
                    writer.close()


@asynccontextmanager
async def running_proxy(open_target: Opener) -> AsyncGenerator[TcpProxy]:
    """Run a proxy on a free port of this machine; the block ends with all connections closed."""
    proxy = TcpProxy(open_target)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
