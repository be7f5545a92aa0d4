"""Base classes and common fields of the response schemas."""

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
    datetime, Field(description="When it was created.", examples=["2026-11-16T08:30:00.125000Z"])
]
ID_EXAMPLE = "01a1e37e-e3b7-7a67-862c-1267030d6c57"
CURSOR_EXAMPLE = "1pNnH-9PWEyCTPrH_OyfWlsiMDFhMWUzN2IiLHRydWUsIjIwMjYtMTEtMTYiXQ"
NextCursor = Annotated[
    str | None,
    Field(
        description="The `cursor` of the next page; null on the last page.",
        examples=[CURSOR_EXAMPLE],
    ),
]


@lru_cache
def _getter(schema: "type[Representation]") -> "attrgetter[Any]":
    return attrgetter(*(field.name for field in fields(schema)))


@dataclass(slots=True)
class Representation:
    """A response schema that lists every field, so that no other attribute can be exposed."""

    @classmethod
    def of(cls, source: object) -> Self:
        """Represent an object that has attributes with the names of the fields."""
        return cls(*_getter(cls)(source))

    @classmethod
    def of_each(cls, sources: Iterable[object]) -> list[Self]:
        """Represent many objects, without a Python-level step for each."""
        return list(starmap(cls, map(_getter(cls), sources)))


@dataclass(slots=True)
class RepresentationWithoutETag(Representation):
    """A response that has no state of its own: facts that are not stored, or several resources."""


@dataclass(slots=True)
class Observation(RepresentationWithoutETag):
    """Facts about something outside the service, observed at one moment."""

    observed_at: Annotated[
        datetime,
        Field(description="When the state was observed.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]


@dataclass(slots=True)
class EntityRepresentation(Representation):
    """The fields that the service sets on every entity."""

    id: UUID
    version: Annotated[
        int,
        Field(description="1 after creation, and one more after every update.", examples=[1]),
    ]
    created_at: CreatedAt
    updated_at: Annotated[
        datetime,
        Field(description="When it was last updated.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]
