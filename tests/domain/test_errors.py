"""Domain errors have a stable slug for programs and a text for people."""

import pytest

from symphony.domain.base import new_id
from symphony.domain.errors import (
    AlreadyExists,
    DomainError,
    FieldError,
    Forbidden,
    InUse,
    Invalid,
    InvalidCredentials,
    LimitReached,
    Locked,
    NotFound,
    PreconditionFailed,
    RuleBroken,
)

SOME_ID = new_id()


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (NotFound("user-profile", SOME_ID), "user-profile-not-found"),
        (AlreadyExists("repo-name", "Taken."), "repo-name-taken"),
        (LimitReached("vault", limit=20, used=20), "vault-limit-reached"),
        (InUse("workspace-not-empty", "Not empty."), "workspace-not-empty"),
        (Locked("vault-locked", "Locked."), "vault-locked"),
        (PreconditionFailed("repo", 3), "precondition-failed"),
        (Forbidden("insufficient-scope", "No."), "insufficient-scope"),
        (InvalidCredentials(), "invalid-credentials"),
        (Invalid([FieldError("name", "too-long", "Shorter.")]), "validation-error"),
    ],
)
def test_every_error_has_a_slug_and_a_text(error: DomainError, slug: str) -> None:
    assert error.slug == slug
    assert error.detail == str(error)
    assert error.detail.endswith(".")


def test_not_found_names_the_noun_and_the_id() -> None:
    assert (
        str(NotFound("user-profile", SOME_ID)) == f"There is no user profile with the id {SOME_ID}."
    )


@pytest.mark.parametrize(
    ("noun", "limit", "used", "imported", "detail"),
    [
        ("repo", 100, 100, None, "The limit of 100 repos is reached; delete one first."),
        ("repo", 1, 1, None, "The limit of 1 repo is reached; delete one first."),
        ("entry", 1000, 1000, None, "The limit of 1,000 entries is reached; delete one first."),
        ("repo", 100, 41, 90, "This import needs 90 slots; 59 are left"),
        ("repo", 100, 99, 2, "This import needs 2 slots; 1 is left"),
        ("repo", 100, 100, 1, "This import needs 1 slot; 0 are left"),
        ("repo", 100, 130, 1, "This import needs 1 slot; 0 are left"),
        ("repo", 9999, 2, 10_000, "This import needs 10,000 slots; 9,997 are left"),
    ],
)
def test_a_limit_says_how_much_of_it_is_used(
    noun: str, limit: int, used: int, imported: int | None, detail: str
) -> None:
    error = LimitReached(noun, limit=limit, used=used, imported=imported)
    assert (error.limit, error.used) == (limit, used)
    assert error.detail == detail


def test_an_invalid_error_names_the_fields_and_repeats_no_value() -> None:
    error = Invalid([FieldError("name", "a", "b"), FieldError("path", "c", "d")])
    assert str(error) == "Invalid fields: name, path."
    assert str(Invalid([FieldError("name", "a", "b")])) == "Invalid field: name."


def test_a_broken_rule_is_a_value_error_with_a_code() -> None:
    error = RuleBroken("too-long", "At most 3.")
    assert isinstance(error, ValueError)
    assert (error.code, error.detail) == ("too-long", "At most 3.")
