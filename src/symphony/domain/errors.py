"""The errors of the domain: each has a stable slug and a text for people, no HTTP status."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


class DomainError(Exception):
    """The base of all errors with which the domain refuses a request.

    `slug` is stable and for programs. `detail` is for people; the only input that it repeats are
    ids.
    """

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail


class NotFound(DomainError):
    """The entity does not exist or has another owner; the error does not say which."""

    def __init__(self, noun: str, entity_id: UUID) -> None:
        super().__init__(
            f"{noun}-not-found", f"There is no {_words(noun)} with the id {entity_id}."
        )


class AlreadyExists(DomainError):
    """A sibling has the same name; case and Unicode form make no difference."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(f"{slug}-taken", detail)


class LimitReached(DomainError):
    """The parent contains `used` of at most `limit` children.

    `imported` is the number of children that an import adds; None for a single one. `detail`
    replaces the text for children that are counted one by one.
    """

    def __init__(
        self,
        noun: str,
        *,
        limit: int,
        used: int,
        imported: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(
            f"{noun}-limit-reached", detail or _limit_detail(noun, limit, used, imported)
        )
        self.limit = limit
        self.used = used


class InUse(DomainError):
    """The entity cannot be updated or deleted in this way while something depends on it."""


class Locked(DomainError):
    """The entity cannot be updated while it is locked."""


class PreconditionFailed(DomainError):
    """The current state is not one that the caller expects.

    `current_version` is None when the entity does not exist.
    """

    def __init__(self, noun: str, current_version: int | None) -> None:
        super().__init__(
            "precondition-failed",
            f"The {_words(noun)} is not in the state that the request requires; get its current"
            " state, then retry.",
        )
        self.current_version = current_version


class Forbidden(DomainError):
    """The caller is authenticated, but not allowed to do this."""


class InvalidCredentials(DomainError):
    """The account or the password is wrong; the error does not say which."""

    def __init__(self) -> None:
        super().__init__("invalid-credentials", "The user name or the password is wrong.")


class TokenRefused(DomainError):
    """The caller's token is not valid, or not valid any more; `detail` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("unauthenticated", detail)


@dataclass(frozen=True, slots=True)
class FieldError:
    """An invalid value: the field's name, a stable code, and a sentence on what is allowed."""

    field: str
    code: str
    detail: str


class NamesTaken(AlreadyExists):
    """Some of the names of several new entities are taken; `errors` lists all of these."""

    def __init__(self, slug: str, detail: str, errors: Iterable[FieldError]) -> None:
        super().__init__(slug, detail)
        self.errors = tuple(errors)


class Invalid(DomainError):
    """Some values are not valid for their fields; `errors` lists all of these."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        fields = ", ".join(error.field for error in self.errors)
        noun = "field" if len(self.errors) == 1 else "fields"
        super().__init__("validation-error", f"Invalid {noun}: {fields}.")


class RuleBroken(ValueError):
    """A value violates a rule. `Invalid` collects these errors and adds the names of the fields.

    `detail` is a sentence that says what is allowed, without its subject: "Must be a string.".
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def _limit_detail(noun: str, limit: int, used: int, imported: int | None) -> str:
    if imported is None:
        return f"The limit of {_counted(limit, _words(noun))} is reached; delete one first."
    left = max(0, limit - used)
    are = "is" if left == 1 else "are"
    # The wording is a part of the contract.
    return f"This import needs {_counted(imported, 'slot')}; {left:,} {are} left"


def _counted(number: int, words: str) -> str:
    return f"{number:,} {words if number == 1 else _plural(words)}"


def _plural(words: str) -> str:
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _words(noun: str) -> str:
    return noun.replace("-", " ")
