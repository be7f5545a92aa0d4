"""Routes are registered by being defined in a module of `symphony.api.routes`."""

import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from symphony.api import routes
from symphony.api.fastapi_adapter import add_routes

NOTES = """
from symphony.api.routing import PublicApiRoute, router

public_routes = router("repos", PublicApiRoute)
routes = router("repos")


@public_routes.get("/notes")
async def list_notes() -> None: ...


@routes.post("/notes")
async def create_note() -> None: ...
"""


@pytest.fixture
def another_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of one more module in the package of routes."""
    monkeypatch.setattr(routes, "__path__", [*routes.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "symphony.api.routes.notes", raising=False)
    return tmp_path / "notes.py"


def test_the_routes_of_a_new_module_are_part_of_the_application(another_module: Path) -> None:
    another_module.write_text(NOTES)
    app = FastAPI()
    add_routes(app, routes.routers())
    names = [getattr(route, "name", "") for route in app.routes]
    assert {"list_notes", "create_note", "create_workspace", "live", "metrics", "start"} <= {*names}
    assert names.index("list_notes") < names.index("create_note")
    assert names.index("create_workspace") < names.index("create_note") < names.index("live")


def test_a_router_whose_tag_is_not_described_is_an_error_at_start(another_module: Path) -> None:
    another_module.write_text(NOTES.replace('"repos"', '"notes"'))
    with pytest.raises(LookupError, match="the tag 'notes' is not described"):
        routes.routers()


def test_a_module_without_routes_is_an_error_at_start(another_module: Path) -> None:
    another_module.write_text("router = None\n")
    with pytest.raises(LookupError, match=r"symphony\.api\.routes\.notes defines neither"):
        routes.routers()
