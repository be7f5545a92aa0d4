"""The error responses of operations in the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from symphony.api.problems.catalogue import MEDIA_TYPE, problem_type


def problem_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for its own problems, one per status.

    `operations` adds the problems that all routes of a kind have, and `document` the examples.

    Raises: LookupError for a code that is not in the catalogue, when the module of the route is
    imported.
    """
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(problem_type(code).status, []).append(code)
    return {status: _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    names = ", ".join(f"`{code}`" for code in codes)
    examples: dict[str, Any] = {code: {} for code in codes}
    return {
        "description": f"{HTTPStatus(status).phrase}: {names}",
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": examples,
            }
        },
    }
