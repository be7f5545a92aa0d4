"""The internals of FastAPI, Starlette and fastapi-offline that the API uses.

No other module uses them. `docs/decisions/dependencies.md` has the reason for each one, and
`tests/contracts/` fails when the dependency changes.
"""

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from fastapi._compat import ModelField

Validate = Callable[..., tuple[Any, list[Any]]]
"""Takes a value and `loc=` its location; returns the parsed value and pydantic's errors."""

# Options of a route that only FastAPI's own request handling reads, with their default values.
_IGNORED_OPTIONS: dict[str, object] = {
    "dependencies": [],
    "dependency_overrides_provider": None,
    "form_limits": None,
    "max_body_size": None,
    "response_model_by_alias": True,
    "response_model_exclude": None,
    "response_model_exclude_defaults": False,
    "response_model_exclude_none": False,
    "response_model_exclude_unset": False,
    "response_model_include": None,
}
# The same for options whose default FastAPI wraps in a placeholder.
_PLACEHOLDER_OPTIONS = ("response_class", "response_model", "strict_content_type")
# Facts about a function that no route supports, with the option that they stand for.
_UNSUPPORTED_FACTS = {
    "background_tasks_param_name": "`BackgroundTasks`",
    "cookie_params": "`Cookie`",
    "http_connection_param_name": "`HTTPConnection`",
    "own_oauth_scopes": "`Security`",
    "security_scopes_param_name": "`SecurityScopes`",
    "websocket_param_name": "`WebSocket`",
}
SWAGGER_UI = ("fastapi_offline", "static")
"""The package with the files of Swagger UI, and the folder in it."""
_NOT_SCALAR = (BaseModel, list, set, tuple, frozenset)


