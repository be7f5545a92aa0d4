"""What can go wrong in the domain: a stable slug and words for people, never an HTTP status."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


class DomainError(Exception):
    """The base of all refusals.

    `slug` is stable and meant for programs, `detail` is meant for people and never holds anything
    that was sent but ids.
    """

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else; nobody can tell which."""

    def __init__(self, noun: str, entity_id: UUID) -> None:
        super().__init__(
            f"{noun}-not-found", f"There is no {_words(noun)} with the id {entity_id}."
        )


class AlreadyExists(DomainError):
    """A name is taken among its siblings, without regard to case or Unicode form."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(f"{slug}-taken", detail)


class LimitReached(DomainError):
    """The parent holds `used` of the `limit` that it may, and has no room for those to be added."""

    def __init__(self, noun: str, *, limit: int, used: int, added: int = 1) -> None:
        detail = (
            f"The limit of {limit} {_plural(_words(noun))} is reached; delete one to make room."
        )
        if added > 1:
            detail = f"{added} more are too many: there may be {limit} {_plural(_words(noun))}."
        super().__init__(f"{noun}-limit-reached", detail)
        self.limit = limit
        self.used = used


class InUse(DomainError):
    """It cannot be deleted while it holds something."""


class Locked(DomainError):
    """It cannot be changed while it is locked."""


class PreconditionFailed(DomainError):
    """The present state is not as the caller expects it; None when there is nothing now."""

    def __init__(self, noun: str, current_version: int | None) -> None:
        super().__init__(
            "precondition-failed",
            f"The {_words(noun)} is not in the state that the request expects; read it again, and"
            " repeat the change on what is there.",
        )
        self.current_version = current_version


class Forbidden(DomainError):
    """The caller is known, and may not do this."""


class InvalidCredentials(DomainError):
    """The account or the password is wrong; which of them is never told."""

    def __init__(self) -> None:
        super().__init__("invalid-credentials", "The user name or the password is wrong.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: the field's name, a stable code, and what is allowed."""

    field: str
    code: str
    detail: str


class NamesTaken(AlreadyExists):
    """Of several things to be made, some have names that are taken: all of these at once."""

    def __init__(self, slug: str, detail: str, errors: Iterable[FieldError]) -> None:
        super().__init__(slug, detail)
        self.errors = tuple(errors)


class Invalid(DomainError):
    """Values that break the rules of their fields, all of them at once."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        fields = ", ".join(error.field for error in self.errors)
        super().__init__("validation-error", f"Not acceptable: {fields}.")


class RuleBroken(ValueError):
    """One value breaks one rule; `Invalid` collects these and names the fields."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def _plural(words: str) -> str:
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _words(noun: str) -> str:
    return noun.replace("-", " ")
