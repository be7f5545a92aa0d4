"""The address of a client, by which failed sign-ins are counted and queues are shared fairly."""

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from starlette.requests import Request

_Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""The address of clients without one, such as those of a Unix socket; they count as one client."""
_CLIENT_PREFIX = 64  # bits (RFC 4291, section 2.5.4): a client chooses the others as it likes
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](:\d+)?|(?P<v4>[\d.]+):\d+", re.ASCII)


def client_address(request: Request) -> str:
    """Return the address of one client: an IPv4 address, or the /64 network of an IPv6 address.

    `X-Forwarded-For` counts only when the peer is a trusted proxy. Each proxy has appended the
    address from which the request came, so the client's is the last one that is not trusted;
    everything before it may be invented.
    """
    peer = _parsed(request.client.host) if request.client else None
    if peer is None:
        return UNKNOWN
    trusted: tuple[_Network, ...] = request.app.state.trusted_proxies
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    client = peer
    while forwarded and any(client in network for network in trusted):
        before = _parsed(forwarded.pop())
        if before is None:
            break  # what a trusted proxy did not write correctly comes from that proxy
        client = before
    return _as_client(client)


def _parsed(text: str) -> _Address | None:
    """Parse an address, with or without a port; an IPv4 address in an IPv6 one becomes IPv4."""
    text = text.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    try:
        address = ip_address(text.partition("%")[0])  # without the zone of a link-local address
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _as_client(address: _Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _CLIENT_PREFIX), strict=False))
