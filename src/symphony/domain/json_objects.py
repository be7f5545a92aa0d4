"""Free-form JSON objects: what they may contain, how they merge, and when two are equal.

Values have the types that `json.loads` returns. Objects are read-only by their type: an update
creates another object.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from symphony.domain.errors import RuleBroken

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
JsonObject: TypeAlias = Mapping[str, JsonValue]

MAX_BYTES = 64 * 1024  # as compact UTF-8 JSON
MAX_LEVELS = 32
MAX_DIGITS = 1000
_INTEGER_BOUND = 10**MAX_DIGITS
_MAX_VALUES = MAX_BYTES // 2  # a value takes two bytes or more, such as `1,`
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_object(value: object) -> JsonObject:
    """Return a copy of `value` when it is a valid object.

    At most 64 KiB as compact UTF-8 JSON and 32 levels deep, the object itself being the first;
    integers of at most 1,000 digits; finite numbers; no NUL and no lone surrogate in any string.

    Raises: RuleBroken.
    """
    if not isinstance(value, Mapping):
        raise RuleBroken("object-expected", "Must be a JSON object.")
    copied = _Copier().copy_object(cast("Mapping[object, object]", value), MAX_LEVELS)
    if len(compact(copied).encode()) > MAX_BYTES:
        raise _too_large()
    return copied


def compact(value: JsonValue) -> str:
    """The JSON text without spaces, for sizes, hashes and the database."""
    return _COMPACT.encode(value)


def same(one: JsonObject, other: JsonObject) -> bool:
    """Return whether both are the same JSON; the order of members makes no difference.

    Python's own comparison is not enough: `1`, `1.0` and `true` are equal in it.
    """
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def merge(target: JsonObject, patch: JsonObject) -> JsonObject:
    """Apply a merge patch to an object (RFC 7396, section 2): null removes, objects merge."""
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            current = merged.get(key)
            merged[key] = merge(current if isinstance(current, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def storable_text(value: str) -> str:
    """Return `value` when every database and every client can store it.

    Raises: RuleBroken for NUL (PostgreSQL cannot store it) and lone surrogates (no UTF-8 for them).
    """
    if "\0" in value:
        raise RuleBroken("nul-character", "Must not contain the character NUL (U+0000).")
    if not value.isascii() and _SURROGATE.search(value):
        raise RuleBroken(
            "lone-surrogate", "Must not contain unpaired surrogates (U+D800 to U+DFFF)."
        )
    return value


def _too_large() -> RuleBroken:
    return RuleBroken("too-large", f"Must have at most {MAX_BYTES:,} bytes as compact UTF-8 JSON.")


class _Copier:
    """Copies one object; stops when it has more values than the allowed size has room for."""

    def __init__(self) -> None:
        self._values = 0

    def copy_object(self, value: Mapping[object, object], levels: int) -> JsonObject:
        if levels == 0:
            raise RuleBroken("too-deep", f"Must be at most {MAX_LEVELS} levels deep.")
        copied: dict[str, JsonValue] = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise RuleBroken("json-expected", "Must have only strings as the names of members.")
            copied[storable_text(key)] = self._copy(member, levels - 1)
        return copied

    def _copy(self, value: object, levels: int) -> JsonValue:
        self._values += 1
        if self._values > _MAX_VALUES:
            raise _too_large()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return storable_text(value)
        if isinstance(value, int):
            if not -_INTEGER_BOUND < value < _INTEGER_BOUND:
                raise RuleBroken(
                    "number-too-long",
                    f"Must not contain integers of more than {MAX_DIGITS:,} digits.",
                )
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                raise RuleBroken(
                    "number-overflow", "Must not contain numbers that exceed an IEEE 754 double."
                )
            return value
        if isinstance(value, Mapping):
            return self.copy_object(cast("Mapping[object, object]", value), levels)
        if isinstance(value, list | tuple):
            if levels == 0:
                raise RuleBroken("too-deep", f"Must be at most {MAX_LEVELS} levels deep.")
            return [self._copy(item, levels - 1) for item in cast("Sequence[object]", value)]
        raise RuleBroken("json-expected", "Must contain only the types of JSON.")
