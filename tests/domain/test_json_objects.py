"""Free-form JSON objects: what they may contain, how they merge, and when two are equal."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import RuleBroken
from symphony.domain.json_objects import JsonObject, compact, json_object, merge, same


def refusal(value: object) -> str:
    with pytest.raises(RuleBroken) as refused:
        json_object(value)
    return refused.value.code


def nested(levels: int) -> dict[str, Any]:
    """An object this many levels deep, itself being the first."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize("value", [None, [], "{}", 1, True, [("a", 1)]])
def test_only_an_object_is_an_object(value: object) -> None:
    assert refusal(value) == "object-expected"


@pytest.mark.parametrize("character", ["a", "é", "\U0001f3bb", '"'])
def test_64_kib_as_compact_utf8_are_accepted_and_not_a_byte_more(character: str) -> None:
    size = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    available = 64 * 1024 - len('{"a":""}')
    largest = {"a": character * (available // size) + "x" * (available % size)}
    assert len(compact(largest).encode()) == 64 * 1024
    assert json_object(largest) == largest
    assert refusal({"a": largest["a"] + "x"}) == "too-large"


def test_spaces_and_escapes_that_a_client_has_sent_do_not_count() -> None:
    sent = '{ "a" : "' + r"\u00e9" * 30_000 + '" }'
    assert len(sent) > 64 * 1024
    assert json_object(json.loads(sent)) == {"a": "é" * 30_000}


def test_32_levels_are_accepted_and_not_one_more() -> None:
    assert json_object(nested(32)) == nested(32)
    assert refusal(nested(33)) == "too-deep"


def test_lists_are_levels_as_well() -> None:
    lists: list[Any] = []
    for _ in range(30):
        lists = [lists]
    assert json_object({"a": lists}) == {"a": lists}
    assert refusal({"a": [lists]}) == "too-deep"


def test_a_value_that_is_far_too_deep_is_refused_like_any_other() -> None:
    assert refusal(nested(50_000)) == "too-deep"


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_of_1000_digits_are_exact_and_1001_are_refused(sign: int) -> None:
    longest = sign * (10**1000 - 1)
    kept = json_object({"n": longest})
    assert kept == {"n": longest}
    assert json.loads(compact(kept)) == {"n": longest}
    assert refusal({"n": sign * 10**1000}) == "number-too-long"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_infinity_and_nan_are_refused(value: float) -> None:
    assert refusal({"n": [value]}) == "number-overflow"


@pytest.mark.parametrize(
    "value", [1e300, -0.0, 5e-324, 0.1, 1.0, 2**53 + 1, 1.7976931348623157e308]
)
def test_numbers_keep_their_value_sign_and_kind(value: float) -> None:
    kept = json_object({"n": value})["n"]
    assert (type(kept), repr(kept)) == (type(value), repr(value))
    assert repr(json.loads(compact({"n": kept}))["n"]) == repr(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a\0": 1}, "nul-character"),
        ({"a": ["\0"]}, "nul-character"),
        ({"a": {"\ud800": 1}}, "lone-surrogate"),
        ({"a": "\udfff"}, "lone-surrogate"),
    ],
)
def test_names_and_strings_are_what_every_database_can_hold(
    value: dict[str, Any], code: str
) -> None:
    assert refusal(value) == code


@pytest.mark.parametrize("value", [{1: 1}, {"a": {None: 1}}, {"a": b"x"}, {"a": {1, 2}}])
def test_only_the_types_of_json_are_accepted(value: object) -> None:
    assert refusal(value) == "json-expected"


def test_the_stored_object_is_a_copy() -> None:
    given: dict[str, Any] = {"a": {"b": [1]}}
    kept = json_object(given)
    given["a"]["b"].append(2)
    assert kept == {"a": {"b": [1]}}


# RFC 7396, appendix A, as far as target and patch are objects; the others cannot occur here.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_objects_merge_as_the_rfc_says(
    target: JsonObject, patch: JsonObject, result: JsonObject
) -> None:
    assert merge(target, patch) == result


def test_the_example_of_the_rfc_merges_as_it_says() -> None:
    target = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    patch = {
        "title": "Hello!",
        "phoneNumber": "+01-123-456-7890",
        "author": {"familyName": None},
        "tags": ["example"],
    }
    assert merge(target, patch) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }


def test_a_merge_leaves_what_it_was_given_alone() -> None:
    target, patch = {"a": {"b": 1}}, {"a": {"b": 2, "c": None}}
    merge(target, patch)
    assert (target, patch) == ({"a": {"b": 1}}, {"a": {"b": 2, "c": None}})


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0, False), (1.0, True), (0.0, -0.0), ("1", 1), (None, False), ([], {})],
)
def test_values_that_only_python_calls_equal_are_not_the_same(one: Any, other: Any) -> None:
    assert not same({"a": one}, {"a": other})
    assert not same({"a": [{"b": one}]}, {"a": [{"b": other}]})


def test_the_order_of_members_makes_no_difference_and_that_of_items_does() -> None:
    assert same({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1})
    assert not same({"a": [1, 2]}, {"a": [2, 1]})


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=8,
)
JSON_OBJECTS = st.dictionaries(TEXTS, JSON_VALUES, max_size=4)


@pytest.mark.long
@given(JSON_OBJECTS)
def test_any_object_of_json_is_kept_and_survives_its_text_form(value: dict[str, Any]) -> None:
    kept = json_object(value)
    assert same(kept, value)
    assert same(json.loads(compact(kept)), value)


@pytest.mark.long
@given(JSON_OBJECTS, JSON_OBJECTS)
def test_a_patch_that_was_applied_changes_nothing_when_applied_again(
    target: dict[str, Any], patch: dict[str, Any]
) -> None:
    once = merge(target, patch)
    assert same(merge(once, patch), once)
