"""The form of every error the API answers (RFC 9457).

A member that does not apply is left out, never null: hence SkipJsonSchema.
"""

from typing import Annotated

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from symphony.api.responses import ID_EXAMPLE


class FieldProblem(BaseModel):
    """One thing that is wrong: `pointer` for a place in the body, else `parameter`."""

    pointer: Annotated[
        str | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="A JSON pointer (RFC 6901) into the body.",
            examples=["/name"],
        ),
    ]
    parameter: Annotated[
        str | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="The name of a parameter or header.",
            examples=["limit"],
        ),
    ]
    code: Annotated[str, Field(description="Which rule is broken.", examples=["missing"])]
    detail: Annotated[
        str, Field(description="The rule, for people.", examples=["This is required."])
    ]


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: Annotated[
        str,
        Field(
            description="The address of a page on this server that explains the code.",
            examples=["/problems/route-not-found"],
        ),
    ]
    title: Annotated[
        str,
        Field(
            description="What all problems with this code have in common, for people.",
            examples=["There is nothing at this address"],
        ),
    ]
    status: Annotated[int, Field(description="The status of the answer.", examples=[404])]
    detail: Annotated[
        str,
        Field(
            description="What is the matter this time, for people.",
            examples=["There is nothing at this address."],
        ),
    ]
    instance: Annotated[
        str, Field(description="The path that was asked for.", examples=["/api/v1/nothing"])
    ]
    code: Annotated[
        str,
        Field(
            description="Stable, and the thing to decide by.",
            examples=["route-not-found"],
        ),
    ]
    request_id: Annotated[
        str,
        Field(
            description="Where to find the request in the logs; also in `X-Request-ID`.",
            examples=[ID_EXAMPLE],
        ),
    ]
    errors: Annotated[
        list[FieldProblem] | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `validation-error`, and where several things were to be made:"
            " everything that is wrong.",
        ),
    ]
    limit: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With a limit: how many there may be.",
            examples=[50],
        ),
    ]
    used: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With a limit: how many there are.",
            examples=[50],
        ),
    ]
    current_version: Annotated[
        int | SkipJsonSchema[None],
        Field(
            default_factory=lambda: None,
            description="With `precondition-failed`: the version of the present state.",
            examples=[2],
        ),
    ]
