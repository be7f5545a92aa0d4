"""The head of a request: its bounds, and the rules that the parser does not check.

httptools refuses what is not HTTP syntax. RFC 9112 has rules beyond syntax: about versions, `Host`,
the request target and transfer codings.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from httptools import HttpParserError, HttpRequestParser

MAX_HEAD_BYTES = 65_536
"""Of a head, of the trailers of a chunked body, and of the empty lines before a head."""
MAX_FIELDS = 100
"""Of a head, and of the trailers of a chunked body."""

_LINE_END = b"\r\n"
_VERSION = b" HTTP/1."
_UPGRADE = re.compile(rb"(?i)\r\nupgrade:[\t\x20-\x7e\x80-\xff]*(?=\r\n)")
_HOST = re.compile(
    # RFC 3986, 3.2.2 and 3.2.3: an IP literal or a registered name, and a port.
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){1,255})"
    rb"(?::[0-9]{0,5})?"
)
_ABSOLUTE = re.compile(rb"(?i)https?://([^/?#]*)(.*)")
_FRAMING_FIELDS = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect"})

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


def require_http_1(head: bytes) -> None:
    """Refuse other protocols and versions, of which the parser knows several.

    Raises: RequestRefused.
    """
    if not head.startswith(_VERSION, head.index(_LINE_END) - len(_VERSION) - 1):
        raise malformed()


def without_upgrade(head: bytes) -> bytes:
    """Return a head without its `Upgrade` fields."""
    return _UPGRADE.sub(b"", head)


def require_head_syntax(beginning: bytes) -> None:
    """Refuse the beginning of a head at once if it is not HTTP: a TLS handshake, for example.

    Otherwise the client would wait until the time limit for the rest. Raises: RequestRefused.
    """
    try:
        HttpRequestParser(object()).feed_data(beginning)
    except HttpParserError:
        raise malformed() from None


class RequestFraming(NamedTuple):
    """What the header fields say about where a request goes and where it ends."""

    hosts: list[bytes]
    body_length: int | None
    """In bytes; None for a chunked body."""
    expects_continue: bool


def framing_of(headers: Headers, *, is_1_0: bool) -> RequestFraming:
    """Return the framing of a request with these fields, whose names are in lower case.

    Raises: RequestRefused, for other transfer codings than `chunked`, and for any in HTTP/1.0
    (RFC 9112, 6.1).
    """
    hosts: list[bytes] = []
    length: int | None = 0
    expects_continue = False
    for name, value in headers:
        if name not in _FRAMING_FIELDS:
            continue
        if name == b"host":
            hosts.append(value)
        elif name == b"content-length":
            length = int(value)
        elif name == b"expect":
            # HTTP/1.0 has no interim responses (RFC 9110, 10.1.1).
            expects_continue = not is_1_0 and value.lower() == b"100-continue"
        elif is_1_0 or value.lower() != b"chunked":
            raise malformed("The only transfer coding that the service accepts is `chunked`.")
        else:
            length = None
    return RequestFraming(hosts, length, expects_continue and length != 0)


def require_host(hosts: list[bytes], *, is_1_0: bool) -> None:
    """Require one valid `Host`, which only HTTP/1.0 may omit (RFC 9112, 3.2).

    Raises: RequestRefused.
    """
    if len(hosts) > 1:
        raise malformed("The request has several `Host` fields; send exactly one.")
    if not hosts and not is_1_0:
        raise malformed("The request has no `Host` field; HTTP/1.1 requires one.")
    if hosts and not _is_host(hosts[0]):
        raise malformed("The `Host` field must have a name or address, and optionally a port.")


def authority_and_path(method: bytes, url: bytes) -> tuple[bytes, bytes] | None:
    """Split an absolute URL (RFC 9112, 3.2.2); None for a path, and for the `*` of OPTIONS.

    Raises: RequestRefused.
    """
    if url.startswith(b"/") or (url == b"*" and method == b"OPTIONS"):
        return None
    absolute = _ABSOLUTE.fullmatch(url)
    if not absolute or not _is_host(absolute[1]):
        raise malformed("The request target must be a path, or a URL with `http` or `https`.")
    authority, rest = absolute.groups()
    return authority, rest if rest.startswith(b"/") else b"/" + rest


@lru_cache(maxsize=64)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None
