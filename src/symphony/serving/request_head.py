"""The head of a request: its bounds, and the rules that the parser does not check.

httptools refuses what is not HTTP syntax. RFC 9112 has rules beyond syntax: about versions, `Host`,
the request target and transfer codings.
"""

import re
from dataclasses import dataclass

from httptools import HttpParserError, HttpRequestParser

MAX_HEAD_BYTES = 65_536
"""Of a head, of the trailers of a chunked body, and of the empty lines before a head."""
MAX_FIELDS = 100
"""Of a head, and of the trailers of a chunked body."""

_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
_UPGRADE = re.compile(rb"(?i)\r\nupgrade:[\t\x20-\x7e\x80-\xff]*(?=\r\n)")
_HOST = re.compile(
    # RFC 3986, 3.2.2 and 3.2.3: an IP literal or a registered name, and a port.
    rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?"
)
_ABSOLUTE = re.compile(rb"(?i)https?://([^/?#]*)(.*)")

Headers = list[tuple[bytes, bytes]]


class RequestRefused(Exception):
    """A request that is answered with a problem, after which the connection is closed."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def malformed(detail: str = "The request is not valid HTTP/1.1.") -> RequestRefused:
    """Return the refusal of a request that is not HTTP/1.1."""
    return RequestRefused("malformed-request", detail)


def too_large(part: str = "head") -> RequestRefused:
    """Return the refusal of a head or trailers above the bounds."""
    return RequestRefused(
        "header-fields-too-large",
        f"The {part} of a request must have at most {MAX_HEAD_BYTES:,} bytes and {MAX_FIELDS}"
        " header fields.",
    )


def checked_head(head: bytes) -> bytes:
    """Return a complete head as the parser should get it: without `Upgrade`.

    A server may ignore an offer to upgrade (RFC 9110, 7.8). The parser does not: it takes the end
    of such a head for the end of the request, and the body for another request.

    Raises: RequestRefused.
    """
    if len(head) > MAX_HEAD_BYTES or head.count(b"\r\n") - 2 > MAX_FIELDS:
        raise too_large()
    if not head.endswith(_VERSIONS, 0, head.index(b"\r\n")):
        raise malformed("The version of HTTP must be 1.1 or 1.0.")
    if head.startswith(b"CONNECT "):
        raise malformed("The service is not a proxy: it does not accept CONNECT.")
    return _UPGRADE.sub(b"", head) if b"\r\nupgrade:" in head.lower() else head


def require_head_syntax(beginning: bytes) -> None:
    """Refuse the beginning of a head at once if it is not HTTP: a TLS handshake, for example.

    Otherwise the client would wait until the time limit for the rest. Raises: RequestRefused.
    """
    try:
        HttpRequestParser(object()).feed_data(beginning)
    except HttpParserError:
        raise malformed() from None


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """What a request is addressed to."""

    host: bytes | None
    """The host and port; None for an HTTP/1.0 request without `Host`."""
    url: bytes
    """The path and query, or `*`."""


def target_of(method: bytes, url: bytes, hosts: list[bytes], *, is_1_0: bool) -> RequestTarget:
    """Return the target by RFC 9112, 3.2: the host in an absolute URL replaces `Host`.

    Raises: RequestRefused.
    """
    if len(hosts) > 1:
        raise malformed("The request has several `Host` fields; send exactly one.")
    if not hosts and not is_1_0:
        raise malformed("The request has no `Host` field; HTTP/1.1 requires one.")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise malformed("The `Host` field must have a name or address, and optionally a port.")
    if url.startswith(b"/"):
        return RequestTarget(hosts[0] if hosts else None, url)
    if url == b"*" and method == b"OPTIONS":
        return RequestTarget(hosts[0] if hosts else None, url)
    absolute = _ABSOLUTE.fullmatch(url)
    if not absolute or not _HOST.fullmatch(absolute[1]):
        raise malformed("The request target must be a path, or a URL with `http` or `https`.")
    return RequestTarget(
        absolute[1], absolute[2] if absolute[2][:1] == b"/" else b"/" + absolute[2]
    )


def body_length(headers: Headers, *, is_1_0: bool) -> int | None:
    """Return the declared length of the body in bytes; None for a chunked body.

    Raises: RequestRefused, for other transfer codings and for any in HTTP/1.0 (RFC 9112, 6.1).
    """
    length: int | None = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            if is_1_0 or value.strip().lower() != b"chunked":
                raise malformed("The only transfer coding that the service accepts is `chunked`.")
            return None
        if name == b"content-length":
            length = int(value)
    return length
