"""The address of the client that sent a request."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import Request


def client_address(request: Request) -> str:
    """Return the address; empty for a connection without one, such as that of a Unix socket.

    All addresses of an IPv6 network of 64 bits count as one: a client can use any of them.
    """
    try:
        address = ip_address(request.client.host.partition("%")[0] if request.client else "")
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
