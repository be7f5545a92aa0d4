"""The parser of bodies: compact documents take a quicker way, with the same result."""

import json
import math
from typing import Any

import pytest

from symphony.api.bodies.strict_json import parse
from symphony.api.problems.errors import ApiError, ValidationFailed

SAME = [
    "null",
    "true",
    "[]",
    "{}",
    '"é\\u001f\\u007f\\ud83d\\ude00"',
    '"é\x7f😀"',
    "[0,-1,18446744073709551615,18446744073709551616,-9223372036854775809]",
    "[0.1,1e5,1.0,-0.0,-0,5e-324,1.7976931348623157e308,1E400]",
    '{"b":1,"a":{"c":[null,true,""]}}',
    ' { "spaces" : [ 1 , 2 ] } ',
    "[" * 200 + "]" * 200,
]


@pytest.mark.parametrize("text", SAME)
def test_a_document_is_what_the_standard_parser_returns(text: str) -> None:
    expected: Any = json.loads(text)
    for written in (text, json.dumps(expected, ensure_ascii=False, separators=(",", ":"))):
        if "Infinity" in written:
            continue  # a number of the text that no float can express
        found = parse(written.encode())
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '{"a":{"b":[{"c":1,"c":2}]}}', '{"":1,"":2}'])
def test_a_name_given_twice_is_refused_in_a_compact_document(text: str) -> None:
    with pytest.raises(ValidationFailed):
        parse(text.encode())


@pytest.mark.parametrize(
    "body", [b"", b"NaN", b"[Infinity]", b"[1,]", b"{'a':1}", b"\xff", b'"\xed\xa0\x80"', b"1 2"]
)
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError):
        parse(body)


def test_a_deep_document_is_refused() -> None:
    for depth in (100_000, 2_000_000):
        with pytest.raises(ValidationFailed):
            parse(b"[" * depth + b"]" * depth)


def test_an_integer_beyond_the_limit_stays_large() -> None:
    assert parse(b"1" * 5_000) > 10**999
    assert math.isfinite(parse(b"12345678901234567890"))
