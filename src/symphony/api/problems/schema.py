"""The schema of every error response (RFC 9457).

A member that does not apply is absent, never null: hence SkipJsonSchema.
"""

from typing import Annotated

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from symphony.api.problems.errors import MAX_ERRORS
from symphony.api.responses import ID_EXAMPLE


class FieldProblem(BaseModel):
    """An invalid field: `pointer` for a field of the body, otherwise `parameter`."""

    pointer: Annotated[
        str | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="A JSON pointer (RFC 6901) into the body; empty for the whole body.",
            examples=["/name"],
        ),
    ]
    parameter: Annotated[
        str | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="The name of a path parameter, query parameter or header.",
            examples=["limit"],
        ),
    ]
    code: Annotated[
        str, Field(description="Identifies the rule that the field violates.", examples=["missing"])
    ]
    detail: Annotated[
        str,
        Field(description="The allowed values.", examples=["This field is required."]),
    ]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: Annotated[
        str,
        Field(
            description="The address of a page of this server that explains the code.",
            examples=["/problems/route-not-found"],
        ),
    ]
    title: Annotated[
        str,
        Field(
            description="A summary, the same for all problems with this code.",
            examples=["The path does not exist"],
        ),
    ]
    status: Annotated[int, Field(description="The status of the response.", examples=[404])]
    detail: Annotated[
        str,
        Field(
            description="The cause of the error in this request.",
            examples=["The path does not exist."],
        ),
    ]
    instance: Annotated[
        str, Field(description="The path of the request.", examples=["/api/v1/nothing"])
    ]
    code: Annotated[
        str,
        Field(
            description="Identifies the type of the problem; stable, for programs to decide by.",
            examples=["route-not-found"],
        ),
    ]
    request_id: Annotated[
        str,
        Field(
            description="The id of the request in the logs; also in `X-Request-ID`.",
            examples=[ID_EXAMPLE],
        ),
    ]
    errors: Annotated[
        list[FieldProblem] | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `validation-error`: the invalid fields. With `-name-taken` of an"
            f" import: the names that are taken. The first {MAX_ERRORS}, if there are more.",
            json_schema_extra={"maxItems": MAX_ERRORS},
        ),
    ]
    error: Annotated[
        str | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="Only when signing in: the error code of OAuth 2 (RFC 6749, section 5.2).",
            examples=["invalid_grant"],
        ),
    ]
    limit: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `-limit-reached`: the allowed number.",
            examples=[50],
        ),
    ]
    used: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `-limit-reached`: the existing number.",
            examples=[50],
        ),
    ]
    current_version: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `precondition-failed`: the version of the current state.",
            examples=[2],
        ),
    ]
    current_sequence: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `report-outdated`: the `sequence` of the last report.",
            examples=[1_795_000_000_000],
        ),
    ]
