"""What the representations of all nouns have in common."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Self
from uuid import UUID


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


@dataclass(slots=True)
class EntityRepresentation(Representation):
    """The fields that the service sets on every noun."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
