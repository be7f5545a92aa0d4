"""The OpenAPI document: what FastAPI finds out by itself, and what only we know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from symphony.api.problems import Problem
from symphony.api.routing import PREFIX

_DESCRIPTION = """
The one place where a developer's work lives: **workspaces**, and in them **repos** and **vaults**.

Sign up with `POST /api/v1/user-profiles`, then press **Authorize** and sign in.
"""
_SECURITY_SCHEMES: dict[str, Any] = {
    "password": {
        "type": "oauth2",
        "description": "Sign in with a user name and a password for an access token.",
        "flows": {"password": {"tokenUrl": f"{PREFIX}/auth/token", "scopes": {}}},
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token, or an API token (`sym_…`).",
    },
}


def install(app: FastAPI) -> None:
    """Makes `app.openapi()` give our document, made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_document(app))
        return made

    app.openapi = openapi


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    components = document["components"]
    components["securitySchemes"] = _SECURITY_SCHEMES
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(problem.pop("$defs"), Problem=problem)
    return document
