"""Records of vaults that do not open: whoever runs the service has to learn of them."""

from collections.abc import Sequence

import structlog
from starlette.requests import Request


def warn_of_damage(request: Request, **ids: str | Sequence[str]) -> None:
    """Something has changed the database past the service; ids only, never what was kept."""
    structlog.get_logger().warning(
        "what is kept in a vault does not open",
        logger="symphony.vaults",
        request_id=request.state.request_id,
        **ids,
    )
