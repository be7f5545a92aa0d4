"""What pydantic finds wrong, in the API's own words: where, which rule, and what is allowed.

Pydantic's own messages can repeat parts of the input, so none of them is passed on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symphony.domain.errors import FieldError, RuleBroken

_KINDS: dict[str, tuple[str, str]] = {
    "missing": ("missing", "This is required."),
    "extra_forbidden": ("unknown-field", "There is no such field here."),
    "string_type": ("string-expected", "This must be a string."),
    "string_unicode": ("lone-surrogate", "Surrogates (U+D800 to U+DFFF) must come in pairs."),
    "string_too_short": ("too-short", "At least {min_length} characters."),
    "string_too_long": ("too-long", "At most {max_length} characters."),
    "int_type": ("integer-expected", "This must be a whole number."),
    "int_from_float": ("integer-expected", "This must be a whole number."),
    "int_parsing": ("integer-expected", "This must be a whole number."),
    "int_parsing_size": ("integer-expected", "This must be a whole number, and not as long."),
    "bool_type": ("boolean-expected", "This must be true or false."),
    "bool_parsing": ("boolean-expected", "This must be true or false."),
    "uuid_type": ("uuid-expected", "This must be a UUID."),
    "uuid_parsing": ("uuid-expected", "This must be a UUID."),
    "dict_type": ("object-expected", "This must be a JSON object."),
    "mapping_type": ("object-expected", "This must be a JSON object."),
    "model_type": ("object-expected", "This must be a JSON object."),
    "model_attributes_type": ("object-expected", "This must be a JSON object."),
    "list_type": ("list-expected", "This must be a list."),
    "too_short": ("too-short", "At least {min_length} items."),
    "too_long": ("too-long", "At most {max_length} items."),
    "enum": ("unknown-value", "One of {expected}."),
    "literal_error": ("unknown-value", "One of {expected}."),
    "greater_than_equal": ("too-small", "At least {ge}."),
    "less_than_equal": ("too-large", "At most {le}."),
    "timezone_aware": ("not-a-time", "A time with its offset (RFC 3339)."),
}
_OTHERWISE = ("not-acceptable", "This is not acceptable here.")
_TIME = ("not-a-time", "A time as RFC 3339 has it: 2026-01-31T12:00:00Z.")
# Names of fields are told back only when they look like names: anything else could be data.
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,63}")


@dataclass(frozen=True, slots=True)
class InvalidPart:
    """One thing that is wrong with a request: in the body (`pointer`) or beside (`parameter`)."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None

    @classmethod
    def of_field(cls, error: FieldError) -> "InvalidPart":
        return cls(error.code, error.detail, pointer=f"/{error.field}")

    def members(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "parameter": self.parameter,
            "code": self.code,
            "detail": self.detail,
        }


def invalid_parts(errors: Sequence[Mapping[str, Any]]) -> list[InvalidPart]:
    """Pydantic's errors, each with a code of ours."""
    return [_part(error) for error in errors]


def json_pointer(parts: Sequence[str | int]) -> str:
    """A pointer (RFC 6901, section 3) that goes as deep as there are plain names."""
    pointer = ""
    for part in parts:
        if not isinstance(part, int) and not _PLAIN_NAME.fullmatch(part):
            break
        pointer += f"/{part}"
    return pointer


def _part(error: Mapping[str, Any]) -> InvalidPart:
    place, *inside = error["loc"]
    code, detail = _meaning(error)
    if place == "body":
        return InvalidPart(code, detail, pointer=json_pointer(inside))
    return InvalidPart(code, detail, parameter=str(inside[0]) if inside else str(place))


def _meaning(error: Mapping[str, Any]) -> tuple[str, str]:
    context: Mapping[str, Any] = error.get("ctx") or {}
    broken = context.get("error")
    if isinstance(broken, RuleBroken):
        return broken.code, broken.detail
    kind: str = error["type"]
    if kind.startswith(("datetime", "date_")):
        return _TIME
    code, detail = _KINDS.get(kind, _OTHERWISE)
    return code, detail.format(**context)
