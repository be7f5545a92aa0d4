"""The internals of FastAPI that `symphony.api.fastapi_adapter` uses."""

import dataclasses
import inspect
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Form, Header, Query, Request, Response, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

ADAPTER = "see symphony/api/fastapi_adapter.py"
PLACES = ("path_params", "query_params", "header_params", "cookie_params", "body_params")


class Thing(BaseModel):
    name: str


async def tenant(request: Request) -> str:
    return request.headers["host"]


async def update_thing(
    number: int,
    thing: Thing,
    response: Response,
    tenant: Annotated[str, Depends(tenant)],
    limit: Annotated[int, Query(alias="max")] = 3,
    if_match: Annotated[str | None, Header(alias="If-Match")] = None,
) -> Thing:
    return thing


async def sign_in(form: Annotated[Thing, Form()]) -> None: ...


def test_a_dependant_has_the_fields_that_the_adapter_reads() -> None:
    fields = {field.name for field in dataclasses.fields(Dependant)}
    read = {
        *PLACES,
        *("call", "path", "name", "dependencies", "request_param_name", "response_param_name"),
        *("use_cache", "own_oauth_scopes", "security_scopes_param_name"),
        *("background_tasks_param_name", "http_connection_param_name", "websocket_param_name"),
    }
    assert read <= fields, f"Dependant lost fields; {ADAPTER}"
    known = read | {"parent_oauth_scopes", "scope", "concurrency"}
    assert fields <= known, f"Dependant has new fields: does a route have to refuse them? {ADAPTER}"


def test_a_dependant_sorts_parameters_by_their_place() -> None:
    dependant = get_dependant(path="/things/{number}", call=update_thing)
    places = {place: [each.alias for each in getattr(dependant, place)] for place in PLACES}
    assert places == {
        "path_params": ["number"],
        "query_params": ["max"],
        "header_params": ["If-Match"],
        "cookie_params": [],
        "body_params": ["thing"],
    }, f"FastAPI sorts parameters differently; {ADAPTER}"
    assert dependant.call is update_thing
    assert dependant.response_param_name == "response"
    (dependency,) = dependant.dependencies
    assert (dependency.name, dependency.call) == ("tenant", tenant)
    assert dependency.request_param_name == "request"


def test_a_model_field_validates_and_has_a_default() -> None:
    dependant = get_dependant(path="/things/{number}", call=update_thing)
    (limit,), (number,) = dependant.query_params, dependant.path_params
    assert (limit.name, limit.field_info.is_required(), limit.get_default()) == ("limit", False, 3)
    assert number.field_info.is_required()
    assert number.validate("7", loc=("path", "number")) == (7, [])
    value, errors = number.validate("seven", loc=("path", "number"))
    assert value is None
    (error,) = errors
    assert (error["type"], error["loc"]) == ("int_parsing", ("path", "number")), ADAPTER


def test_a_route_has_fields_for_its_body_and_response() -> None:
    route = APIRoute("/things/{number}", update_thing, methods=["PUT"])
    assert route.body_field is not None
    assert not isinstance(route.body_field.field_info, params.Form)
    assert route.body_field.field_info.is_required()
    assert route.response_field is not None
    assert route.response_field.serialize_json(Thing(name="ä")) == '{"name":"ä"}'.encode()
    assert (route.path_format, route.response_model) == ("/things/{number}", Thing), ADAPTER
    form = APIRoute("/sign-in", sign_in, methods=["POST"])
    assert form.body_field is not None
    assert isinstance(form.body_field.field_info, params.Form)
    assert form.response_field is None


def test_a_route_answers_with_its_attribute_app() -> None:
    """`SelfAnsweringRoute` replaces it."""
    assert "app" in vars(APIRoute("/things", sign_in)), f"APIRoute.app is gone; {ADAPTER}"


def test_the_options_of_a_route_are_known() -> None:
    """An option that is new has to be supported, described only, or refused by the adapter."""
    described = {
        *("path", "endpoint", "status_code", "tags", "summary", "description", "methods", "name"),
        *("response_description", "responses", "deprecated", "operation_id", "include_in_schema"),
        *("callbacks", "openapi_extra", "generate_unique_id_function"),
    }
    refused = {
        *("dependencies", "dependency_overrides_provider", "form_limits", "max_body_size"),
        *("response_class", "response_model", "response_model_by_alias", "strict_content_type"),
        *("response_model_include", "response_model_exclude", "response_model_exclude_unset"),
        *("response_model_exclude_defaults", "response_model_exclude_none"),
    }
    options = set(inspect.signature(APIRoute.__init__).parameters) - {"self"}
    assert options == described | refused, f"the options of APIRoute have changed; {ADAPTER}"


def test_a_router_passes_every_option_and_marks_those_that_were_not_given() -> None:
    given: list[dict[str, Any]] = []

    class Route(APIRoute):
        def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
            given.append(options)
            super().__init__(path, endpoint, **options)

    APIRouter(route_class=Route).post("/things")(sign_in)
    (options,) = given
    for option in ("response_class", "response_model", "strict_content_type"):
        assert isinstance(options[option], DefaultPlaceholder), f"{option}: {ADAPTER}"
    assert (options["dependencies"], options["max_body_size"]) == ([], None)
    assert options["dependency_overrides_provider"] is None
    assert options["response_model_by_alias"] is True


async def test_a_route_that_is_added_flat_is_matched_with_its_whole_path() -> None:
    matched: list[Any] = []

    async def ping(request: Request) -> None:
        matched.append(request.scope["route"].path_format)

    router = APIRouter(prefix="/api")
    router.get("/ping/{number}")(ping)
    app = FastAPI()
    app.router.routes.extend(router.routes)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/api/ping/1")).status_code == 200
    assert matched == ["/api/ping/{number}"], f"flat routes no longer work; {ADAPTER}"
    assert "/api/ping/{number}" in app.openapi()["paths"]
