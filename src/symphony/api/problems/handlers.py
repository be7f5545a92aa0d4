"""Which exceptions become which answers; everything else is a 500, made by `request_context`."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from symphony.api.conditions import NotModified
from symphony.api.problems.catalogue import ApiError, respond, unavailable
from symphony.api.problems.damage import warn_of_damage
from symphony.application.ports import Overloaded
from symphony.domain.errors import DomainError
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.domain.vaults.keys import Damaged


def install(app: FastAPI) -> None:
    """Call it when all routes are there: the `Allow` of a 405 is made from them."""
    methods = _methods_by_path(app)

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, Damaged):
            warn_of_damage(request, **error.ids)
        return respond(request, error)

    async def answer_unavailable(request: Request, _: Exception) -> Response:
        return unavailable(request)

    async def answer_not_modified(_: Request, error: Exception) -> Response:
        assert isinstance(error, NotModified)  # noqa: S101 - it is registered for nothing else
        return Response(status_code=304, headers=error.headers)

    async def answer_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
        if error.status_code == 405:
            allowed = _allowed(methods, request.scope["path"])
            return respond(request, ApiError("method-not-allowed", headers={"Allow": allowed}))
        if error.status_code == 404:
            return respond(request, ApiError("route-not-found"))
        return respond(request, ApiError("malformed-request"))

    for expected in (ApiError, DomainError, RequestValidationError):
        app.add_exception_handler(expected, answer)
    for passing in (StoreUnavailable, Overloaded):
        app.add_exception_handler(passing, answer_unavailable)
    app.add_exception_handler(NotModified, answer_not_modified)
    app.add_exception_handler(HTTPException, answer_framework)


def _methods_by_path(app: FastAPI) -> dict[str, set[str]]:
    by_path: dict[str, set[str]] = {}
    for context in iter_route_contexts(app.routes):
        if context.path is not None:
            by_path.setdefault(context.path, set()).update(context.methods or ())
    return by_path


def _allowed(methods: dict[str, set[str]], path: str) -> str:
    """All methods that some route with this path takes (RFC 9110, section 10.2.1)."""
    allowed: set[str] = set()
    for template, of_route in methods.items():
        if compile_path(template)[0].match(path):
            allowed |= of_route
    if not allowed:  # below the mounted files
        allowed = {"GET"}
    return ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
