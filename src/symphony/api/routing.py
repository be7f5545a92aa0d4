"""Routes of the API: the checks of each request in a fixed order, and the response.

The order: size (413), identity (401), media type (415) and syntax (400), scope (403), content
(422). A caller without a valid token learns nothing about the rest of the request.
"""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from symphony.api.binding import Binding
from symphony.api.bodies import strict_json
from symphony.api.bodies.large_bodies import in_turn
from symphony.api.fastapi_adapter import SelfAnsweringRoute
from symphony.api.problems.errors import ApiError
from symphony.api.request import FORM, JSON, MERGE_PATCH, ApiRequest
from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.domain.api_tokens import Scope as TokenScope
from symphony.domain.errors import TokenRefused
from symphony.domain.reach import InsufficientScope, confined
from symphony.domain.unit_of_work import StoreUnavailable

PREFIX = "/api/v1"
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
ScopeSets: TypeAlias = tuple[frozenset[TokenScope], ...]
"""Sets of scopes: a request requires all scopes of one of these sets."""

READ = frozenset({TokenScope.READ})
WRITE = frozenset({TokenScope.WRITE})
REPORT = frozenset({TokenScope.REPORT})
SECRETS = frozenset({TokenScope.SECRETS})


class LargeBody(NamedTuple):
    """The limit of a route whose bodies are larger than usual, and what parses them."""

    max_bytes: int
    parser: strict_json.Parser


_SAFE = frozenset({"GET", "HEAD"})
_abandonable = set[Callable[..., Any]]()
_scope_sets = dict[Callable[..., Any], ScopeSets]()
_of_whole_user = set[Callable[..., Any]]()
_large_bodies = dict[Callable[..., Any], LargeBody]()


def abandonable(function: FunctionT) -> FunctionT:
    """Declare that a route's function is cancelled when its client disconnects.

    For functions that wait for Argon2: a client that has gone frees its place in the queue.
    Commands are complete even if their caller is cancelled.
    """
    _abandonable.add(function)
    return function


def needs_scopes(*sets: frozenset[TokenScope]) -> Callable[[FunctionT], FunctionT]:
    """Declare that a route's function requires all scopes of one of these sets.

    Without the declaration GET and HEAD require `read`, and all other methods `write`.
    """

    def declare(function: FunctionT) -> FunctionT:
        _scope_sets[function] = sets
        return function

    return declare


def of_whole_user(function: FunctionT) -> FunctionT:
    """Declare that a route's function concerns its user as a whole.

    A token that is confined to workspaces cannot use it.
    """
    _of_whole_user.add(function)
    return function


def accepts_gzip(max_bytes: int, parser: strict_json.Parser) -> Callable[[FunctionT], FunctionT]:
    """Declare that a route's function accepts bodies of `max_bytes`, also compressed with gzip.

    The limit replaces the operator's, and also applies to the decompressed body, which `parser`
    parses.
    """

    def declare(function: FunctionT) -> FunctionT:
        _large_bodies[function] = LargeBody(max_bytes, parser)
        return function

    return declare


class OtherThanMe(StringConvertor):
    """A path segment other than `me`, which is a path with methods of its own."""

    regex = "(?!me$)[^/]+"


class OtherThanCurrent(StringConvertor):
    """A path segment other than `current`, likewise."""

    regex = "(?!current$)[^/]+"


class EntryKeyInPath(StringConvertor):
    """The rest of the path: the key of an entry may contain slashes."""

    regex = r"[\s\S]+"


register_url_convertor("other_than_me", OtherThanMe())
register_url_convertor("other_than_current", OtherThanCurrent())
register_url_convertor("entry_key", EntryKeyInPath())


