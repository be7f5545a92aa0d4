"""The internals of Starlette that `symphony.api.fastapi_adapter` and `api.static.files` use."""

import os
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.routing import Match, Route
from starlette.staticfiles import PathLike, StaticFiles

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


async def test_static_files_create_the_response_to_a_file_in_one_method(tmp_path: Path) -> None:
    """`AssetFiles` replaces the method, and adds ETags and codings to what `get_response` has."""
    adapter = "see symphony/api/static/files.py"
    called: list[str] = []

    class Files(StaticFiles):
        def file_response(
            self,
            full_path: PathLike,
            stat_result: os.stat_result,
            scope: Any,
            status_code: int = 200,
        ) -> Response:
            called.append(str(full_path))
            return FileResponse(full_path, status_code, stat_result=stat_result)

    file = tmp_path / "a.css"
    file.write_text("a {}")
    files = Files(directory=tmp_path)
    response = await files.get_response("a.css", scope("GET", "/a.css"))
    assert called == [str(file)], adapter
    assert isinstance(response, FileResponse), adapter
    assert str(response.path) == str(file), adapter
    assert response.stat_result is not None, adapter
    assert response.stat_result.st_size == 4, adapter
    later = Headers({"if-modified-since": response.headers["last-modified"]})
    assert files.is_not_modified(response.headers, later), adapter
