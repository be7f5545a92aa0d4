"""Unknown fields of a body: only the first ones are validated and reported, the others counted.

pydantic creates an error for each unknown field. For a body of 1 MiB these are 80,000, which took
more than a second of the event loop.
"""

import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel

from symphony.api.problems.errors import MAX_ERRORS


@dataclass(frozen=True, slots=True)
class KnownFields:
    """The names of a schema's fields, and the schemas of those that contain objects or lists."""

    names: frozenset[str]
    nested: dict[str, "KnownFields"] = field(default_factory=dict[str, "KnownFields"])

    @classmethod
    def of(cls, annotation: Any) -> Self | None:
        """Return the fields of the schema in a type; None for a type without exactly one."""
        models = list(_models(annotation))
        if len(models) != 1 or models[0].model_config.get("extra") != "forbid":
            return None
        fields = {info.alias or name: info for name, info in models[0].model_fields.items()}
        nested = {name: cls.of(info.annotation) for name, info in fields.items()}
        return cls(frozenset(fields), {name: each for name, each in nested.items() if each})

    def drop_excess(self, document: Any) -> int:
        """Remove all unknown fields but the first `MAX_ERRORS`, and return their number."""
        return max(0, self.count_unknown(document, 0) - MAX_ERRORS)

    def count_unknown(self, document: Any, count: int) -> int:
        """Add the number of unknown fields to `count`; those beyond `MAX_ERRORS` are removed."""
        if isinstance(document, list):
            for item in typing.cast("list[Any]", document):
                count = self.count_unknown(item, count)
        if isinstance(document, dict):
            members = typing.cast("dict[str, Any]", document)
            if not members.keys() <= self.names:
                unknown = [name for name in members if name not in self.names]
                for name in unknown[max(0, MAX_ERRORS - count) :]:
                    del members[name]
                count += len(unknown)
            for name, fields in self.nested.items():
                count = fields.count_unknown(members.get(name), count)
        return count


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in typing.get_args(annotation):
        yield from _models(each)