class UnsupportedOption(TypeError):
    """A route uses an option of FastAPI that `SelfAnsweringRoute` would ignore."""

    def __init__(self, path: str, function: Callable[..., Any], option: str) -> None:
        name = getattr(function, "__qualname__", repr(function))
        super().__init__(
            f"The route {path} ({name}) uses {option}, which Symphony does not support"
        )


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function that comes from the path, query, headers or body."""

    name: str
    place: str
    """"path", "query", "header" or "body"."""
    alias: str
    """Its name in the request."""
    annotation: Any
    is_required: bool
    default: Callable[[], Any]
    validate: Validate


@dataclass(frozen=True, slots=True)
class Function:
    """A coroutine function of a route or a dependency, and its arguments."""

    call: Callable[..., Awaitable[Any]]
    parameters: tuple[Parameter, ...]
    dependencies: tuple[tuple[str, "Function"], ...]
    """The names of the arguments that other functions return."""
    request_name: str | None
    response_name: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """The facts about the body of a route."""

    is_form: bool
    is_required: bool


class SelfAnsweringRoute(APIRoute):
    """A route that FastAPI parses and describes, but whose requests it does not handle.

    Subclasses handle them in `answer`.

    Raises: UnsupportedOption when it is created with an option that it would ignore.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        _refuse_ignored_options(path, endpoint, options)
        super().__init__(path, endpoint, **options)
        self._constant_part = path.partition("{")[0]
        self.function = function_of(self.dependant)
        self.body: Body | None = None
        if self.body_field is not None:
            info = self.body_field.field_info
            self.body = Body(isinstance(info, params.Form), info.is_required())
        self.serialize: Callable[[Any], bytes] | None = None
        if self.response_field is not None:
            self.serialize = self.response_field.serialize_json
        self.app = self.answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route matches a request, and FastAPI's additions to the scope."""
        # Most requests are for another route, and this is quicker than the regular expression. `in`
        # and not `startswith`: the path may begin with the root path (ASGI), and it is quicker.
        if self._constant_part not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)

    def media_types(self) -> tuple[str, ...]:
        """List the media types that the body may have, the preferred one first."""
        raise NotImplementedError

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request whose path and method match, as an ASGI application."""
        raise NotImplementedError


def function_of(dependant: Dependant) -> Function:
    """Return FastAPI's facts about a function and its dependencies.

    Raises: UnsupportedOption.
    """
    path, function = dependant.path or "", dependant.call
    assert function is not None  # noqa: S101 - FastAPI sets it for every function
    for option in _unsupported(dependant):
        raise UnsupportedOption(path, function, option)
    return Function(
        function,
        tuple(_parameters(dependant)),
        tuple((each.name or "", function_of(each)) for each in dependant.dependencies),
        dependant.request_param_name,
        dependant.response_param_name,
    )


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add the routes of routers to an application, flat.

    FastAPI matches the routes of an included router twice for each request, and the matched route
    then lacks the router's prefix, which logs and metrics need.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


def allowed_methods(app: FastAPI, scope: Scope) -> list[str]:
    """Return the methods of all routes that match the path (RFC 9110, section 10.2.1), sorted."""
    allowed = {method for route in _routes_at(app, scope) for method in route.methods or ()}
    allowed = allowed or {"GET"}  # the path of a mounted directory
    return sorted(allowed | {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set()))


def patch_media_types(app: FastAPI, scope: Scope) -> tuple[str, ...]:
    """Return the media types that a PATCH of the path accepts; empty without a PATCH."""
    for route in _routes_at(app, scope):
        if isinstance(route, SelfAnsweringRoute) and "PATCH" in (route.methods or ()):
            return route.media_types()
    return ()


def _routes_at(app: FastAPI, scope: Scope) -> list[Route]:
    return [
        route
        for route in app.routes
        if isinstance(route, Route) and route.matches(dict(scope))[0] is not Match.NONE
    ]


class _NoOverrides(dict[Callable[..., Any], Callable[..., Any]]):
    def __setitem__(self, dependency: Callable[..., Any], override: Callable[..., Any]) -> None:
        raise TypeError("Symphony does not support dependency_overrides: no route would use them")


def refuse_dependency_overrides(app: FastAPI) -> None:
    """Make `app.dependency_overrides[…] = …` raise TypeError instead of having no effect."""
    app.dependency_overrides = _NoOverrides()


def _refuse_ignored_options(
    path: str, endpoint: Callable[..., Any], options: dict[str, Any]
) -> None:
    for option, default in _IGNORED_OPTIONS.items():
        if options.get(option) is not None and options[option] != default:
            raise UnsupportedOption(path, endpoint, f"`{option}`")
    for option in _PLACEHOLDER_OPTIONS:
        if option in options and not isinstance(options[option], DefaultPlaceholder):
            raise UnsupportedOption(path, endpoint, f"`{option}`")
    annotation = typing.get_type_hints(endpoint).get("return", inspect.Signature.empty)
    if annotation is inspect.Signature.empty:
        raise UnsupportedOption(path, endpoint, "no return annotation")
    if any(_is_subclass(each, Response) for each in (annotation, *typing.get_args(annotation))):
        raise UnsupportedOption(path, endpoint, "a returned `Response`")


def _unsupported(dependant: Dependant) -> Iterator[str]:
    """Yield the options that a function uses and no route supports."""
    call = dependant.call
    if inspect.isasyncgenfunction(call) or inspect.isgeneratorfunction(call):
        yield "`yield`"
    elif not inspect.iscoroutinefunction(call):
        yield "a function that is not `async def`"
    for attribute, option in _UNSUPPORTED_FACTS.items():
        if getattr(dependant, attribute):
            yield option
    if not dependant.use_cache:
        yield "`use_cache=False`"
    if len(dependant.body_params) > 1:
        yield "more than one body parameter"
    yield from _unsupported_parameters(dependant)


def _unsupported_parameters(dependant: Dependant) -> Iterator[str]:
    for field in dependant.body_params:
        info = field.field_info
        if isinstance(info, params.File):
            yield "`File`"
        elif getattr(info, "embed", False):
            yield "`embed=True`"
        elif isinstance(info, params.Form) and not _is_subclass(info.annotation, BaseModel):
            yield "single `Form` fields"
    for field in (*dependant.query_params, *dependant.header_params):
        annotation = field.field_info.annotation
        options = (annotation, *typing.get_args(annotation))
        if any(_is_not_scalar(each) for each in options):
            yield f"a list or model for the parameter `{field.alias}`"


def _is_not_scalar(annotation: Any) -> bool:
    # `Sequence[str]` and the like; without type arguments they would include `str`.
    if _is_subclass(typing.get_origin(annotation), Iterable):
        return True
    return _is_subclass(annotation, _NOT_SCALAR)


def _is_subclass(annotation: Any, classes: type | tuple[type, ...]) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, classes)


def _parameters(dependant: Dependant) -> Iterator[Parameter]:
    places = {
        "path": dependant.path_params,
        "query": dependant.query_params,
        "header": dependant.header_params,
        "body": dependant.body_params,
    }
    for place, fields in places.items():
        for field in fields:
            yield _parameter(place, field)


def _parameter(place: str, field: "ModelField") -> Parameter:
    info = field.field_info
    return Parameter(
        field.name,
        place,
        field.alias,
        info.annotation,
        info.is_required(),
        field.get_default,
        field.validate,
    )
