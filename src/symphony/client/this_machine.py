"""Which machine of the user this one is: as which it has reported, or else by its host name."""

import json
import socket
from hashlib import sha256
from pathlib import Path

from symphony.client.credentials import state_directory, write_private_file
from symphony.client.documents import Document, as_object, text
from symphony.domain.fields import MAX_NAME, comparison_key

_FILE = "machine.json"


def reports_directory(url: str) -> Path:
    """Return the directory in which the reporter keeps its state for one server.

    Raises: ClientError.
    """
    return state_directory() / "reports" / sha256(url.encode()).hexdigest()[:16]


def remember_machine(url: str, machine_id: str, *, is_host: bool) -> None:
    """Store as which machine this one has reported; `is_host` unless a name was given for it.

    Raises: ClientError, OSError.
    """
    stored = {"id": machine_id, "host": host_name() if is_host else None}
    write_private_file(reports_directory(url) / _FILE, json.dumps(stored) + "\n")


def machine_of_host(url: str) -> str | None:
    """Return the id of the machine as which this host has reported, if no name was given for it.

    The machine may have been renamed since. Another host with the same home directory has reported
    under its own name. Raises: ClientError.
    """
    stored = _stored(url)
    return text(stored, "id") or None if text(stored, "host") == host_name() else None


class ThisMachine:
    """Recognizes this machine among those of a server.

    It is the one for which it has reported last, whatever its name is. Before its first report it
    is the one with the name of the host.
    """

    def __init__(self, url: str) -> None:
        """Raises: ClientError."""
        self._id = text(_stored(url), "id") or None
        self._key = comparison_key(host_name())

    def is_it(self, machine: Document) -> bool:
        """Return whether a machine, as the server describes it, is this one."""
        if self._id is not None:
            return text(machine, "id") == self._id
        return comparison_key(text(machine, "name")) == self._key


def host_name() -> str:
    """Return the name of this host without its domain, valid as the name of a token or machine."""
    host = socket.gethostname().partition(".")[0]
    name = "".join(each for each in host if each.isprintable()).strip()
    return name[:MAX_NAME] or "unnamed host"


def _stored(url: str) -> Document:
    try:
        return as_object(json.loads((reports_directory(url) / _FILE).read_text())) or {}
    except (OSError, ValueError, RecursionError):
        return {}
