"""The log line for vault data that cannot be decrypted, for the operator."""

from collections.abc import Sequence

import structlog
from starlette.requests import Request


def log_damage(request: Request, **ids: str | Sequence[str]) -> None:
    """Log that the database was changed outside the service: ids only, never stored content."""
    structlog.get_logger().warning(
        "vault data cannot be decrypted",
        logger="symphony.vaults",
        request_id=request.state.request_id,
        **ids,
    )
