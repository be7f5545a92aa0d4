"""Error responses; each is a problem (RFC 9457)."""

from collections.abc import Mapping, Sequence

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from symphony.api.problems.catalogue import MEDIA_TYPE, problem_type
from symphony.api.problems.errors import ApiError, summary
from symphony.api.problems.schema import FieldProblem, Problem
from symphony.api.problems.validation_errors import InvalidField, invalid_fields
from symphony.domain.errors import (
    DomainError,
    Invalid,
    LimitReached,
    NamesTaken,
    PreconditionFailed,
)
from symphony.domain.sign_in_failures import TooManyAttempts

RETRY_AFTER = 1  # seconds


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
        return _response(request, error.slug, error.detail, errors=fields)
    if isinstance(error, DomainError):
        return _response(request, error.slug, error.detail, _headers(error), extra=_members(error))
    raise error


def unavailable_response(request: Request) -> Response:
    """Return the 503 for a database that cannot be reached, or a queue that is full or too slow."""
    return _response(
        request,
        "service-unavailable",
        "The service is overloaded or cannot reach its database; retry in a moment.",
        {"Retry-After": str(RETRY_AFTER)},
    )


def internal_error_response(request: Request) -> Response:
    """Return the 500: it has no reason, only the request id with which the reason is logged."""
    return _response(
        request, "internal-error", "The request failed unexpectedly; the failure was logged."
    )


def refused_request_response(code: str, detail: str, request_id: str) -> Response:
    """Return the response for a request that never gets to the application.

    It has no `instance`, because the request may have no path.
    """
    return _render(
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
    return _render(_instance(request), request_id, code, detail, headers, errors, extra)


def _render(
    instance: str,
    request_id: str,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[InvalidField] = (),
    extra: Mapping[str, int] | None = None,
) -> Response:
    kind = problem_type(code)
    problem = Problem(
        type=f"/problems/{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=instance,
        code=code,
        request_id=request_id,
        errors=[FieldProblem(**each.members()) for each in errors] or None,
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
    """Return the path exactly as it was sent: ASCII, with other bytes percent-encoded."""
    raw: bytes = request.scope.get("raw_path") or b""
    return raw.decode("ascii", "replace") or request.url.path


def _headers(error: DomainError) -> dict[str, str]:
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(error.retry_after)}
    return {}


def _members(error: DomainError) -> dict[str, int]:
    if isinstance(error, LimitReached):
        return {"limit": error.limit, "used": error.used}
    if isinstance(error, PreconditionFailed) and error.current_version is not None:
        return {"current_version": error.current_version}
    return {}
