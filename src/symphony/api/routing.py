"""The routes' common beginning: what is checked of every request, and in which order.

Size (413), identity (401), media type (415) and form (400), scope (403), then content (422, by
FastAPI), so that nothing is told to somebody without a token. FastAPI by itself would read and
parse the body first.
"""

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from symphony.api.problems import ApiError
from symphony.api.strict_json import parse
from symphony.api.validation_errors import InvalidPart
from symphony.application.authentication import Caller, identify
from symphony.domain.api_tokens import Scope

PREFIX = "/api/v1"


class OtherThanMe(StringConvertor):
    """What stands in a path where `me` has an address, and methods, of its own."""

    regex = "(?!me$)[^/]+"


register_url_convertor("other_than_me", OtherThanMe())

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_FORM = "application/x-www-form-urlencoded"
_MAX_FORM_FIELDS = 20


class ReadRequest(Request):
    """A request whose body has been read and understood."""

    content: bytes = b""
    document: Any = None

    async def body(self) -> bytes:
        return self.content

    async def json(self) -> Any:
        return self.document

    async def form(self, **_: Any) -> FormData:  # pyright: ignore[reportIncompatibleMethodOverride]
        return FormData(self.document)


class ApiRoute(APIRoute):
    """A route that needs a bearer token with the method's scope."""

    needs_token = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        media_types = self.media_types()
        parameters = _query_parameters(self.dependant)

        async def handle_in_order(request: Request) -> Response:
            received = ReadRequest(request.scope, request.receive)
            received.content = await _read(request, request.app.state.max_body_bytes)
            caller = await _identified(request) if self.needs_token else None
            if media_types:
                received.document = _understood(received, media_types)
            if caller:
                _require(needed_scope(request.method), caller)
            _require_known(request, parameters)
            return await handle(received)

        return handle_in_order

    def media_types(self) -> tuple[str, ...]:
        """Those in which the body may come, the most fitting one first; none without a body."""
        if self.body_field is None:
            return ()
        if isinstance(self.body_field.field_info, params.Form):
            return (_FORM,)
        return (_MERGE_PATCH, _JSON) if "PATCH" in (self.methods or ()) else (_JSON,)


class PublicApiRoute(ApiRoute):
    """A route for everybody."""

    needs_token = False


def router(tag: str, *, public: bool = False) -> APIRouter:
    """A router for one noun's operations."""
    return APIRouter(
        prefix=PREFIX,
        tags=[tag],
        route_class=PublicApiRoute if public else ApiRoute,
        generate_unique_id_function=operation_id,
    )


def operation_id(route: APIRoute) -> str:
    """The function's name: clients that are generated call their own functions so."""
    return route.name


def needed_scope(method: str) -> Scope:
    return Scope.READ if method in {"GET", "HEAD"} else Scope.WRITE


async def _read(request: Request, limit: int) -> bytes:
    """The body. Raises: ApiError `payload-too-large`, having read no further than the limit."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise _too_large(limit)
    return bytes(content)


def _too_large(limit: int) -> ApiError:
    return ApiError("payload-too-large", f"A body may have at most {limit} bytes.")


async def _identified(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer":
        caller = await identify(token.strip(), request.app.state.application)
    if caller is None:
        raise ApiError("unauthenticated")
    request.state.caller = caller
    return caller


def _understood(request: ReadRequest, accepted: tuple[str, ...]) -> Any:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise ApiError("unsupported-media-type", f"Accepted: {', '.join(sorted(accepted))}.")
    return _form(request.content) if media_type == _FORM else parse(request.content)


def _form(content: bytes) -> list[tuple[str, str]]:
    try:
        fields = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FORM_FIELDS,
        )
    except ValueError:
        raise ApiError("malformed-request", "The body is not a URL-encoded form.") from None
    _require_unique([name for name, _ in fields], in_body=True)
    return fields


def _require(needed: Scope, caller: Caller) -> None:
    if needed not in caller.scopes:
        raise ApiError("insufficient-scope", f"This needs a token with the scope {needed}.")


def _require_known(request: Request, parameters: frozenset[str]) -> None:
    """Parameters that are misspelt, given twice or not UTF-8 are errors, not silence."""
    query: bytes = request.scope["query_string"]
    if not query:
        return
    try:
        given = [
            name
            for name, _ in parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
        ]
    except ValueError:
        part = InvalidPart(
            "not-utf-8", "The query must be percent-encoded UTF-8.", parameter="query"
        )
        raise ApiError("validation-error", errors=[part]) from None
    if not parameters.issuperset(given):
        known = ", ".join(sorted(parameters)) or "none"
        part = InvalidPart(
            "unknown-parameter", f"The parameters here are: {known}.", parameter="query"
        )
        raise ApiError("validation-error", errors=[part])
    _require_unique(given, in_body=False)


def _require_unique(names: list[str], *, in_body: bool) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        place = {"pointer": ""} if in_body else {"parameter": twice[0]}
        part = InvalidPart("duplicate-field", "The same name is given twice.", **place)
        raise ApiError("validation-error", errors=[part])


def _query_parameters(dependant: Dependant) -> frozenset[str]:
    own = {parameter.alias for parameter in dependant.query_params}
    return frozenset(own.union(*(_query_parameters(each) for each in dependant.dependencies)))
