"""Remotes: the form in which the addresses of git remotes are compared."""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from symphony.domain.fields import CONTROL_CHARACTER

DEFAULT_PORTS = {
    "ftp": 21,
    "ftps": 990,
    "git": 9418,
    "git+ssh": 22,
    "http": 80,
    "https": 443,
    "ssh": 22,
    "ssh+git": 22,
}
# A single letter without a user is a drive of Windows; two colons follow a helper (`ext::`).
_SCP_LIKE = re.compile(
    r"(?:[^@:/\s]+@|(?!.:))(?P<host>[^@:/\s\[\]]+|\[[^@/\s]+\]):(?P<path>[^:\s].*)"
)
_SUFFIX = ".git"


@lru_cache(maxsize=8_192)  # reports and boards compare the same addresses again and again
def normalized_remote(address: str) -> str | None:
    """The host and path of a remote, equal for all addresses that lead to the same repository.

    Protocol, user, password, default port, the slashes around the path and its suffix `.git` are
    left out. The host is in lower case, and the path is decoded (RFC 3986, section 6.2.2); its case
    is significant. Another port than the default one of the protocol stays.

    Return None for an address without a host: a local path, a `file:` URL, a helper (`ext::`).
    """
    if CONTROL_CHARACTER.search(address):
        return None
    if "://" in address:
        return _from_url(address)
    parts = _SCP_LIKE.fullmatch(address)
    # The short form is not a URL: git decodes nothing in it.
    return parts and _joined(parts["host"].strip("[]"), None, parts["path"])


def _from_url(address: str) -> str | None:
    try:
        url = urlsplit(address)
        port, host = url.port, url.hostname
    except ValueError:
        return None
    if not host or url.scheme not in DEFAULT_PORTS:
        return None
    path = address.partition("://")[2][len(url.netloc) :]
    return _joined(host, None if port == DEFAULT_PORTS[url.scheme] else port, _decoded(path))


def _joined(host: str, port: int | None, path: str) -> str:
    host = host.lower().rstrip(".")
    host = f"[{host}]" if ":" in host else host
    place = host if port is None else f"{host}:{port}"
    return f"{place}/{path.strip('/').removesuffix(_SUFFIX).rstrip('/')}"


def _decoded(path: str) -> str:
    """Decode a path; an encoded slash is no separator, and stays encoded."""
    try:
        segments = [unquote(each, errors="strict") for each in path.split("/")]
    except UnicodeDecodeError:
        return path
    return "/".join(each.replace("/", "%2F") for each in segments)
