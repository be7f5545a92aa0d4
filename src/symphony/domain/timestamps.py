"""Times in the format of RFC 3339."""

import re
from datetime import UTC, datetime, timedelta

from symphony.domain.errors import RuleBroken

# Section 5.6, with the space of its note in place of the T. `datetime.fromisoformat` accepts much
# more of ISO 8601: week and ordinal dates, the basic format, times without seconds or an offset.
_RFC_3339 = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"(?P<minute>(?:[01][0-9]|2[0-3]):[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
    r"(?P<fraction>\.[0-9]+)?"
    r"(?P<offset>[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_LEAP_SECOND = "60"
# The form that this service and most programs write: such a text means the same in ISO 8601.
_USUAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{6})?Z", re.ASCII
)
NOT_A_TIME = (
    "not-a-time",
    "Must be a time with seconds and an offset (RFC 3339), such as 2027-01-31T12:00:00Z.",
)


def parse_timestamp(value: object) -> datetime:
    """The time in UTC that a text in the format of RFC 3339 means.

    Digits beyond microseconds are cut off. A leap second becomes the second after it, since
    `datetime` has none. Raises: RuleBroken.
    """
    if isinstance(value, str) and _USUAL.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise RuleBroken(*NOT_A_TIME) from None
    given = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if given is None:
        raise RuleBroken(*NOT_A_TIME)
    is_leap = given["second"] == _LEAP_SECOND
    second, fraction = ("59", "") if is_leap else (given["second"], (given["fraction"] or "")[:7])
    text = f"{given['date']}T{given['minute']}:{second}{fraction}{given['offset'].upper()}"
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
        if not is_leap:
            return moment
        moment += timedelta(seconds=1)
    except (ValueError, OverflowError):  # a day that does not exist, or outside the years 1 to 9999
        raise RuleBroken(*NOT_A_TIME) from None
    if (moment.day, moment.hour, moment.minute) != (1, 0, 0):
        raise RuleBroken(*NOT_A_TIME)  # leap seconds end a month (section 5.7)
    return moment
