"""Reading JSON (RFC 8259) as strictly as interoperable clients write it (RFC 7493)."""

import json
from typing import Any

from symphony.api.problems.catalogue import ApiError
from symphony.api.problems.validation_errors import InvalidPart, json_pointer
from symphony.domain.json_objects import MAX_DIGITS

# Stands for every longer integer, whose reading would take quadratic time: no rule accepts it.
_TOO_LONG = 10**MAX_DIGITS


def parse(body: bytes) -> Any:
    """The document in a body.

    Raises: ApiError `malformed-request` when it is not one JSON document in UTF-8, and
    `validation-error` when it is, but nests too deep or has a name twice in one object.
    """
    duplicates: list[tuple[dict[str, Any], str]] = []

    def keep_unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, value in pairs:
            if name in members:
                duplicates.append((members, name))
            members[name] = value
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
            raise _refused("duplicate-field", "The same name stands twice in one object.", pointer)
    except RecursionError:
        raise _refused("too-deep", "This nests too deep.", "") from None
    except ValueError:
        raise ApiError("malformed-request", "The body is not one JSON document in UTF-8.") from None
    return document


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS + len("-") else _TOO_LONG


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _path(document: Any, wanted: dict[str, Any]) -> list[str | int] | None:
    """The way to an object, by identity, within a document."""
    if document is wanted:
        return []
    inside: Any = ()
    if isinstance(document, dict):
        inside = document.items()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    elif isinstance(document, list):
        inside = enumerate(document)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    for step, value in inside:
        rest = _path(value, wanted)
        if rest is not None:
            return [step, *rest]
    return None


def _refused(code: str, detail: str, pointer: str) -> ApiError:
    return ApiError("validation-error", errors=[InvalidPart(code, detail, pointer=pointer)])
