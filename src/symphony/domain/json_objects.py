"""Free-form JSON objects: what may stand in one, how they merge, when two are the same.

Values are the types that `json.loads` makes. Objects are read-only by their type: whoever wants
another one makes another one.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from symphony.domain.errors import RuleBroken

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
JsonObject: TypeAlias = Mapping[str, JsonValue]

MAX_BYTES = 64 * 1024
MAX_LEVELS = 32
MAX_DIGITS = 1000
_INTEGER_BOUND = 10**MAX_DIGITS
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_object(value: object) -> JsonObject:
    """Gives `value` back as a copy of its own when it is an acceptable object.

    At most 64 KiB as compact UTF-8 JSON and 32 levels deep, the object itself being the first;
    integers of at most 1,000 digits; finite numbers; no NUL and no lone surrogate in any string.

    Raises: RuleBroken.
    """
    if not isinstance(value, Mapping):
        raise RuleBroken("object-expected", "This must be a JSON object.")
    copied = _copy_object(cast("Mapping[object, object]", value), MAX_LEVELS)
    if len(compact(copied).encode()) > MAX_BYTES:
        raise RuleBroken("too-large", f"At most {MAX_BYTES} bytes as compact UTF-8 JSON.")
    return copied


def compact(value: JsonValue) -> str:
    """The one text form that sizes, comparisons and the database use."""
    return _COMPACT.encode(value)


def same(one: JsonObject, other: JsonObject) -> bool:
    """Whether both are the same JSON, whatever the order of their members.

    Python's own comparison is not enough: to it `1`, `1.0` and `true` are equal.
    """
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def merge(target: JsonObject, patch: JsonObject) -> JsonObject:
    """A merge patch applied to an object (RFC 7396, section 2): null removes, objects merge."""
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            present = merged.get(key)
            merged[key] = merge(present if isinstance(present, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def storable_text(value: str) -> str:
    """Gives `value` back when every database and every client can hold it.

    Raises: RuleBroken for NUL (PostgreSQL cannot store it) and lone surrogates (no UTF-8 for them).
    """
    if "\0" in value:
        raise RuleBroken("nul-character", "The character NUL (U+0000) is not allowed.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise RuleBroken("lone-surrogate", "Surrogates (U+D800 to U+DFFF) must come in pairs.")
    return value


def _copy_object(value: Mapping[object, object], levels: int) -> JsonObject:
    if levels == 0:
        raise RuleBroken("too-deep", f"At most {MAX_LEVELS} levels deep.")
    copied: dict[str, JsonValue] = {}
    for key, member in value.items():
        if not isinstance(key, str):
            raise RuleBroken("json-expected", "The names of members must be strings.")
        copied[storable_text(key)] = _copy(member, levels - 1)
    return copied


def _copy(value: object, levels: int) -> JsonValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, int):
        if not -_INTEGER_BOUND < value < _INTEGER_BOUND:
            raise RuleBroken("number-too-long", f"Integers have at most {MAX_DIGITS} digits.")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise RuleBroken("number-overflow", "Numbers must fit an IEEE 754 double.")
        return value
    if isinstance(value, Mapping):
        return _copy_object(cast("Mapping[object, object]", value), levels)
    if isinstance(value, list | tuple):
        if levels == 0:
            raise RuleBroken("too-deep", f"At most {MAX_LEVELS} levels deep.")
        return [_copy(item, levels - 1) for item in cast("Sequence[object]", value)]
    raise RuleBroken("json-expected", "Only the types of JSON are allowed.")
