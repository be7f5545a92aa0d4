"""The routes' common way: what is checked of every request and in which order, and the answer.

Size (413), identity (401), media type (415) and form (400), scope (403), then content (422), so
that nothing is told to somebody without a token.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, params
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from symphony.api.binding import Binding
from symphony.api.problems.catalogue import ApiError
from symphony.api.request import FORM, JSON, MERGE_PATCH, ApiRequest
from symphony.application.callers import Caller
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.domain.api_tokens import Scope as TokenScope

PREFIX = "/api/v1"


class OtherThanMe(StringConvertor):
    """What stands in a path where `me` has an address, and methods, of its own."""

    regex = "(?!me$)[^/]+"


class EntryKeyInPath(StringConvertor):
    """A key with slashes in it: all that is left of the path, whatever it holds."""

    regex = r"[\s\S]+"


register_url_convertor("other_than_me", OtherThanMe())
register_url_convertor("entry_key", EntryKeyInPath())


class ApiRoute(APIRoute):
    """A route that needs a bearer token with the method's scope.

    FastAPI reads and describes its function; requests are answered here.
    """

    needs_token = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._begins_with = path.partition("{")[0]
        self._binding = Binding(self.dependant)
        self._success = self.status_code or 200
        self.app = self._answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # Most paths are some other route's, and this tells it sooner than a regular expression.
        if self._begins_with not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)

    def media_types(self) -> tuple[str, ...]:
        """Those in which the body may come, the most fitting one first; none without a body."""
        if self.body_field is None:
            return ()
        if isinstance(self.body_field.field_info, params.Form):
            return (FORM,)
        return (MERGE_PATCH, JSON) if "PATCH" in (self.methods or ()) else (JSON,)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ApiRequest(scope, receive)
        await request.read_content(request.app.state.max_body_bytes)
        caller = await _identified(request) if self.needs_token else None
        if self.body_field and (request.content or self.body_field.field_info.is_required()):
            request.read_document(self.media_types())
        if caller:
            _require(needed_scope(request.method), caller)
        request.read_query(self._binding.query_names)
        if self.response_field is None:
            response = Response(status_code=self._success)
            await self._binding.call(request, response)
        else:
            response = Response(status_code=self._success, media_type=JSON)
            shown = await self._binding.call(request, response)
            response.body = self.response_field.serialize_json(shown)
            response.headers["Content-Length"] = str(len(response.body))
        await response(scope, receive, send)


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


def needed_scope(method: str) -> TokenScope:
    return TokenScope.READ if method in {"GET", "HEAD"} else TokenScope.WRITE


async def _identified(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer":
        caller = await identify_caller(IdentifyCaller(token.strip()), request.app.state.application)
    if caller is None:
        raise ApiError("unauthenticated")
    request.state.caller = caller
    return caller


def _require(needed: TokenScope, caller: Caller) -> None:
    if needed not in caller.scopes:
        raise ApiError("insufficient-scope", f"This needs a token with the scope {needed}.")
