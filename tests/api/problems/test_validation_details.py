"""Validation errors name the field and what is allowed."""

import re
from typing import Any

import pytest

from symphony.api.problems.validation_errors import InvalidField, invalid_fields
from tests.support.api import User, code

ONE_STORE = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
DETAILS: tuple[tuple[Any, str], ...] = (
    ({}, "`/name`: This field is required."),
    ({"name": 1}, "`/name` must be a string."),
    ({"name": "a", "colour": 1}, "`/colour`: Unknown field."),
    ({"name": "a", "not a name": 1}, "The body: Unknown field."),
    ({"name": "a", "settings": []}, "`/settings` must be a JSON object."),
    ([], "The body must be a JSON object."),
    ({"name": 1, "settings": 1, "colour": 1}, "3 fields are invalid; see `errors`."),
)


@ONE_STORE
@pytest.mark.parametrize(("body", "detail"), DETAILS)
async def test_a_single_error_is_the_detail_and_several_are_counted(
    ada: User, body: Any, detail: str
) -> None:
    answer = await ada.post(f"/user-profiles/{ada.id}/workspaces", body)
    assert code(answer) == "422 validation-error"
    assert answer.json()["title"] == "Validation failed"
    assert answer.json()["detail"] == detail


@ONE_STORE
@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "`limit` must be at least 1."),
        ("limit=x", "`limit` must be an integer."),
        ("limit=1&limit=1", "`limit` must be given only once."),
        ("q=%ff", "`query` must be percent-encoded UTF-8."),
        ("sort=x", "`sort` must be one of 'created_at', '-created_at', "),
        ("colour=1", "`colour`: Unknown parameter; the parameters of this operation are: `cursor`"),
    ],
)
async def test_an_error_in_the_query_names_the_parameter(
    ada: User, query: str, detail: str
) -> None:
    answer = await ada.get(f"/api-tokens?{query}")
    assert code(answer) == "422 validation-error"
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("kind", "context", "detail"),
    [
        ("too_short", {"min_length": 1}, "Must have at least 1 item."),
        ("too_long", {"max_length": 16}, "Must have at most 16 items."),
        ("string_too_short", {"min_length": 1}, "Must have at least 1 character."),
        ("string_too_long", {"max_length": 10_000}, "Must have at most 10,000 characters."),
        ("less_than_equal", {"le": 2**31 - 1}, "Must be at most 2,147,483,647."),
        ("unheard_of", {}, "This value is not allowed."),
    ],
)
def test_numbers_agree_with_their_nouns(kind: str, context: dict[str, Any], detail: str) -> None:
    (field,) = invalid_fields([{"type": kind, "loc": ("body", "names"), "ctx": context}])
    assert (field.pointer, field.detail) == ("/names", detail)


def test_every_detail_of_a_rule_makes_a_sentence() -> None:
    for detail in ("Must be true.", "Unknown field."):
        for field in (
            InvalidField("code", detail, pointer="/name"),
            InvalidField("code", detail, pointer=""),
            InvalidField("code", detail, parameter="limit"),
        ):
            assert re.fullmatch(r"(`/?\w+`|The body)( must |: ).*\.", field.sentence)
