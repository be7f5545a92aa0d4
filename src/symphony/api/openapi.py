"""The OpenAPI document: what FastAPI finds out by itself, and what only we know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from symphony.api.problems import Problem, documented
from symphony.api.routing import PREFIX, ApiRoute

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
    for route in app.routes:
        if isinstance(route, ApiRoute):
            for method in route.methods or ():
                _complete(document["paths"][route.path][method.lower()], route)
    components = document["components"]
    components["securitySchemes"] = _SECURITY_SCHEMES
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of a 422
        components["schemas"].pop(unused, None)
    components["schemas"].update(problem.pop("$defs"), Problem=problem)
    return document


def _complete(operation: dict[str, Any], route: ApiRoute) -> None:
    """Adds what `routing` does to every request of a route: identity, and the errors of all."""
    codes = ["payload-too-large", "validation-error", "service-unavailable"]
    if route.needs_token:
        operation["security"] = [{"password": []}, {"bearer": []}]
        codes += ["unauthenticated", "insufficient-scope"]
    if route.body_field:
        codes += ["malformed-request", "unsupported-media-type"]
    own: dict[str, Any] = operation["responses"]
    own.pop("422", None)
    for status, described in documented(*codes).items():
        answer = own.setdefault(str(status), described)
        if answer is not described:
            answer["description"] += ", " + described["description"].partition(": ")[2]
    operation["responses"] = dict(sorted(own.items()))
