"""The OpenAPI document: what FastAPI finds out by itself, and what only we know."""

from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from symphony.api.openapi.examples import example_path, problem_example
from symphony.api.openapi.operations import HEADERS, complete
from symphony.api.pagination import Sort
from symphony.api.problems.catalogue import MEDIA_TYPE
from symphony.api.problems.schema import Problem
from symphony.api.routing import PREFIX
from symphony.domain.api_tokens import Scope

_SUMMARY = "The one place where a developer's work lives: workspaces, repos and vaults."
_DESCRIPTION = f"""
Sign up with `POST {PREFIX}/user-profiles`, then press **Authorize** and sign in.

**Who is calling.** Nearly everything needs `Authorization: Bearer …`, with an access token from
`POST {PREFIX}/auth/token`, which may do everything for its user, or with an API token, which may
do what its scopes say: `read` is for GET, `write` for the rest. What belongs to somebody else does
not exist.

**Lists** come in pages of `limit`. `next_cursor`, which the header `Link` leads to as well, is the
`cursor` of the next page; null, it was the last one. Send it with the same `sort`, `q` and filters.

**Changing things safely.** A PATCH is a merge patch (RFC 7396). One thing comes with an `ETag`:
`If-Match` makes a change only when nobody was faster, `If-None-Match` answers 304 when nothing is
new. A POST with an `Idempotency-Key` can be sent again without fear.

**Vaults** with a passphrase are locked unless one has them open: unlocking gives a `session`, which
is sent back as `Vault-Session` by the token that has opened it. Without one the answer is a 423.

**Errors** are problems (RFC 9457): decide by their `code`. Each has a page, `/problems/…`.
"""
_TAGS = {
    "sign-in": "Access tokens for user names and passwords.",
    "user profiles": "Signing up, and one's own profile.",
    "API tokens": "Long-lived keys for programs: with scopes, and revoked at once.",
    "workspaces": "Independent places, each with its repos and vaults.",
    "repos": "Git repositories of a workspace, and what state they and their remotes are in.",
    "vaults": "Places of a workspace for secrets, which can be locked.",
    "vault entries": "What is in a vault: texts and bytes under keys, encrypted, in versions.",
    "health": "For those who run the service.",
}
_SECURITY_SCHEMES: dict[str, Any] = {
    "password": {
        "type": "oauth2",
        "description": "Sign in with a user name and a password for an access token, which has"
        " both scopes.",
        "flows": {
            "password": {
                "tokenUrl": f"{PREFIX}/auth/token",
                "scopes": {Scope.READ.value: "GET", Scope.WRITE.value: "Everything else"},
            }
        },
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token, or an API token (`sym_…`) with the scope that is needed.",
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
    generated = get_openapi(
        title=app.title,
        version=app.version,
        summary=_SUMMARY,
        description=_DESCRIPTION.strip(),
        # Nobody is given a licence, and SPDX has no other name for that.
        license_info={
            "name": "All rights reserved",
            "identifier": "LicenseRef-All-Rights-Reserved",
        },
        servers=[{"url": "/", "description": "The server that this document came from."}],
        tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        routes=app.routes,
    )
    document = deepcopy(generated)  # parts of it belong to the routes
    components = document["components"]
    components["schemas"] = _schemas(components["schemas"])
    components["headers"] = HEADERS
    components["securitySchemes"] = _SECURITY_SCHEMES
    examples: dict[str, Any] = {}
    components["examples"] = examples
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                complete(operation, route, method, components["schemas"])
                path = example_path(route.path_format, operation["parameters"])
                for code in _codes(operation):
                    examples.setdefault(code, problem_example(code, path))
    return document


def _schemas(found: dict[str, Any]) -> dict[str, Any]:
    """Those that FastAPI has found, without its own form of a 422, and our problem."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**found, **problem.pop("$defs"), "Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            member.pop("title", None)  # its name once more
    # Clients that are generated would not make names of their own from values with a `-`.
    schemas["Sort"]["x-enum-varnames"] = [each.name for each in Sort]
    return dict(sorted(schemas.items()))


def _codes(operation: dict[str, Any]) -> list[str]:
    contents = [answer.get("content", {}) for answer in operation["responses"].values()]
    return [code for each in contents for code in each.get(MEDIA_TYPE, {}).get("examples", ())]
