"""The address of a remote: it is resolved and checked once, and git contacts no other one."""

import asyncio
import re
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Self
from urllib.parse import unquote, urlsplit

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.git.remotes import DEFAULT_PORTS
from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.process.threads import start_thread
from symphony.infrastructure.git.remotes.public_addresses import IpAddress, is_own, is_public

Resolver = Callable[[str], list[str]]

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
# A host that some programs read as an IPv4 address and others as a name (WHATWG URL Standard, 3.5).
_NUMERIC_HOST = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
# Host keys are not checked: nothing secret is sent, and the answer is trusted no more than one over
# git://. Nothing of the service's own user is used, and no configuration is read.
_SSH_COMMAND = (
    "ssh -F /dev/null -o BatchMode=yes -o HostName={address}"
    " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null"
    " -o UpdateHostKeys=no -o PreferredAuthentications=none -o PubkeyAuthentication=no"
    " -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o GSSAPIAuthentication=no"
    " -o HostbasedAuthentication=no -o IdentityAgent=none -o IdentityFile=/dev/null"
    " -o ControlMaster=no -o ControlPath=none -o ProxyCommand=none -o PermitLocalCommand=no"
    " -o ConnectTimeout=30 -o ServerAliveInterval=10"
    " -o ClearAllForwardings=yes -o ForwardAgent=no -o LogLevel=ERROR"
)
_UNSUPPORTED = "The `remote_url` is not supported."
_UNKNOWN_HOST = "The host of the remote is unknown."
# One text for both, or users could find out which names exist in the service's own network.
_UNKNOWN_OR_PRIVATE = (
    "The host of the remote is unknown, or its address is not public. This service contacts public"
    " addresses of other machines only."
)


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """The URL of a remote, parsed here, so that no other program can read it in another way.

    `path` is all that follows the host and port, unchanged; it has no `/` at its beginning in the
    short form of SSH.
    """

    scheme: str
    user: str | None
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises: RemoteFailed when the URL is not supported."""
        try:
            # Stored URLs were validated, but perhaps by a rule that was less strict.
            rules.remote_url(url)
        except RuleBroken:
            raise RemoteFailed(_UNSUPPORTED) from None
        if "://" in url:
            parts = urlsplit(url)
            path = url.partition("://")[2][len(parts.netloc) :]
            scheme, user, host, port = parts.scheme, parts.username, parts.hostname, parts.port
        else:
            login, _, path = url.partition(":")
            user, _, host = login.partition("@")
            scheme, port = "ssh", None
        host = (host or "").lower()
        if _CONTROL_CHARACTER.search(unquote(path)) or (
            _NUMERIC_HOST.fullmatch(host) and _literal(host) is None
        ):
            raise RemoteFailed(_UNSUPPORTED)
        return cls(scheme, user, host, port, path)

    @property
    def effective_port(self) -> int:
        return DEFAULT_PORTS[self.scheme] if self.port is None else self.port

    def is_same_remote(self, url: str) -> bool:
        """Return whether a URL of a repository's configuration names the same remote.

        Host and path decide; the protocol may differ.
        """
        try:
            other = RemoteAddress.parse(without_credentials(url))
        except RemoteFailed:
            return False
        is_other_server = (
            self.scheme == other.scheme and self.effective_port != other.effective_port
        )
        is_same_path = _normalize(self.path) == _normalize(other.path)
        return self.host == other.host and is_same_path and not is_other_server

    def require_port(self, others: Collection[int]) -> None:
        """Raises: RemoteFailed when the port is neither the scheme's usual one nor in `others`."""
        usual = DEFAULT_PORTS[self.scheme]
        if self.effective_port != usual and self.effective_port not in others:
            raise RemoteFailed(
                f"The port of the remote is not allowed. Over {self.scheme}, this service contacts"
                f" port {usual}; the operator can allow others in `SYMPHONY_GIT_REMOTE_PORTS`."
            )

    async def resolve(self, resolver: Resolver, *, allow_private: bool) -> IpAddress:
        """Return the one IP address that may be contacted. Raises: RemoteFailed."""
        literal = _literal(self.host)
        if literal is None:
            # A resolver cannot be interrupted, so it runs in a thread that no task must wait for.
            resolving = start_thread(partial(resolver, self.host), "resolver")
            try:
                found = [ip_address(each) for each in await asyncio.wrap_future(resolving)]
            except (OSError, ValueError):  # includes UnicodeError: an invalid host name
                found = []
        else:
            found = [literal]
        if allow_private:
            if not found:
                raise RemoteFailed(_UNKNOWN_HOST)
        elif not found or not all(is_public(each) and not is_own(each) for each in found):
            raise RemoteFailed(_UNKNOWN_OR_PRIVATE)
        return found[0]

    def url(self, address: IpAddress) -> str:
        """Return the URL to give to git."""
        # HTTP and SSH have options for the IP address and need the host name; git:// has none.
        host = str(address) if self.scheme == "git" else self.host
        host = f"[{host}]" if ":" in host else host
        if not self.path.startswith("/") and self.scheme == "ssh":
            return f"{self.user}@{host}:{self.path}"
        login = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{login}{host}{port}{self.path}"

    def settings(self, address: IpAddress) -> Mapping[str, str]:
        """Return the settings of git's configuration for this remote."""
        if self.scheme not in {"http", "https"}:
            return {}
        settings = {
            "http.followRedirects": "false",
            "http.emptyAuth": "false",  # otherwise curl might send the user's Kerberos ticket
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": "30",
        }
        if _literal(self.host) is None:
            target = f"[{address}]" if address.version == 6 else str(address)
            settings["http.curloptResolve"] = f"{self.host}:{self.effective_port}:{target}"
        return settings

    def variables(self, address: IpAddress) -> Mapping[str, str]:
        """Return the variables of git's environment for this remote."""
        port = "" if self.port is None else f":{self.port}"
        return {
            "GIT_ALLOW_PROTOCOL": self.scheme,
            "GIT_OVERRIDE_VIRTUAL_HOST": f"{self.host}{port}",
            "GIT_SSH_COMMAND": _SSH_COMMAND.format(address=address),
            "GIT_SSH_VARIANT": "ssh",
        }


def system_resolver(host: str) -> list[str]:
    """Return the IP addresses of a name by the system, preferred first. Raises: OSError."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _normalize(path: str) -> str:
    """Remove the optional parts of a path."""
    return path.strip("/").removesuffix(".git").rstrip("/")


def _literal(host: str) -> IpAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
