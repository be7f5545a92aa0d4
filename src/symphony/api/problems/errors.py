"""The errors of the API itself, as opposed to those of the domain."""

from collections.abc import Mapping, Sequence

from symphony.api.problems.catalogue import problem_type
from symphony.api.problems.validation_errors import InvalidField

MAX_ERRORS = 50
"""The number of invalid fields that an answer lists."""


class ApiError(Exception):
    """A refused request; `code` is a key of `PROBLEMS`. Without a `detail` the title is used."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[InvalidField] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or f"{problem_type(code).title}."
        self.headers = dict(headers or {})
        self.errors = tuple(errors)


class ValidationFailed(ApiError):
    """At least one field of the request is invalid.

    `more` is the number of invalid fields beside those in `errors`.
    """

    def __init__(self, *errors: InvalidField, more: int = 0) -> None:
        super().__init__("validation-error", summary(errors, more), errors=errors)


def summary(errors: Sequence[InvalidField], more: int = 0) -> str:
    """Return the `detail` of a validation error: a single error in full, several counted."""
    count = len(errors) + more
    if count == 1:
        return errors[0].sentence
    if count > MAX_ERRORS:
        return f"{count:,} fields are invalid; the first {MAX_ERRORS} are in `errors`."
    return f"{count} fields are invalid; see `errors`."
