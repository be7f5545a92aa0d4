"""Refusals carry a stable slug for programs and words for people."""

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
def test_every_refusal_has_a_slug_and_words(error: DomainError, slug: str) -> None:
    assert error.slug == slug
    assert error.detail == str(error)
    assert error.detail.endswith(".")


def test_a_thing_that_is_not_found_is_named_by_its_noun_and_id() -> None:
    assert (
        str(NotFound("user-profile", SOME_ID)) == f"There is no user profile with the id {SOME_ID}."
    )


def test_a_limit_tells_how_much_of_it_is_used() -> None:
    error = LimitReached("repo", limit=100, used=100)
    assert (error.limit, error.used) == (100, 100)


def test_invalid_values_are_named_by_their_fields_and_never_repeated() -> None:
    error = Invalid([FieldError("name", "a", "b"), FieldError("path", "c", "d")])
    assert str(error) == "Not acceptable: name, path."


def test_a_broken_rule_is_a_value_error_with_a_code() -> None:
    error = RuleBroken("too-long", "At most 3.")
    assert isinstance(error, ValueError)
    assert (error.code, error.detail) == ("too-long", "At most 3.")
