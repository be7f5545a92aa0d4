"""HTTP proxies of the environment, as curl selects them: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`
and `NO_PROXY`, in lower case first.

No message contains a proxy's URL, since it can contain a password.
"""

import base64
import http.client
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from symphony.client.errors import WrongArgument

_DEFAULT_PORT = 1080  # as curl's
_MAX_HEAD = 1 << 16  # bytes
_PIECE = 1 << 12  # bytes
_END_OF_HEAD = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n")
_LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")
UNAUTHENTICATED = 407


class ProxyFailed(OSError):
    """A proxy cannot be reached, or does not connect; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `authorization` is the value of the header `Proxy-Authorization`.

    `variable` is the one that names it.
    """

    variable: str
    host: str
    port: int
    authorization: str | None = field(repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port} ({self.variable})"

    @property
    def headers(self) -> Mapping[str, str]:
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization}

    def connected(self, timeout: float) -> socket.socket:
        """Return a connection to the proxy. Raises: ProxyFailed, OSError."""
        try:
            opened = socket.create_connection((self.host, self.port), timeout)
        except socket.gaierror:
            raise ProxyFailed("its name is unknown, or there is no network") from None
        except ConnectionRefusedError:
            raise ProxyFailed("no proxy listens there") from None
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def tunnel(self, connection: socket.socket, host: str, port: int) -> None:
        """Have the proxy connect to a server. Raises: ProxyFailed, OSError."""
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        connection.sendall("\r\n".join(lines).encode("ascii") + _END_OF_HEAD)
        head = b""
        while _END_OF_HEAD not in head:
            piece = connection.recv(_PIECE)
            if not piece:
                raise ProxyFailed("it closed the connection before it had answered")
            head += piece
            if len(head) > _MAX_HEAD:
                raise ProxyFailed("what it answers is not that of an HTTP proxy")
        found = _STATUS.match(head)
        if found is None:
            raise ProxyFailed("what it answers is not that of an HTTP proxy")
        status = int(found[1])
        if not 200 <= status < 300:
            raise ProxyFailed(refusal(status))


def refusal(status: int) -> str:
    """Return in words that a proxy answered with a status instead of the server."""
    if status == UNAUTHENTICATED:
        return "it requires another user name and password"
    words = http.client.responses.get(status)
    return f"it answered {status}" + (f" ({words})" if words else "")


def proxy_for(url: SplitResult, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for the address of a server; None to connect directly.

    There is none for the loopback addresses of this machine. Raises: WrongArgument.
    """
    host = (url.hostname or "").rstrip(".")
    variable = _variable(url.scheme, environment)
    if variable is None or is_loopback(host) or _is_excepted(host, environment):
        return None
    return _parsed(variable, environment[variable])


def is_loopback(host: str) -> bool:
    """Whether connections to a host stay on this machine."""
    named = host in {"localhost", "::1"} or host.endswith(".localhost")
    return named or _LOOPBACK.fullmatch(host) is not None


def _variable(scheme: str, environment: Mapping[str, str]) -> str | None:
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    return next((each for each in names if environment.get(each)), None)


def _parsed(variable: str, given: str) -> Proxy:
    """Raises: WrongArgument."""
    text = given.strip()
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        host, port = url.hostname, url.port
        (host or "").encode("idna")  # as it will be for the look-up
    except ValueError:  # UnicodeError too
        raise _wrong(variable) from None
    if url.scheme != "http":
        raise WrongArgument(
            f"{variable}: must name an HTTP proxy (http://…); others, such as SOCKS, are not"
            " supported. To connect without a proxy, name the server in NO_PROXY."
        )
    if not host or not text.isascii() or not text.isprintable() or " " in text:
        raise _wrong(variable)
    authorization = None
    if url.username is not None:
        user, password = unquote_to_bytes(url.username), unquote_to_bytes(url.password or "")
        authorization = "Basic " + base64.b64encode(user + b":" + password).decode("ascii")
    return Proxy(variable, host, port or _DEFAULT_PORT, authorization)


def _wrong(variable: str) -> WrongArgument:
    return WrongArgument(
        f"{variable} is not the address of a proxy. An example: http://proxy.example.org:3128"
    )


def _is_excepted(host: str, environment: Mapping[str, str]) -> bool:
    """Return whether `NO_PROXY` names a host, a domain that contains it, or its network."""
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return any(_matches(host, each) for each in _entries(given))


def _entries(given: str) -> Iterator[str]:
    for each in re.split(r"[,\s]+", given.lower()):
        if entry := each.strip("[]").rstrip("."):
            yield entry


def _matches(host: str, entry: str) -> bool:
    if entry == "*":
        return True
    name = entry.removeprefix(".")
    if host == name:
        return True
    if _is_address(host):
        return _is_within(host, entry)
    return host.endswith(f".{name}")


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()


def _is_within(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network.replace("]", ""), strict=False)
    except ValueError:  # of another kind
        return False
