"""A real nginx in front of a service, with a recipe of the documents."""

import asyncio
import os
import shutil
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from scripts.support.polling import until
from tests.support.prerequisites import missing

# Debian has it where only root looks for programs.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
_ATTEMPTS = 5  # a port that is free now may be in use a moment later
# One process, as the user of the tests; all of its files are in its own directory.
_CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {upstreams}
    server {{
        listen 127.0.0.1:{port};
        {recipe}
    }}
}}
"""


@asynccontextmanager
async def running_nginx(directory: Path, recipe: str, upstreams: str = "") -> AsyncGenerator[str]:
    """Run nginx with the directives of a `server`, and those before it; returns its address."""
    if NGINX is None:
        missing("nginx is not on the path: apt-get install nginx")
    for _ in range(_ATTEMPTS):
        port = _free_port()
        _configure(directory, recipe, upstreams, port)
        process = await asyncio.create_subprocess_exec(
            *(NGINX, "-p", directory, "-c", directory / "nginx.conf"),
            *("-e", directory / "error.log"),
            stdin=DEVNULL,
        )
        try:
            if await _listens(process, port):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    raise AssertionError((directory / "error.log").read_text())


def _configure(directory: Path, recipe: str, upstreams: str, port: int) -> None:
    directory.mkdir(exist_ok=True)
    configuration = _CONFIGURATION.format(port=port, recipe=recipe, upstreams=upstreams)
    (directory / "nginx.conf").write_text(configuration)


async def _listens(process: Process, port: int) -> bool:
    """Wait until nginx listens, and return True; False when it has ended instead."""

    async def decided() -> bool:
        if process.returncode is not None:
            return True
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return True
        return False

    await until(decided, 20)
    return process.returncode is None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
