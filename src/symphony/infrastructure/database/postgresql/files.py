"""libpq's files: passwords (`.pgpass`) and services (`pg_service.conf`).

The driver reads both, but not as libpq does: it keeps the backslashes of escaped characters,
ignores `PGSERVICE`, and ignores a service that is not defined.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from symphony.infrastructure.database.postgresql.address import DatabaseUrlError, Places
from symphony.infrastructure.file_ownership import is_private, is_trusted_owner

# A backslash escapes the next character, a colon for example.
_ESCAPED = re.compile(r"\\(.)")
_LINE = re.compile(r"((?:\\.|[^\\:])*):" * 4 + r"(.*)")


def home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user without an entry
        return None


def require_password_file(file: Path, name: str) -> None:
    """Raises: DatabaseUrlError for a file that libpq would ignore."""
    try:
        status = file.stat()
        with file.open("rb"):
            pass
    except OSError as error:
        raise DatabaseUrlError(f"{name}: {file} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
        raise DatabaseUrlError(f"{name}: {file} must be a file that only its owner can read (0600)")


def require_private_key(name: str, file: str) -> None:
    """Require a key that libpq would use: of this user or root, and readable by nobody else.

    Source: PostgreSQL's manual, "Client Certificates". Raises: DatabaseUrlError.
    """
    require_readable(name, file)
    status = os.stat(file)
    if not is_trusted_owner(status) or not is_private(status):
        raise DatabaseUrlError(
            f"{name}: {file!r} must be owned by this user or root, and readable only by its owner"
            " (0600; 0640 if it is root's)"
        )


def find_password(file: Path, database: str, user: str, places: Places) -> str | None:
    """Return the password of the first line that matches; None if there is none.

    A file that others can read is ignored, as libpq does. Source: PostgreSQL's manual, "The
    Password File".
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            return None
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeError):
        return None
    for host, port in places:
        # The default sockets are listed as localhost.
        wanted = ("localhost" if host.startswith("/") else host, str(port), database, user)
        for line in lines:
            password = _matched(line, wanted)
            if password is not None:
                return password
    return None


def read_service(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a service.

    Source: PostgreSQL's manual, "The Connection Service File". Raises: DatabaseUrlError.
    """
    directory = home()
    candidates = [
        environment.get("PGSERVICEFILE") or (directory and directory / ".pg_service.conf"),
        environment.get("PGSYSCONFDIR") and Path(environment["PGSYSCONFDIR"]) / "pg_service.conf",
    ]
    for file in (Path(each) for each in candidates if each):
        try:
            lines = file.read_text("utf-8").splitlines()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeError):
            raise DatabaseUrlError(f"service: {file} cannot be read") from None
        found = _section(lines, name)
        if found is not None:
            return found
    raise DatabaseUrlError(f"service: there is no definition of {name!r}")


def require_readable(name: str, file: str) -> None:
    """Raises: DatabaseUrlError."""
    try:
        with open(file, "rb"):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise DatabaseUrlError(f"{name}: {file!r} cannot be read: {reason}") from None


def is_default_present(name: str) -> bool:
    """Return whether a file of libpq's directory exists, `~/.postgresql/root.crt` for example."""
    directory = home()
    return directory is not None and os.access(directory / ".postgresql" / name, os.R_OK)


def _matched(line: str, wanted: tuple[str, ...]) -> str | None:
    if line.startswith("#"):
        return None
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    *fields, password = found.groups()
    is_match = all(
        given == "*" or _ESCAPED.sub(r"\1", given) == value
        for given, value in zip(fields, wanted, strict=True)
    )
    return _ESCAPED.sub(r"\1", password) if is_match else None


def _section(lines: Iterable[str], name: str) -> dict[str, str] | None:
    found: dict[str, str] | None = None
    for line in map(str.strip, lines):
        if line.startswith("["):
            if found is not None:
                break
            found = {} if line == f"[{name}]" else None
        elif found is not None and line and not line.startswith("#"):
            key, separator, value = line.partition("=")
            if not separator:
                raise DatabaseUrlError(f"service: the definition of {name!r} has an invalid line")
            found.setdefault(key.strip(), value.strip())
    return found
