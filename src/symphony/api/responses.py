"""What the representations of all nouns have in common."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from itertools import starmap
from operator import attrgetter
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

CreatedAt = Annotated[
    datetime, Field(description="When it was made.", examples=["2026-11-16T08:30:00.125000Z"])
]
ID_EXAMPLE = "01a1e37e-e3b7-7a67-862c-1267030d6c57"
CURSOR_EXAMPLE = "1pNnH-9PWEyCTPrH_OyfWlsiMDFhMWUzN2IiLHRydWUsIjIwMjYtMTEtMTYiXQ"
NextCursor = Annotated[
    str | None,
    Field(
        description="The `cursor` of the next page; null on the last one.",
        examples=[CURSOR_EXAMPLE],
    ),
]


@lru_cache
def _read(schema: "type[Representation]") -> "attrgetter[Any]":
    return attrgetter(*(field.name for field in fields(schema)))


@dataclass(slots=True)
class Representation:
    """A schema that lists, field by field, what an answer shows of something; nothing else of it
    can get out."""

    @classmethod
    def of(cls, shown: object) -> Self:
        """The representation of anything that has attributes of these names."""
        return cls(*_read(cls)(shown))

    @classmethod
    def of_each(cls, shown: Iterable[object]) -> list[Self]:
        """The representations of many, made without a step of Python's own for each."""
        return list(starmap(cls, map(_read(cls), shown)))


@dataclass(slots=True)
class Finding(Representation):
    """What was found outside the service: it is not kept, so it has no ETag."""


@dataclass(slots=True)
class Several(Representation):
    """What was made by one request, each with a state of its own: together they have no ETag."""


@dataclass(slots=True)
class Observation(Finding):
    """What was seen of something at a moment."""

    observed_at: Annotated[
        datetime,
        Field(description="When it was looked at.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]


@dataclass(slots=True)
class EntityRepresentation(Representation):
    """The fields that the service sets on every noun, which says whose `id` it is."""

    id: UUID
    version: Annotated[
        int, Field(description="How many states there have been, this one included.", examples=[1])
    ]
    created_at: CreatedAt
    updated_at: Annotated[
        datetime,
        Field(description="When it last changed.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]
