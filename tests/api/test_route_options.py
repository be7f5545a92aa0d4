"""A route that uses an option that no route supports fails when it is created."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Annotated, Any

import pytest
from fastapi import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    Query,
    Response,
    Security,
    WebSocket,
)
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import SecurityScopes
from pydantic import BaseModel
from starlette.requests import HTTPConnection
from starlette.routing import Match

from symphony.api import fastapi_adapter, routing
from symphony.config.settings import Settings
from symphony.main import create_app


class Thing(BaseModel):
    name: str


async def dependency() -> str:
    return ""


def synchronous() -> str:
    return ""


async def yielding() -> AsyncGenerator[str]:
    yield ""


async def supported(thing: Thing, number: Annotated[int, Query()] = 1) -> Thing:
    return thing


OPTIONS: tuple[tuple[str, Any], ...] = (
    ("dependencies", [Depends(dependency)]),
    ("form_limits", {"max_fields": 3}),
    ("max_body_size", 1024),
    ("response_class", PlainTextResponse),
    ("response_model", Thing),
    ("response_model", None),
    ("response_model_by_alias", False),
    ("response_model_exclude", {"name"}),
    ("response_model_exclude_defaults", True),
    ("response_model_exclude_none", True),
    ("response_model_exclude_unset", True),
    ("response_model_include", {"name"}),
    ("strict_content_type", False),
)


@pytest.mark.parametrize(("option", "value"), OPTIONS)
def test_an_option_that_a_route_would_ignore_is_refused(option: str, value: Any) -> None:
    things = routing.router("things")
    with pytest.raises(fastapi_adapter.UnsupportedOption) as refused:
        things.add_api_route("/things", supported, methods=["POST"], **{option: value})
    assert str(refused.value).startswith("The route /api/v1/things (supported) uses ")
    assert f"`{option}`" in str(refused.value)


def test_a_router_with_dependency_overrides_is_refused() -> None:
    things = routing.router("things")
    things.dependency_overrides_provider = object()
    with pytest.raises(fastapi_adapter.UnsupportedOption, match="`dependency_overrides_provider`"):
        things.post("/things")(supported)


def test_a_router_with_a_response_class_is_refused() -> None:
    things = routing.router("things")
    things.default_response_class = PlainTextResponse
    with pytest.raises(fastapi_adapter.UnsupportedOption, match="`response_class`"):
        things.post("/things")(supported)


def test_a_route_without_such_options_is_accepted() -> None:
    things = routing.router("things")
    things.post("/things", status_code=201, summary="Create a thing", deprecated=True)(supported)
    assert len(things.routes) == 1


async def returning_a_response() -> Response:
    return Response()


async def returning_a_response_sometimes() -> Thing | JSONResponse:
    return JSONResponse({})


async def without_return_annotation():
    pass


async def with_a_yielding_dependency(value: Annotated[str, Depends(yielding)]) -> None: ...


async def with_a_synchronous_dependency(value: Annotated[str, Depends(synchronous)]) -> None: ...


async def with_background_tasks(tasks: BackgroundTasks) -> None: ...


async def with_a_cookie(crumb: Annotated[str, Cookie()]) -> None: ...


async def with_security(value: Annotated[str, Security(dependency, scopes=["a"])]) -> None: ...


async def with_security_scopes(scopes: SecurityScopes) -> None: ...


async def with_a_connection(connection: HTTPConnection) -> None: ...


async def with_a_websocket(socket: WebSocket) -> None: ...


async def without_cache(value: Annotated[str, Depends(dependency, use_cache=False)]) -> None: ...


async def with_two_bodies(one: Thing, two: Thing) -> None: ...


async def with_an_embedded_body(thing: Annotated[Thing, Body(embed=True)]) -> None: ...


async def with_a_form_field(name: Annotated[str, Form()]) -> None: ...


async def with_a_file(content: Annotated[bytes, File()]) -> None: ...


async def with_a_list_in_the_query(names: Annotated[list[str], Query()]) -> None: ...


async def with_a_sequence_in_the_query(names: Annotated[Sequence[str], Query()]) -> None: ...


async def with_a_model_in_the_query(thing: Annotated[Thing, Query()]) -> None: ...


async def with_a_list_in_headers(names: Annotated[list[str] | None, Header()] = None) -> None: ...


FUNCTIONS: tuple[tuple[Callable[..., Any], str], ...] = (
    (synchronous, "a function that is not `async def`"),
    (yielding, "`yield`"),
    (returning_a_response, "a returned `Response`"),
    (returning_a_response_sometimes, "`response_model`"),
    (without_return_annotation, "no return annotation"),
    (with_a_yielding_dependency, "`yield`"),
    (with_a_synchronous_dependency, "a function that is not `async def`"),
    (with_background_tasks, "`BackgroundTasks`"),
    (with_a_cookie, "`Cookie`"),
    (with_security, "`Security`"),
    (with_security_scopes, "`SecurityScopes`"),
    (with_a_connection, "`HTTPConnection`"),
    (with_a_websocket, "`WebSocket`"),
    (without_cache, "`use_cache=False`"),
    (with_two_bodies, "more than one body parameter"),
    (with_an_embedded_body, "`embed=True`"),
    (with_a_form_field, "single `Form` fields"),
    (with_a_file, "`File`"),
    (with_a_list_in_the_query, "a list or model for the parameter `names`"),
    (with_a_sequence_in_the_query, "a list or model for the parameter `names`"),
    (with_a_model_in_the_query, "a list or model for the parameter `thing`"),
    (with_a_list_in_headers, "a list or model for the parameter `names`"),
)


@pytest.mark.parametrize(("function", "option"), FUNCTIONS)
def test_a_function_that_no_route_supports_is_refused(
    function: Callable[..., Awaitable[Any]], option: str
) -> None:
    things = routing.router("things")
    options: dict[str, Any] = {"response_model": None} if option == "`response_model`" else {}
    with pytest.raises(fastapi_adapter.UnsupportedOption) as refused:
        things.post("/things", **options)(function)
    assert str(refused.value).startswith("The route /api/v1/things (")
    assert f" uses {option}, which" in str(refused.value)


def test_dependencies_of_the_application_cannot_be_overridden() -> None:
    app = create_app(Settings.model_validate({"demo_mode": True}))
    with pytest.raises(TypeError, match="dependency_overrides"):
        app.dependency_overrides[dependency] = dependency


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/api/v1/things/1", "", Match.FULL),
        ("/api/v1/thing", "", Match.NONE),
        ("/symphony/api/v1/things/1", "", Match.NONE),
        ("/symphony/api/v1/things/1", "/symphony", Match.FULL),
        ("/symphony/api/v1/thing", "/symphony", Match.NONE),
    ],
)
def test_a_route_matches_its_own_paths_only(path: str, root_path: str, expected: Match) -> None:
    things = routing.router("things")
    things.post("/things/{thing_id}")(supported)
    (route,) = things.routes
    scope = {"type": "http", "method": "POST", "path": path, "root_path": root_path}
    assert route.matches(scope)[0] is expected
