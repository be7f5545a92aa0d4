"""The errors of the API itself, as opposed to those of the domain."""

from collections.abc import Mapping, Sequence

from symphony.api.problems.catalogue import problem_type
from symphony.api.problems.validation_errors import InvalidField


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
    """At least one field of the request is invalid."""

    def __init__(self, *errors: InvalidField) -> None:
        super().__init__("validation-error", summary(errors), errors=errors)


def summary(errors: Sequence[InvalidField]) -> str:
    """Return the `detail` of a validation error: a single error in full, several counted."""
    if len(errors) == 1:
        return errors[0].sentence
    return f"{len(errors)} fields are invalid; see `errors`."
