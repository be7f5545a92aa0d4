"""Which content coding a client gets (RFC 9110, section 12.5.3), and the ETags of codings."""

import pytest

from symphony.api.content_codings import CODINGS, coded_etag, preferred_coding, uncoded_etag
from tests.api.compression.decoding import DECODERS


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip,deflate", "gzip"),
        ("gzip;q=1.0, zstd;q=0.9", "gzip"),
        ("zstd ; q=0.001", "zstd"),
        ("gzip;Q=0.5", "gzip"),
        ("*", "gzip"),
        ("*;q=0.5, gzip;q=0.2", "zstd"),
        ("*, gzip;q=0", "zstd"),
        ("gzip, identity", "gzip"),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("identity;q=0, gzip", "gzip"),
        (" , gzip,, ", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, *;q=0.1, identity;q=0.9", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000, zstd;q=0", None),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("identity", None),
        ("br, deflate", None),
        ("", None),
        ("gzip;q=2", None),
        ("gzip;q=-1", None),
        ("gzip;q=0.1234", None),
        ("gzip;q=", None),
        ("gzip;level=9", None),
        ("gzip zstd", None),
        ("notgzip", None),
        ("gzip\u00e9", None),
    ],
)
def test_the_coding_with_the_highest_weight_is_chosen(accepted: str, expected: str | None) -> None:
    chosen = preferred_coding([accepted])
    assert (chosen and chosen.name) == expected
    # Several lines are one list (RFC 9110, section 5.2).
    chosen = preferred_coding(accepted.split(","))
    assert (chosen and chosen.name) == expected


def test_a_long_header_is_parsed_in_linear_time() -> None:
    assert preferred_coding(["gzip;q=0," * 10_000 + "zstd"]) == CODINGS[0]
    assert preferred_coding(["g" * 60_000 + ";q=" + "0" * 60_000]) is None


def test_equal_contents_have_equal_coded_forms_that_can_be_decoded() -> None:
    content = b'{"name": "engine"}' * 1000
    for coding in CODINGS:
        for compress in (coding.compress, coding.compress_well):
            assert compress(content) == compress(content)
            assert DECODERS[coding.name](compress(content)) == content


def test_a_strong_etag_differs_by_coding_and_a_weak_one_does_not() -> None:
    for coding in CODINGS:
        coded = coded_etag('"abc-1"', coding)
        assert coded == f'"abc-1-{coding.name}"'
        assert uncoded_etag(coded) == '"abc-1"'
        assert uncoded_etag(f"W/{coded}") == 'W/"abc-1"'
        assert coded_etag('W/"abc"', coding) == 'W/"abc"'
    for other in ('"abc"', '"gzip"', '"abc-br"', '"-gzip-x"', "*"):
        assert uncoded_etag(other) == other
