"""The parts of operations that FastAPI does not add to the OpenAPI document.

They are derived from the parameters and the response of a route, by the rules that also apply to
requests.
"""

from typing import Any

from fastapi.routing import APIRoute

from symphony.api.conditions import ETAGS_FORMAT
from symphony.api.openapi.examples import Schemas, after_patch, example_of
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.problems.catalogue import MEDIA_TYPE
from symphony.api.responses import ID_EXAMPLE, RepresentationWithoutETag
from symphony.api.routing import ApiRoute, ScopeSets, in_order
from symphony.domain.api_tokens import SCOPES_OF_ACCESS_TOKENS

_SUCCESS = {200: "OK", 201: "Created", 204: "No Content"}
_CODES_BY_PARAMETER = {
    "If-Match": "precondition-failed",
    "Idempotency-Key": "idempotency-key-reused",
    "cursor": "invalid-cursor",
}
_HEADERS_BY_PARAMETER = {"Idempotency-Key": "Idempotency-Replayed", "cursor": "Link"}
_HEADERS_BY_STATUS = {
    "201": "Location",
    "304": "ETag",
    "401": "WWW-Authenticate",
    "405": "Allow",
    "415": "Accept-Encoding",
    "429": "Retry-After",
    "503": "Retry-After",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "Return the resource only if its ETag is none of these; otherwise 304."
    " `*` matches any.",
    "schema": {"type": "string", "format": ETAGS_FORMAT},
}


def _header(description: str, example: Any, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}, "example": example, **more}


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": _header(
        "The id of the request: the one that was sent (1 to 128 letters, digits and `-_.`), or a"
        " new one.",
        ID_EXAMPLE,
        required=True,
    ),
    "ETag": _header(
        "Identifies the state of the resource: it differs after every update.",
        f'"{ID_EXAMPLE}"',
        required=True,
    ),
    "Location": _header(
        "The path of the created resource.", f"/api/v1/workspaces/{ID_EXAMPLE}", required=True
    ),
    "Idempotency-Replayed": _header(
        "Present if this is a replay of the first response, and nothing was created.",
        example=True,
        kind="boolean",
    ),
    "Link": _header(
        "The address of the next page, if there is one (RFC 8288).",
        '</api/v1/api-tokens?limit=1&cursor=1pNnH-9PWEyCTPrH>; rel="next"',
    ),
    "WWW-Authenticate": _header(
        "The authentication scheme, and what is wrong with the token that was sent (RFC 6750,"
        " section 3): `invalid_token`, or `insufficient_scope` with the scopes that are required.",
        'Bearer error="insufficient_scope", scope="write"',
        required=True,
    ),
    "Accept-Patch": _header(
        "The media types that a PATCH accepts (RFC 5789).",
        "application/merge-patch+json, application/json",
        required=True,
    ),
    "Accept-Encoding": _header(
        "The content encoding of bodies that the operation accepts, if another one was sent"
        " (RFC 7694).",
        "gzip",
    ),
    "Allow": _header(
        "The methods that are allowed for the path.", "GET, HEAD, OPTIONS", required=True
    ),
    "Retry-After": _header(
        "The number of seconds after which to retry; absent when a retry would not help.",
        1,
        "integer",
    ),
}


def complete(operation: dict[str, Any], route: APIRoute, method: str, schemas: Schemas) -> None:
    """Add the parts of an operation that are derived from its route."""
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    for parameter in parameters:
        _simplify(parameter)
        if parameter["name"] == "If-Match" and method != "PUT":
            # Postman sends optional headers too. A PUT with it could not create the resource.
            parameter["example"] = "*"
    names = {parameter["name"] for parameter in parameters}
    success = operation["responses"][str(route.status_code or 200)]
    successes = [each for status, each in operation["responses"].items() if status.startswith("2")]
    for status in (200, 201, 204):
        if (answer := operation["responses"].get(str(status))) in successes:
            answer["description"] = _SUCCESS[status]
    headers = [_HEADERS_BY_PARAMETER[name] for name in _HEADERS_BY_PARAMETER if name in names]
    if _has_etag(route, success, names):
        headers.append("ETag")
        if method == "GET":
            parameters.append(_IF_NONE_MATCH)
            operation["responses"]["304"] = {"description": "Not Modified"}
    _add_security(operation, route, method)
    for each in successes:
        _add_examples(operation, each, method, schemas)
    _add_media_types(operation, route)
    _add_errors(operation, route, names)
    for status, answer in operation["responses"].items():
        own = headers if answer in successes else []
        of_status = [_HEADERS_BY_STATUS[status]] if status in _HEADERS_BY_STATUS else []
        if method == "PATCH" and status == "415":
            of_status.append("Accept-Patch")
        answer["headers"] = {
            name: {"$ref": f"#/components/headers/{name}"}
            for name in ["X-Request-ID", *own, *of_status]
        }
        if status == "403":  # those for other reasons than the scope have none
            answer["headers"]["WWW-Authenticate"] = HEADERS["WWW-Authenticate"] | {
                "required": False
            }
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _simplify(parameter: dict[str, Any]) -> None:
    """Remove null from an optional parameter: a path, query or header cannot express it."""
    schema: dict[str, Any] = parameter["schema"]
    for variant in schema.pop("anyOf", ()):
        if variant != {"type": "null"}:
            schema = {**variant, **schema}
    schema.pop("title", None)
    parameter["description"] = schema.pop("description")
    if parameter["required"]:
        # Optional ones have no example: Swagger UI would fill it in and send it.
        parameter["example"] = schema.pop("examples")[0]
    parameter["schema"] = schema


