"""The examples in the OpenAPI document: put together from those of single fields.

So each value is written once, beside its field's rule, and all examples tell the same story.
"""

import re
from collections.abc import Mapping
from typing import Any

from symphony.api.problems.catalogue import PROBLEMS
from symphony.api.responses import ID_EXAMPLE
from symphony.domain.json_objects import JsonObject, merge

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]
_MEMBERS_OF_PROBLEMS: Mapping[str, JsonObject] = {
    "validation-error": {
        "detail": "One thing is wrong.",
        "errors": [{"pointer": "/password", "code": "missing", "detail": "This is required."}],
    },
    "precondition-failed": {"current_version": 2},
    "workspace-limit-reached": {"limit": 50, "used": 50},
    "repo-limit-reached": {"limit": 100, "used": 100},
    "vault-limit-reached": {"limit": 20, "used": 20},
    "entry-limit-reached": {"limit": 1000, "used": 1000},
}


def shown(**members: Any) -> dict[int | str, dict[str, Any]]:
    """For a route whose answer's example differs in these members from what the fields say."""
    return {200: {"content": {"application/json": {"example": members}}}}


def example_of(schema: Schema, schemas: Schemas) -> Any:
    """A schema's own example, or one that is made from those of its members.

    Raises: KeyError when a member has none.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema["type"] == "array":
        return [example_of(schema["items"], schemas)]
    return {name: example_of(member, schemas) for name, member in schema["properties"].items()}


def after_patch(entity: JsonObject, patch: JsonObject) -> dict[str, Any]:
    """An entity as the PATCH answers it."""
    return {**merge(entity, patch), "version": 2, "updated_at": "2026-11-16T09:15:42.500000Z"}


def problem_example(code: str, path: str) -> dict[str, Any]:
    """A problem that somebody met at a path, as an Example Object."""
    title = PROBLEMS[code].title
    problem = {
        "type": f"/problems/{code}",
        "title": title,
        "status": PROBLEMS[code].status,
        "detail": f"{title}.",
        "instance": path,
        "code": code,
        "request_id": ID_EXAMPLE,
    }
    return {"summary": title, "value": {**problem, **_MEMBERS_OF_PROBLEMS.get(code, {})}}


def example_path(template: str, parameters: list[dict[str, Any]]) -> str:
    """A path in which the parameters are their examples."""
    examples = {each["name"]: each["example"] for each in parameters if "example" in each}
    return re.sub(r"\{(\w+)\}", lambda parameter: examples[parameter[1]], template)
