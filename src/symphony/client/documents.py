"""JSON of a server or a file, of which nothing is certain."""

from collections.abc import Mapping, Sequence
from typing import Any, cast


def as_object(value: object) -> Mapping[str, Any] | None:
    """Return a JSON object, or None if it is something else."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def as_objects(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the objects in a list; anything else is left out."""
    if not isinstance(value, list):
        return ()
    return [each for each in map(as_object, cast(list[object], value)) if each is not None]
