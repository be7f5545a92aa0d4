"""A JSON parser (RFC 8259) that accepts only interoperable documents (RFC 7493)."""

import json
from collections.abc import Callable
from typing import Any

import orjson

from symphony.api.problems.errors import ApiError, ValidationFailed
from symphony.api.problems.validation_errors import InvalidField, json_pointer
from symphony.domain.json_objects import MAX_DIGITS

Parser = Callable[[bytes], Any]
"""What parses the body of a request, and raises as `parse` does."""

# Replaces every longer integer, because parsing those takes quadratic time; no rule accepts it.
_TOO_LONG = 10**MAX_DIGITS


def parse(body: bytes) -> Any:
    """Parse the document in a body.

    Raises: ApiError `malformed-request` when it is not one JSON document in UTF-8, and
    `validation-error` when it nests too deeply or has a name twice in one object.
    """
    document = parse_compact(body)
    return _parse(body) if document is None else document


def parse_compact(body: bytes) -> Any | None:
    """Parse a document that is the same, byte for byte, when it is written again; otherwise None.

    It has no name twice and no number that cannot be expressed exactly, so nothing has to be
    checked; and both ways together take half as long as `_parse`.
    """
    try:
        document = orjson.loads(body)
        return document if orjson.dumps(document) == body else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _parse(body: bytes) -> Any:
    duplicates: list[tuple[dict[str, Any], str]] = []

    def keep_unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs) and not duplicates:
            seen = set[str]()
            repeated = next(name for name, _ in pairs if name in seen or seen.add(name))
            duplicates.append((members, repeated))
        return members

    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=keep_unique,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
        if duplicates:
            members, name = duplicates[0]
            pointer = json_pointer([*(_path(document, members) or []), name])
            detail = "A name occurs twice in one object."
            raise ValidationFailed(InvalidField("duplicate-field", detail, pointer=pointer))
    except RecursionError:
        detail = "Must nest less deeply."
        raise ValidationFailed(InvalidField("too-deep", detail, pointer="")) from None
    except ValueError:
        raise ApiError("malformed-request", "The body is not one JSON document in UTF-8.") from None
    return document


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS + len("-") else _TOO_LONG


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _path(document: Any, wanted: dict[str, Any]) -> list[str | int] | None:
    """Find an object in a document by its identity, and return the path to it."""
    if document is wanted:
        return []
    members: Any = ()
    if isinstance(document, dict):
        members = document.items()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    elif isinstance(document, list):
        members = enumerate(document)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    for step, value in members:
        rest = _path(value, wanted)
        if rest is not None:
            return [step, *rest]
    return None