class ApiRoute(SelfAnsweringRoute):
    """A route that requires a bearer token with the scopes of the operation."""

    needs_token = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._binding = Binding(self.function)
        self._success = self.status_code or 200
        self._is_abandonable = endpoint in _abandonable
        self.is_of_whole_user = endpoint in _of_whole_user
        self._scope_sets = _scope_sets.get(endpoint)
        self._large_body = _large_bodies.get(endpoint)

    def media_types(self) -> tuple[str, ...]:
        """List the media types that the body may have, the preferred one first."""
        if self.body is None:
            return ()
        if self.body.is_form:
            return (FORM,)
        return (MERGE_PATCH, JSON) if "PATCH" in (self.methods or ()) else (JSON,)

    def scope_sets(self, method: str) -> ScopeSets:
        """Return the sets of scopes of which a token needs one."""
        if self._scope_sets is not None:
            return self._scope_sets
        return (READ,) if method in _SAFE else (WRITE,)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, call the route's function, and send the response."""
        request = ApiRequest(scope, receive)
        if self._large_body is None:
            await request.read_content(request.app.state.max_body_bytes)
        else:
            await request.read_content(self._large_body.max_bytes, accepts_gzip=True)
        app: Application = request.app.state.application
        caller = None
        if self.needs_token:
            is_query = request.method in _SAFE
            caller, app = await identify_caller(
                IdentifyCaller(_bearer_token(request), is_query), app
            )
            request.state.caller = caller
        request.state.application = app
        try:
            response = await self._respond(request, caller)
        except (TokenRefused, StoreUnavailable):
            raise
        except Exception:
            await app.require_access()  # the 401 for the token comes before all other errors
            raise
        await app.require_access()
        await response(scope, receive, send)

    async def _respond(self, request: ApiRequest, caller: Caller | None) -> Response:
        if self.body and (request.content or self.body.is_required):
            parser = self._large_body.parser if self._large_body else strict_json.parse
            if request.is_large:
                await in_turn(request.read_document, self.media_types(), parser)
            else:
                request.read_document(self.media_types(), parser)
        if caller:
            sets = self.scope_sets(request.method)
            _require_scopes(sets, caller)
            _require_own_machine(request, caller)
            if self.is_of_whole_user and caller.is_confined:
                raise confined(sets[0])
        request.read_query(self._binding.query_names)
        if self.serialize is None:
            response = Response(status_code=self._success)
            await self._call(request, response)
        else:
            response = Response(status_code=self._success, media_type=JSON)
            response.body = self.serialize(await self._call(request, response))
            response.headers["Content-Length"] = str(len(response.body))
        return response

    async def _call(self, request: ApiRequest, response: Response) -> Any:
        calling = self._binding.call(request, response)
        return await (request.while_connected(calling) if self._is_abandonable else calling)


class PublicApiRoute(ApiRoute):
    """A route that requires no token."""

    needs_token = False


class TokenEndpointRoute(PublicApiRoute):
    """The route to sign in; its problems also have the `error` of RFC 6749, section 5.2."""

    has_oauth_errors = True


def router(tag: str, route_class: type[ApiRoute] = ApiRoute) -> APIRouter:
    """Create a router for the operations of one noun."""
    return APIRouter(
        prefix=PREFIX,
        tags=[tag],
        route_class=route_class,
        generate_unique_id_function=operation_id,
    )


def operation_id(route: APIRoute) -> str:
    """Return the name of the route's function; generated clients use it for their functions."""
    return route.name


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise ApiError("unauthenticated", "Send a token: `Authorization: Bearer …`.")
    return token


def _require_scopes(sets: ScopeSets, caller: Caller) -> None:
    if any(each <= caller.scopes for each in sets):
        return
    nearest = min(sets, key=lambda each: len(each - caller.scopes))
    needed = in_order(nearest)
    names = " and ".join(f"`{each}`" for each in needed)
    scopes = "scope" if len(needed) == 1 else "scopes"
    raise InsufficientScope(f"This request requires a token with the {scopes} {names}.", needed)


def _require_own_machine(request: Request, caller: Caller) -> None:
    """Require that a path names the machine of the token, if the token is for one machine only.

    Any other machine has the same answer, whether it exists or not. Raises: InsufficientScope.
    """
    named = request.path_params.get("machine_id")
    if caller.machine_id is not None and named is not None and not _is(named, caller.machine_id):
        detail = "A token with the scope `report` concerns its own machine only."
        raise InsufficientScope(detail, [TokenScope.READ])


def _is(text: str, wanted: UUID) -> bool:
    try:
        return UUID(text) == wanted
    except ValueError:
        return False


def in_order(scopes: Collection[TokenScope]) -> list[TokenScope]:
    return [each for each in TokenScope if each in scopes]
