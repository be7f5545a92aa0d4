"""The conversion of pydantic's validation errors to fields of a problem.

Messages of pydantic can repeat parts of the input, so none of them is passed on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symphony.api.fields import INTEGER_EXPECTED
from symphony.domain.errors import FieldError, RuleBroken
from symphony.domain.timestamps import NOT_A_TIME

_BOOLEAN = ("boolean-expected", "Must be true or false.")
_UUID = ("uuid-expected", "Must be a UUID.")
_OBJECT = ("object-expected", "Must be a JSON object.")
TEXT_PATTERN = r"^[^\u0000]*$"
PATH_PATTERN = r"^/[^\u0000]*$"
COMMIT_PATTERN = "^(?:[0-9a-f]{40}|[0-9a-f]{64})$"
_BY_PATTERN: dict[str, tuple[str, str]] = {
    TEXT_PATTERN: ("nul-character", "Must not contain the character NUL (U+0000)."),
    PATH_PATTERN: ("not-absolute", "Must be an absolute path (/…), without NUL (U+0000)."),
    COMMIT_PATTERN: ("not-a-commit", "Must be the id of a commit: 40 or 64 digits 0-9 and a-f."),
}
_BY_KIND: dict[str, tuple[str, str]] = {
    "missing": ("missing", "This field is required."),
    "extra_forbidden": ("unknown-field", "Unknown field."),
    "string_type": ("string-expected", "Must be a string."),
    "string_unicode": ("lone-surrogate", "Must have surrogates (U+D800 to U+DFFF) in pairs only."),
    "string_too_short": ("too-short", "Must have at least {min_length:,} {characters}."),
    "string_too_long": ("too-long", "Must have at most {max_length:,} {characters}."),
    "int_type": INTEGER_EXPECTED,
    "int_from_float": INTEGER_EXPECTED,
    "int_parsing": INTEGER_EXPECTED,
    "int_parsing_size": ("integer-expected", "Must be an integer with fewer digits."),
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "list_type": ("list-expected", "Must be a list."),
    "too_short": ("too-short", "Must have at least {min_length:,} {items}."),
    "too_long": ("too-long", "Must have at most {max_length:,} {items}."),
    "enum": ("unknown-value", "Must be one of {expected}."),
    "literal_error": ("unknown-value", "Must be one of {expected}."),
    "greater_than_equal": ("too-small", "Must be at least {ge:,}."),
    "less_than_equal": ("too-large", "Must be at most {le:,}."),
    "timezone_aware": NOT_A_TIME,
}
_OTHERWISE = ("not-acceptable", "This value is not allowed.")
# The name of a field is repeated only in this form: any other one could be content.
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,63}")
_RULE = "Must "
_MAX_POINTER = 512  # characters


@dataclass(frozen=True, slots=True)
class InvalidField:
    """An invalid field: in the body (`pointer`, RFC 6901), or elsewhere (`parameter`).

    `detail` is a sentence without a subject ("Must be an integer."), or a complete one.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None

    @classmethod
    def of(cls, error: FieldError) -> "InvalidField":
        """Convert an error of the domain."""
        return cls(error.code, error.detail, pointer=f"/{error.field}")

    @property
    def sentence(self) -> str:
        """The detail with the field's name: "`/name` must be a string."."""
        name = self.pointer if self.parameter is None else self.parameter
        subject = f"`{name}`" if name else "The body"
        if self.detail.startswith(_RULE):
            return f"{subject} must {self.detail.removeprefix(_RULE)}"
        return f"{subject}: {self.detail}"

    def members(self) -> dict[str, Any]:
        """Return the members of the field in a problem."""
        return {
            "pointer": self.pointer,
            "parameter": self.parameter,
            "code": self.code,
            "detail": self.detail,
        }


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> list[InvalidField]:
    """Convert pydantic's errors."""
    return [_field(error) for error in errors]


def json_pointer(parts: Sequence[str | int]) -> str:
    """Return a pointer (RFC 6901, section 3), up to the first name that is not a plain one.

    A pointer into a deeply nested body leads to the innermost part that it has room for.
    """
    pointer = ""
    for part in parts:
        is_plain = isinstance(part, int) or is_plain_name(part)
        if not is_plain or len(pointer) + len(str(part)) >= _MAX_POINTER:
            break
        pointer += f"/{part}"
    return pointer


def is_plain_name(name: str) -> bool:
    """Return whether a name that was sent may be repeated in an error."""
    return _PLAIN_NAME.fullmatch(name) is not None


def _field(error: Mapping[str, Any]) -> InvalidField:
    place, *inside = error["loc"]
    code, detail = _code_and_detail(error)
    if place == "body":
        return InvalidField(code, detail, pointer=json_pointer(inside))
    return InvalidField(code, detail, parameter=str(inside[0]) if inside else str(place))


def _code_and_detail(error: Mapping[str, Any]) -> tuple[str, str]:
    context: Mapping[str, Any] = error.get("ctx") or {}
    broken = context.get("error")
    if isinstance(broken, RuleBroken):
        return broken.code, broken.detail
    kind: str = error["type"]
    if kind.startswith(("datetime", "date_")):
        return NOT_A_TIME
    if kind == "string_pattern_mismatch":
        return _BY_PATTERN.get(context["pattern"], _OTHERWISE)
    code, detail = _BY_KIND.get(kind, _OTHERWISE)
    count = context.get("min_length", context.get("max_length"))
    items, characters = ("item", "character") if count == 1 else ("items", "characters")
    return code, detail.format_map({**context, "items": items, "characters": characters})
