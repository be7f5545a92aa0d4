"""Error responses; each is a problem (RFC 9457)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from symphony.api.problems.catalogue import MEDIA_TYPE, problem_type
from symphony.api.problems.errors import MAX_ERRORS, ApiError, summary
from symphony.api.problems.schema import FieldProblem, Problem
from symphony.api.problems.validation_errors import InvalidField, invalid_fields
from symphony.api.root_path import root_path
from symphony.domain.api_tokens import InsufficientScope
from symphony.domain.attempts import TooManyAttempts
from symphony.domain.errors import (
    DomainError,
    Invalid,
    LimitReached,
    NamesTaken,
    PreconditionFailed,
    TokenRefused,
)
from symphony.domain.machines.reports import ReportOutdated, TooManyReports

_MAX_INSTANCE = 8192  # characters; no path of a route is longer
_CUT_ESCAPE = re.compile("%[0-9A-Fa-f]?$")
# RFC 6749, section 5.2. Its codes for a service that cannot answer are in section 4.1.2.1.
_OAUTH_ERRORS = {
    400: "invalid_request",
    401: "invalid_grant",
    413: "invalid_request",
    415: "invalid_request",
    422: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}


def error_response(request: Request, error: Exception) -> Response:
    """Return the response for an error of the API or the domain; raise any other error again."""
    if isinstance(error, ApiError):
        return _response(request, error.code, error.detail, error.headers, error.errors)
    if isinstance(error, RequestValidationError):
        fields = invalid_fields(error.errors())
        return _response(request, "validation-error", summary(fields), errors=fields)
    if isinstance(error, Invalid):
        fields = [InvalidField.of(each) for each in error.errors]
        return _response(request, "validation-error", summary(fields), errors=fields)
    if isinstance(error, NamesTaken):
        fields = [InvalidField.of(each) for each in error.errors]
        detail = fields[0].sentence if len(fields) == 1 else error.detail
        return _response(request, error.slug, detail, errors=fields)
    if isinstance(error, DomainError):
        return _response(request, error.slug, error.detail, _headers(error), extra=_members(error))
    raise error


def unavailable_response(request: Request, retry_after: int = 1) -> Response:
    """Return the 503 for a database that cannot be reached, or a queue that is full or too slow.

    `retry_after` is in seconds.
    """
    return _response(
        request,
        "service-unavailable",
        "The service is overloaded or cannot reach its database; retry in a moment.",
        {"Retry-After": str(retry_after)},
    )


def outcome_unknown_response(request: Request) -> Response:
    """Return the 503 for a change that the database has not confirmed, and may have stored."""
    return _response(
        request,
        "service-unavailable",
        "The database has not confirmed the change in time, so its outcome is unknown: it may be"
        " stored, now or later. A retry of a POST with the same `Idempotency-Key` is safe; before"
        " other retries, get the resource.",
        {"Retry-After": "1"},
    )


def internal_error_response(request: Request) -> Response:
    """Return the 500: it has no reason, only the request id with which the reason is logged."""
    return _response(
        request, "internal-error", "The request failed unexpectedly; the failure was logged."
    )


def refused_request_response(root: str, code: str, detail: str, request_id: str) -> Response:
    """Return the response for a request that never gets to the application, below a root path.

    It has no `instance`, because the request may have no path.
    """
    return _render(
        root,
        "",
        request_id,
        code,
        detail,
        {"X-Request-ID": request_id, "X-Content-Type-Options": "nosniff"},
    )


def _response(
    request: Request,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[InvalidField] = (),
    extra: Mapping[str, int] | None = None,
) -> Response:
    request_id: str = request.state.request_id
    members: dict[str, Any] = {**(extra or {})}
    if getattr(request.scope.get("route"), "has_oauth_errors", False):
        members["error"] = _OAUTH_ERRORS.get(problem_type(code).status)
    root = root_path(request.scope)
    return _render(root, _instance(request), request_id, code, detail, headers, errors, members)


def _render(
    root: str,
    instance: str,
    request_id: str,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[InvalidField] = (),
    extra: Mapping[str, Any] | None = None,
) -> Response:
    kind = problem_type(code)
    problem = Problem(
        type=f"{root}/problems/{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=instance and root + instance,
        code=code,
        request_id=request_id,
        errors=[FieldProblem(**each.members()) for each in errors[:MAX_ERRORS]] or None,
        **(extra or {}),
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        kind.status,
        headers={
            "Cache-Control": "no-store",
            **({"WWW-Authenticate": "Bearer"} if kind.status == 401 else {}),
            **(headers or {}),
        },
        media_type=MEDIA_TYPE,
    )


def _instance(request: Request) -> str:
    """Return the path exactly as it was sent, without the prefix: ASCII, percent-encoded.

    Of a path that no route has, only the beginning is returned.
    """
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    return _CUT_ESCAPE.sub("", raw[:_MAX_INSTANCE].decode("ascii", "replace"))


def _headers(error: DomainError) -> dict[str, str]:
    if isinstance(error, TooManyAttempts | TooManyReports):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, TokenRefused):
        return {"WWW-Authenticate": _challenge("invalid_token", error_description=error.detail)}
    if isinstance(error, InsufficientScope):
        scope = " ".join(error.needed)
        return {"WWW-Authenticate": _challenge("insufficient_scope", scope=scope)}
    return {}


def _challenge(error: str, **attributes: str) -> str:
    """Return a challenge for a token that was sent (RFC 6750, section 3)."""
    values = {"error": error, **attributes}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in values.items())


def _members(error: DomainError) -> dict[str, int]:
    if isinstance(error, LimitReached):
        return {"limit": error.limit, "used": error.used}
    if isinstance(error, PreconditionFailed) and error.current_version is not None:
        return {"current_version": error.current_version}
    if isinstance(error, ReportOutdated):
        return {"current_sequence": error.current_sequence}
    return {}
