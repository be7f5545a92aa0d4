"""Times are read as RFC 3339 defines them, and nothing else of ISO 8601 is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.timestamps import parse_timestamp
from tests.domain.refusals import refusal

MIDNIGHT = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-01T00:00:00Z", MIDNIGHT),
        ("2027-01-01t00:00:00z", MIDNIGHT),
        ("2027-01-01 00:00:00Z", MIDNIGHT),  # the note in section 5.6
        ("2027-01-01T00:00:00+00:00", MIDNIGHT),
        ("2027-01-01T00:00:00-00:00", MIDNIGHT),  # the local offset is unknown (section 4.3)
        ("2027-01-01T05:30:00+05:30", MIDNIGHT),
        ("2026-12-31T00:01:00-23:59", MIDNIGHT),
        ("2027-01-01T00:00:00.5Z", MIDNIGHT.replace(microsecond=500_000)),
        ("2027-01-01T00:00:00.123456Z", MIDNIGHT.replace(microsecond=123_456)),
        ("2027-01-01T00:00:00.1234569999Z", MIDNIGHT.replace(microsecond=123_456)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", MIDNIGHT),
        ("2026-12-31T23:59:60.75z", MIDNIGHT),
        ("2027-01-01T00:59:60+01:00", MIDNIGHT),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment
    assert parse_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2027-W01-1T00:00:00Z",
        "2027-W01-1",
        "2027W011T000000Z",
        "2027-001T00:00:00Z",
        "20270101T000000Z",
        "2027-01-01T000000Z",
        "2027-01-01T00:00:00",
        "2027-01-01T00:00Z",
        "2027-01-01T00Z",
        "2027-01-01",
        "2027-01-01Z",
        "2027-01-01T00:00:00,5Z",
        "2027-01-01T00:00:00.Z",
        "2027-01-01T24:00:00Z",
        "2027-01-01T00:60:00Z",
        "2027-01-01T00:00:61Z",
        "2027-01-01T12:00:60Z",
        "2027-01-15T23:59:60Z",
        "9999-12-31T23:59:60Z",
        "2027-02-29T00:00:00Z",
        "2027-13-01T00:00:00Z",
        "2027-00-00T00:00:00Z",
        "2027-01-01T00:00:00+0100",
        "2027-01-01T00:00:00+01",
        "2027-01-01T00:00:00+01:00:30",
        "2027-01-01T00:00:00+24:00",
        "2027-01-01T00:00:00+01:60",
        "2027-01-01T00:00:00\N{MINUS SIGN}01:00",
        "2027-01-01T00:00:00 Z",
        "2027-01-01T00:00:00ZZ",
        "2027-01-01T00:00:00Z\n",
        " 2027-01-01T00:00:00Z",
        "2027-01-01_00:00:00Z",
        "2027-01-01  00:00:00Z",
        "2027-01-01T00:00:00 UTC",
        "2027-1-1T0:00:00Z",
        "+2027-01-01T00:00:00Z",
        "12027-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "\uff12\uff10\uff12\uff17-01-01T00:00:00Z",
        "2027-01-01T00:00:0\u0660Z",
        "1798761600",
        "now",
        "",
        1_798_761_600,
        1.5,
        True,
        None,
        MIDNIGHT,
    ],
)
def test_everything_else_is_refused(value: object) -> None:
    assert refusal(parse_timestamp, value) == "not-a-time"


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_is_read_as_it_was_written(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat()) == moment
