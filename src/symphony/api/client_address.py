"""The address of the client that sent a request."""

from starlette.requests import Request


def client_address(request: Request) -> str:
    """Return the address; empty for a connection without one, such as that of a Unix socket."""
    return request.client.host if request.client else ""