def describe_default(member: dict[str, Any]) -> None:
    """Move the default of a field into its description.

    For generators of TypeScript clients, a property with a `default` is required.
    """
    default = member.pop("default", None)
    if default not in (None, "", {}):
        member["description"] += f" By default {default}."


def _has_etag(route: APIRoute, success: dict[str, Any], names: set[str]) -> bool:
    """Return whether the response is a resource with a state: neither a list nor a token."""
    schema = route.response_model
    if isinstance(schema, type) and issubclass(schema, RepresentationWithoutETag):
        return False
    is_stored = isinstance(route, ApiRoute) and (route.needs_token or route.status_code == 201)
    return is_stored and "content" in success and "cursor" not in names


def _add_security(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    if not isinstance(route, ApiRoute) or not route.needs_token:
        operation["security"] = []
        return
    sets = route.scope_sets(method)
    # Postman uses the first one; a token is what its users have.
    operation["security"] = [
        {scheme: [scope.value for scope in in_order(each)]}
        for scheme in ("bearer", "password")
        for each in sets
        if scheme == "bearer" or each <= SCOPES_OF_ACCESS_TOKENS
    ]
    operation["description"] += f"\n\n{_scopes_text(sets)}"
    if route.is_of_whole_user:
        operation["description"] += " Not for a token that is confined to workspaces."


def _scopes_text(sets: ScopeSets) -> str:
    """Describe which scopes a request requires."""
    if any(len(each) > 1 for each in sets):
        texts = [" with ".join(f"`{scope}`" for scope in reversed(in_order(each))) for each in sets]
    else:
        texts = [f"`{scope}`" for each in sets for scope in each]
    is_single = len(sets) == 1 and len(sets[0]) == 1
    return f"Requires the {'scope' if is_single else 'scopes'} {' or '.join(texts)}."


def _add_examples(
    operation: dict[str, Any], success: dict[str, Any], method: str, schemas: Schemas
) -> None:
    sent: dict[str, Any] = {}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["schema"].pop("default", None)
        sent = content["example"] = example_of(content["schema"], schemas)
    for content in success.get("content", {}).values():
        answered = example_of(content["schema"], schemas)
        if method == "PATCH":
            answered = after_patch(answered, sent)
        content["example"] = answered | content.get("example", {})


def _add_media_types(operation: dict[str, Any], route: APIRoute) -> None:
    if isinstance(route, ApiRoute) and route.body:
        body = operation["requestBody"]
        (content,) = body["content"].values()
        body["content"] = dict.fromkeys(route.media_types(), content)


def _add_errors(operation: dict[str, Any], route: APIRoute, names: set[str]) -> None:
    """Add the problems of all routes of this kind; they replace FastAPI's own form of a 422."""
    answers: dict[str, dict[str, Any]] = operation["responses"]
    codes = [
        code
        for answer in answers.values()
        for code in answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    ]
    codes += ["misdirected-request", "header-fields-too-large"]
    codes += [code for name, code in _CODES_BY_PARAMETER.items() if name in names]
    if isinstance(route, ApiRoute):
        codes += ["payload-too-large", "validation-error", "service-unavailable"]
        if route.needs_token:
            codes += ["unauthenticated", "insufficient-scope"]
        if route.body:
            codes += ["malformed-request", "unsupported-media-type"]
    for status, answer in problem_responses(*dict.fromkeys([*codes, "internal-error"])).items():
        answers[str(status)] = answer
