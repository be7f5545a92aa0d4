"""The internals of Starlette that `symphony.api.fastapi_adapter` uses."""

from typing import Any

from fastapi import APIRouter
from starlette.routing import Match, Route

ADAPTER = "see symphony/api/fastapi_adapter.py"


async def endpoint() -> None: ...


def scope(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": []}


def test_a_route_tells_a_wrong_method_from_a_wrong_path() -> None:
    """`allowed_methods` computes the header Allow of a 405 from it."""
    router = APIRouter()
    router.get("/things/{number}")(endpoint)
    (route,) = router.routes
    assert isinstance(route, Route)
    matches = {
        path: route.matches(scope(method, path))[0]
        for method, path in (("GET", "/things/1"), ("POST", "/things/2"), ("GET", "/other"))
    }
    expected = {"/things/1": Match.FULL, "/things/2": Match.PARTIAL, "/other": Match.NONE}
    assert matches == expected, f"Route.matches has changed; {ADAPTER}"
    assert route.methods == {"GET"}


def test_matching_does_not_modify_the_scope() -> None:
    asked = scope("GET", "/things/1")
    Route("/things/{number}", endpoint).matches(asked)
    assert asked == scope("GET", "/things/1"), ADAPTER


def test_a_route_that_does_not_match_adds_nothing_to_the_scope() -> None:
    """`SelfAnsweringRoute.matches` returns the same before it tries the regular expression."""
    answer = Route("/things/{number}", endpoint).matches(scope("GET", "/other"))
    assert answer == (Match.NONE, {}), ADAPTER
