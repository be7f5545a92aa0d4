"""Examples for the OpenAPI document, composed from the examples of single fields.

Each value is written once, beside the rule of its field, so all examples are consistent.
"""

import re
from collections.abc import Mapping
from typing import Any

from symphony.api.problems.catalogue import problem_type
from symphony.api.responses import ID_EXAMPLE
from symphony.domain.json_objects import JsonObject, merge

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]
_MEMBERS_OF_PROBLEMS: Mapping[str, JsonObject] = {
    "validation-error": {
        "detail": "`/password`: This field is required.",
        "errors": [
            {"pointer": "/password", "code": "missing", "detail": "This field is required."}
        ],
    },
    "precondition-failed": {"current_version": 2},
    "report-outdated": {"current_sequence": 1_795_000_000_000},
    "workspace-limit-reached": {"limit": 50, "used": 50},
    "vault-limit-reached": {"limit": 20, "used": 20},
    "entry-limit-reached": {"limit": 1000, "used": 1000},
}
_LIMIT_REACHED: JsonObject = {"limit": 100, "used": 100}


def success_example(**members: Any) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route whose example of a 200 has other values in some members."""
    return {200: {"content": {"application/json": {"example": members}}}}


def example_of(schema: Schema, schemas: Schemas) -> Any:
    """Return the example of a schema, or compose it from the examples of its members.

    Raises: KeyError when a member has no example.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema["type"] == "array":
        return [example_of(schema["items"], schemas)]
    return {
        name: example_of(member, schemas)
        for name, member in schema["properties"].items()
        if _is_shown(member, is_required=name in schema.get("required", []))
    }


def _is_shown(member: Schema, *, is_required: bool) -> bool:
    """Whether a member is part of an example.

    One of any type, which the service ignores, is not, nor is an optional one without an example
    that may be null.
    """
    return not member.keys().isdisjoint({"examples", "type", "$ref"}) or (
        is_required and "anyOf" in member
    )


def after_patch(entity: JsonObject, patch: JsonObject) -> dict[str, Any]:
    """Return the entity after a PATCH."""
    return {**merge(entity, patch), "version": 2, "updated_at": "2026-11-16T09:15:42.500000Z"}


def problem_example(code: str, path: str) -> dict[str, Any]:
    """Return a problem for a request to a path, as an Example Object."""
    kind = problem_type(code)
    problem = {
        "type": f"/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "instance": path,
        "code": code,
        "request_id": ID_EXAMPLE,
    }
    usual: JsonObject = _LIMIT_REACHED if code.endswith("-limit-reached") else {}
    members = _MEMBERS_OF_PROBLEMS.get(code, usual)
    return {"summary": kind.title, "value": {**problem, **members}}


def example_path(template: str, parameters: list[dict[str, Any]]) -> str:
    """Replace each parameter of a path by its example."""
    examples = {each["name"]: each["example"] for each in parameters if "example" in each}
    return re.sub(r"\{(\w+)\}", lambda parameter: examples[parameter[1]], template)
