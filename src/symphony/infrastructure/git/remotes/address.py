"""Where a remote is: looked up once, judged, and then the only place that git is sent to."""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Self
from urllib.parse import unquote, urlsplit

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.process.threads import start_thread

Address = IPv4Address | IPv6Address
LookUp = Callable[[str], list[str]]

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
# What some programs take for an IPv4 address and others for a name (WHATWG URL Standard, 3.5).
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_PUBLIC_IPV6 = ip_network("2000::/3")  # all that IANA has given out as global unicast
# 6to4 and its relays lead to any IPv4 address; the others are where clouds tell their machines'
# secrets (Oracle's lies in 192.0.0.0/24, the second is Azure's).
_NOT_PUBLIC = tuple(
    map(ip_network, ("2002::/16", "192.88.99.0/24", "192.0.0.0/24", "168.63.129.16/32"))
)
# A key that nobody knows is as good as none: nothing secret is sent, and what comes is no more
# trusted than over git://. Nothing of the service's own user is used, and no configuration is read.
_SSH = (
    "ssh -F /dev/null -o BatchMode=yes -o HostName={address}"
    " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null"
    " -o UpdateHostKeys=no -o PreferredAuthentications=none -o PubkeyAuthentication=no"
    " -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o GSSAPIAuthentication=no"
    " -o HostbasedAuthentication=no -o IdentityAgent=none -o IdentityFile=/dev/null"
    " -o ControlMaster=no -o ControlPath=none -o ProxyCommand=none -o PermitLocalCommand=no"
    " -o ConnectTimeout=30 -o ServerAliveInterval=10"
    " -o ClearAllForwardings=yes -o ForwardAgent=no -o LogLevel=ERROR"
)
_NO_ADDRESS = "Its address is none that can be asked."
_NOT_ALLOWED = "Its address is not public, and this service may not ask such addresses."
_UNKNOWN = "Its host is not known."


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """A remote's address, taken apart by us, so that nobody can read it in another way."""

    scheme: str
    user: str | None
    host: str
    port: int | None
    path: str
    """All that follows, as it was written; without a `/` at the beginning in ssh's short form."""

    @classmethod
    def parsed(cls, value: str) -> Self:
        """Raises: RemoteFailed."""
        try:
            # What is stored was checked, but perhaps by a rule that was less strict.
            rules.remote_url(value)
        except RuleBroken:
            raise RemoteFailed(_NO_ADDRESS) from None
        if "://" in value:
            parts = urlsplit(value)
            path = value.partition("://")[2][len(parts.netloc) :]
            scheme, user, host, port = parts.scheme, parts.username, parts.hostname, parts.port
        else:
            login, _, path = value.partition(":")
            user, _, host = login.partition("@")
            scheme, port = "ssh", None
        host = (host or "").lower()
        if _CONTROL_CHARACTER.search(unquote(path)) or (
            _NUMBER.fullmatch(host) and _literal(host) is None
        ):
            raise RemoteFailed(_NO_ADDRESS)
        return cls(scheme, user, host, port, path)

    def is_also_at(self, url: str) -> bool:
        """Whether an address out of a repository's configuration is, by all that can be told, the
        same remote's: it is known by host and path, and may be asked over another protocol."""
        try:
            other = RemoteAddress.parsed(without_credentials(url))
        except RemoteFailed:
            return False
        is_another_server = self.scheme == other.scheme and self.port != other.port
        is_same_path = _without_ends(self.path) == _without_ends(other.path)
        return self.host == other.host and is_same_path and not is_another_server

    async def looked_up(self, look_up: LookUp, *, allow_private: bool) -> Address:
        """The one address that may be asked. Raises: RemoteFailed."""
        literal = _literal(self.host)
        if literal is None:
            # It cannot be ended; nobody has to wait for its thread.
            looking_up = start_thread(partial(look_up, self.host), "look-up")
            try:
                found = [ip_address(each) for each in await asyncio.wrap_future(looking_up)]
            except (OSError, ValueError):  # UnicodeError among them: a name that cannot be one
                found = []
        else:
            found = [literal]
        if not found:
            raise RemoteFailed(_UNKNOWN)
        if not allow_private and not all(map(is_public, found)):
            raise RemoteFailed(_NOT_ALLOWED)
        return found[0]

    def url(self, address: Address) -> str:
        """The address as git gets it."""
        # Only http has a way of its own to be told the address behind a name, and needs the name.
        host = str(address) if self.scheme == "git" else self.host
        host = f"[{host}]" if ":" in host else host
        if not self.path.startswith("/") and self.scheme == "ssh":
            return f"{self.user}@{host}:{self.path}"
        login = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{login}{host}{port}{self.path}"

    def settings(self, address: Address) -> Mapping[str, str]:
        """What git's configuration has to say for it."""
        if self.scheme not in {"http", "https"}:
            return {}
        told = {
            "http.followRedirects": "false",
            "http.emptyAuth": "false",  # or the user's Kerberos ticket might be sent
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": "30",
        }
        if _literal(self.host) is None:
            port = self.port or {"http": 80, "https": 443}[self.scheme]
            shown = f"[{address}]" if address.version == 6 else str(address)
            told["http.curloptResolve"] = f"{self.host}:{port}:{shown}"
        return told

    def variables(self, address: Address) -> Mapping[str, str]:
        """What git's environment has to say for it."""
        port = "" if self.port is None else f":{self.port}"
        return {
            "GIT_ALLOW_PROTOCOL": self.scheme,
            "GIT_OVERRIDE_VIRTUAL_HOST": f"{self.host}{port}",
            "GIT_SSH_COMMAND": _SSH.format(address=address),
            "GIT_SSH_VARIANT": "ssh",
        }


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, and surely leads to no other place."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False  # mapped and translated addresses (NAT64), too
    is_special = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not is_special


def system_look_up(host: str) -> list[str]:
    """The addresses that the system knows for a name, the best one first. Raises: OSError."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _without_ends(path: str) -> str:
    """The path without what can be left out."""
    return path.strip("/").removesuffix(".git").rstrip("/")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
