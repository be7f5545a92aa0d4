"""The exception handlers; `request_context` turns any other exception into a 500."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from symphony.api.fastapi_adapter import allowed_methods, patch_media_types
from symphony.api.problems.damage_log import log_damage
from symphony.api.problems.errors import ApiError
from symphony.api.problems.rendering import (
    error_response,
    outcome_unknown_response,
    unavailable_response,
)
from symphony.application.ports import Overloaded
from symphony.domain.errors import DomainError
from symphony.domain.unit_of_work import OutcomeUnknown, StoreUnavailable
from symphony.domain.vaults.keys import Damaged


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for expected in (ApiError, DomainError, RequestValidationError):
        app.add_exception_handler(expected, _handle_refusal)
    app.add_exception_handler(StoreUnavailable, _handle_unavailable)
    app.add_exception_handler(Overloaded, _handle_unavailable)
    app.add_exception_handler(HTTPException, _handle_http_exception)


async def _handle_refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, Damaged):
        log_damage(request, **error.ids)
    return error_response(request, error)


async def _handle_unavailable(request: Request, error: Exception) -> Response:
    structlog.get_logger().warning(
        "service unavailable",
        logger="symphony.requests",
        request_id=request.state.request_id,
        reason=str(error) or type(error).__name__,
    )
    if isinstance(error, Overloaded):
        return unavailable_response(request, error.retry_after)
    if isinstance(error, OutcomeUnknown):
        return outcome_unknown_response(request)
    return unavailable_response(request)


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    """Handle the 404 and 405 of FastAPI and Starlette, and the 304 of `conditions`.

    No route has the method OPTIONS: its response (RFC 9110, section 9.3.7) replaces a 405. `*`
    stands for the service as a whole.
    """
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    if error.status_code == 304:
        return Response(status_code=304, headers=error.headers)
    if error.status_code == 405:
        # The exception's own `Allow` lists the methods of one route only.
        headers = {"Allow": ", ".join(allowed_methods(request.app, request.scope))}
        if request.method == "OPTIONS":
            if accepted := patch_media_types(request.app, request.scope):
                headers["Accept-Patch"] = ", ".join(accepted)
            return Response(status_code=204, headers=headers)
        return error_response(request, ApiError("method-not-allowed", headers=headers))
    if request.method == "OPTIONS" and request.scope["path"] == "*":
        return Response(status_code=204)
    if error.status_code == 404:
        return error_response(request, ApiError("route-not-found"))
    return error_response(request, ApiError("malformed-request"))
