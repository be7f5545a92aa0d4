"""Requests to the server: bounded in time and size, and answered with JSON or an error."""

import http.client
import json as json_format
import os
import socket
import ssl
import threading
import zlib
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from symphony.client import proxies
from symphony.client.documents import as_object
from symphony.client.errors import (
    ClientError,
    ServerProblem,
    UnexpectedAnswer,
    Unreachable,
    WrongArgument,
)
from symphony.client.proxies import ProxyFailed
from symphony.console.usage import quoted

if TYPE_CHECKING:
    from collections.abc import Generator

    from symphony.client.credentials import Profile

API = "/api/v1"
CONNECT_WITHIN = 10.0  # seconds
ANSWER_WITHIN = 60.0  # seconds, from the start of a request to the last byte of its answer
MAX_ANSWER = 64 << 20  # bytes, decompressed
_PIECE = 1 << 16  # bytes
_SHOWN = 200  # characters of a header in a message
_IDLE = 20.0  # seconds; the server closes an idle connection after 30
_MOST_DIGITS = 9  # of a number of seconds that is waited for
_JSON = ("application/json", "application/problem+json")
_SAFE = ("GET", "HEAD")
_REDIRECTS = (301, 302, 303, 307, 308)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def checked_url(given: str) -> str:
    """Return the address of a server without a slash at its end. Raises: WrongArgument."""
    url, why = _split(given.strip())
    if url is None:
        raise WrongArgument(
            f"{quoted(given)} is not the address of a server: {why}. An example:"
            " https://symphony.example.org"
        )
    return url.geturl().rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether requests to an address stay on this machine."""
    return proxies.is_loopback(urlsplit(url).hostname or "")


class Connection:
    """A connection to one server, with a token or without. It is used by one thread at a time.

    Every request raises: Unreachable, ServerProblem, UnexpectedAnswer.
    """

    def __init__(
        self, url: str, token: str | None = None, *, within: float = ANSWER_WITHIN
    ) -> None:
        """`within` limits the time of each request, in seconds.

        The proxies of the environment are used. Raises: ClientError.
        """
        self.url = checked_url(url)
        self._parts = urlsplit(self.url)
        self._proxy = proxies.proxy_for(self._parts, os.environ)
        self._via = "" if self._proxy is None else f" through the proxy {self._proxy}"
        self._token = token
        self._within = within
        self._http: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    @classmethod
    def open(cls, profile: "Profile", *, within: float = ANSWER_WITHIN) -> Self:
        return cls(profile.url, profile.token, within=within)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request to a path below /api/v1 and return the JSON of its answer.

        Returns None for an answer without a body. `json` is sent as JSON, or `body` as it is with
        the `headers` that describe it.
        """
        sent = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        sent["User-Agent"] = "symphony"
        if self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        if json is not None:
            body = json_format.dumps(json).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        place = ""
        if self._proxy is not None and self._parts.scheme == "http":
            sent |= self._proxy.headers
            place = f"http://{self._parts.netloc}"
        try:
            asked = f"?{urlencode(query)}" if query else ""
        except UnicodeEncodeError:  # bytes of an argument that are not UTF-8
            raise ClientError("A name or address that is not UTF-8 cannot be sent.") from None
        if not path.isascii() or not path.isprintable() or " " in path:
            raise UnexpectedAnswer(
                f"{self.url} has answered with an id that is not one of Symphony."
            )
        target = place + quote(self._parts.path) + API + path + asked
        with self._time_limit() as limit:
            response, content = self._exchange(method, target, body, sent, limit)
        return self._result(response, content)

    def _exchange(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        limit: "_TimeLimit",
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a request once more when the server has closed a connection that was idle."""
        reused = self._http is not None and monotonic() - self._used_at < _IDLE
        if not reused:
            self.close()
        try:
            return self._exchanged(method, target, body, headers, limit)
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError) as error:
            self.close()
            if reused and method in _SAFE and not limit.is_over:
                return self._exchange(method, target, body, headers, limit)
            raise self._unreachable(error, limit) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._unreachable(error, limit) from None

    def _exchanged(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        limit: "_TimeLimit",
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Raises: OSError, HTTPException, UnexpectedAnswer."""
        if self._http is None:
            self._http = self._connected(limit)
        limit.applies_to(self._http.sock)
        self._http.request(method, target, body, dict(headers))
        response = self._http.getresponse()
        try:
            content = self._read(response)
        except UnexpectedAnswer:
            self.close()
            raise
        if limit.is_over:  # what was cut off may look complete
            raise TimeoutError
        response.close()  # otherwise the connection waits for the end of a body that was read
        self._used_at = monotonic()
        if response.will_close:
            self.close()
        return response, content

    def _connected(self, limit: "_TimeLimit") -> http.client.HTTPConnection:
        """Raises: OSError."""
        host = self._parts.hostname or ""
        port = self._parts.port or _DEFAULT_PORTS[self._parts.scheme]
        timeout = min(CONNECT_WITHIN, self._within)
        trust = ssl.create_default_context() if self._parts.scheme == "https" else None
        if trust is not None:
            opened = http.client.HTTPSConnection(host, port, timeout=timeout, context=trust)
        else:
            opened = http.client.HTTPConnection(host, port, timeout=timeout)
        if self._proxy is None:
            opened.connect()
        else:
            opened.sock = self._proxy.connected(timeout)
            try:
                limit.applies_to(opened.sock)
                if trust is not None:
                    self._proxy.tunnel(opened.sock, host, port)
                    opened.sock = trust.wrap_socket(opened.sock, server_hostname=host)
            except BaseException:
                opened.close()
                raise
        opened.sock.settimeout(self._within)
        return opened

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """Return the decompressed body. Raises: OSError, HTTPException, UnexpectedAnswer."""
        coding = response.headers.get("Content-Encoding", "identity").lower()
        if coding not in {"identity", "gzip"}:
            raise self._unexpected("it has an encoding that this command did not ask for")
        inflate = zlib.decompressobj(wbits=31) if coding == "gzip" else None
        content = bytearray()
        try:
            while piece := response.read1(_PIECE):
                content += piece if inflate is None else inflate.decompress(piece, MAX_ANSWER + 1)
                if len(content) > MAX_ANSWER or (inflate and inflate.unconsumed_tail):
                    raise self._unexpected(f"it has more than {MAX_ANSWER >> 20} MiB")
        except zlib.error:
            raise self._unexpected("it is damaged") from None
        if response.length or (inflate and not inflate.eof and content):
            raise http.client.IncompleteRead(b"")
        return bytes(content)

    def _result(self, response: http.client.HTTPResponse, content: bytes) -> Any:
        """Raises: ServerProblem, UnexpectedAnswer."""
        status = response.status
        if status in _REDIRECTS:
            place = response.headers.get("Location", "another address")[:_SHOWN]
            raise self._unexpected(f"it leads to {place}; if the server is there, sign in to it")
        if not content and 200 <= status < 300:
            return None
        if self._proxy is not None and status == proxies.UNAUTHENTICATED:
            why = proxies.refusal(status)
            raise Unreachable(f"Cannot reach {self.url}{self._via}: {why}.")
        media_type = response.headers.get_content_type()
        if media_type not in _JSON:
            shown = media_type[:_SHOWN]
            raise self._unexpected(f"it has the status {status} and the type {shown}")
        try:
            answer = json_format.loads(content)
        except (ValueError, RecursionError):
            raise self._unexpected("it is not valid JSON") from None
        if 200 <= status < 300:
            return answer
        problem = as_object(answer)
        if problem is None or not isinstance(problem.get("code"), str):
            raise self._unexpected(f"it has the status {status}, but is not a problem")
        raise ServerProblem(status, problem, _seconds(response.headers.get("Retry-After")))

    def _unexpected(self, why: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(
            f"The answer of {self.url}{self._via} is not one of Symphony: {why}."
        )

    def _unreachable(self, error: Exception, limit: "_TimeLimit") -> Unreachable:
        return Unreachable(f"Cannot reach {self.url}{self._via}: {_reason(error, limit)}.")

    @contextmanager
    def _time_limit(self) -> "Generator[_TimeLimit]":
        limit = _TimeLimit(self._within)
        try:
            yield limit
        finally:
            limit.cancel()


class _TimeLimit:
    """Ends a connection after some seconds, however slowly the server sends what it sends."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def applies_to(self, opened: socket.socket) -> None:
        """Raises: TimeoutError when it is over already."""
        self._socket = opened
        if self.is_over:
            raise TimeoutError

    def cancel(self) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _split(given: str) -> tuple[SplitResult | None, str]:
    """Return the parts of an address, or None and why it is not one."""
    try:
        url = urlsplit(given)
        host, _ = url.hostname, url.port
        (host or "").encode("idna")  # as it will be for the look-up
    except ValueError:  # UnicodeError too
        return None, "it is not a URL"
    if url.scheme not in _DEFAULT_PORTS or not host:
        return None, "it must begin with https:// or http://"
    if url.username is not None or url.password is not None:
        return None, "it must not contain a user or a password"
    if url.query or url.fragment:
        return None, "it must end with the path"
    if not given.isascii() or not given.isprintable() or " " in given or len(given) > 2000:
        return None, "it must have up to 2,000 printable ASCII characters"
    return url, ""


def _seconds(value: str | None) -> int | None:
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return int(value) if len(value) <= _MOST_DIGITS else 10**_MOST_DIGITS


# In words of ours where the system has none for people; the first one that fits.
_REASONS: Sequence[tuple[type[Exception], str]] = (
    (ssl.SSLCertVerificationError, "its certificate is not valid"),
    (ssl.SSLError, "it does not speak TLS; perhaps http:// is meant"),
    (socket.gaierror, "its name is unknown, or there is no network"),
    (ConnectionRefusedError, "no server listens there"),
    (http.client.RemoteDisconnected, "it closed the connection before it had answered"),
    (http.client.IncompleteRead, "it closed the connection before it had answered"),
    (http.client.HTTPException, "what it answers is not HTTP"),
)


def _reason(error: Exception, limit: _TimeLimit) -> str:
    if limit.is_over or isinstance(error, TimeoutError):
        return f"it did not answer within {limit.seconds:g} seconds"
    if isinstance(error, ProxyFailed):
        return str(error)
    for kind, words in _REASONS:
        if isinstance(error, kind):
            details = getattr(error, "verify_message", None)
            return f"{words}: {details}" if details else words
    return getattr(error, "strerror", None) or "the connection failed"
