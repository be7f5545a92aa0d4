"""Values are read from every store exactly as they were written."""

import json
import pickle
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import from_json

from symphony.domain.base import PageRequest
from symphony.domain.fields import MAX_KEY_BYTES, comparison_key
from symphony.domain.json_objects import compact, same
from symphony.domain.unit_of_work import Store
from symphony.domain.workspaces import Workspace
from tests.domain.examples import a_profile, a_repo, a_workspace
from tests.infrastructure.database.kept import Household, found, keep, page


@pytest.mark.parametrize(
    "value",
    [
        10**1000 - 1,
        -(10**1000 - 1),
        2**63,
        1e300,
        -1e300,
        -0.0,
        0,
        0.0,
        5e-324,
        1.7976931348623157e308,
        0.1,
        1.0,
        1,
        True,
        None,
        "",
        "\U0001f3bb\U000e0067 \u202e\ufffd\uffff",
        "\x01\x7f\u2028",
        "\\u0000 is only text",
        'quote " and backslash \\',
        [],
        {},
        [[1, 1.0, True, "1", None]],
        {"": {"$": "b"}},
        {"b": 1, "a": 2},
        json.loads("[" * 29 + "]" * 29),
    ],
)
async def test_json_is_read_exactly_as_written(store: Store, value: Any) -> None:
    profile = a_profile(preferences={"value": value, "list": [value], "é\U0001f3bb": value})
    await keep(store, profile)
    preferences = (await found(store, profile, profile.id)).preferences
    assert same(preferences, profile.preferences)
    assert compact(preferences) == compact(profile.preferences)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.long
@given(value=JSON, escaped=st.booleans())
@example(
    value=[10**1000 - 1, 1 - 10**1000, 2**64, 1e300, -0.0, 5e-324, 1.0, 1, True], escaped=False
)
@example(value={"a": json.loads("[" * 31 + "]" * 31)}, escaped=False)
@example(value="\U0001f3bb\u2028\x7f", escaped=True)
@effort(deadline=None, derandomize=True)
def test_stored_json_is_read_as_the_standard_library_reads_it(value: Any, *, escaped: bool) -> None:
    stored = json.dumps(value, ensure_ascii=escaped)
    # As text, for `==` takes 1, 1.0 and True for equal.
    assert repr(from_json(stored)) == repr(json.loads(stored)) == repr(value)


async def test_a_json_object_of_64_kib_is_read_exactly_as_written(store: Store) -> None:
    profile = a_profile(preferences={"a": "\U0001f3bb" * ((64 * 1024 - 8) // 4)})
    assert len(compact(profile.preferences).encode()) == 64 * 1024
    await keep(store, profile)
    assert (await found(store, profile, profile.id)).preferences == profile.preferences


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(0), "GMT")),
    ],
)
async def test_times_are_read_to_the_microsecond_and_in_utc(
    store: Store, ada: Household, moment: datetime
) -> None:
    repo = a_repo(ada.workspace.id, "r", created_at=moment, last_synced=moment)
    await keep(store, repo)
    stored = await found(store, repo, ada.user.id)
    for time in (stored.created_at, stored.updated_at, stored.last_synced):
        assert time == moment
        assert time.utcoffset() == timedelta(0)


async def test_ids_are_read_as_uuids(store: Store, ada: Household) -> None:
    written, read = ada.repo.id, (await found(store, ada.repo, ada.user.id)).id
    assert isinstance(read, UUID)
    assert written == read
    assert read == written
    assert {written: "found"}[read] == "found"
    assert sorted([read, UUID(int=0), written]) == [UUID(int=0), written, written]
    assert (str(read), repr(read), read.hex) == (str(written), repr(written), written.hex)
    assert pickle.loads(pickle.dumps(read)) == written  # noqa: S301 - just pickled
    as_json = TypeAdapter(UUID).dump_json
    assert as_json(read) == as_json(written)


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f3bb" * 255,
        "ß" * 255,
        "\ufdfa" * 78,
        "%_\\'\"",
        "\u0345\u0301",
        "\ufffd\uffff\U0010ffff",
    ],
)
async def test_names_are_read_as_written(store: Store, ada: Household, name: str) -> None:
    workspace = a_workspace(ada.user.id, name)
    await keep(store, workspace)
    assert (await found(store, workspace, ada.user.id)).name == workspace.name


async def test_the_longest_name_fits_the_indexes_though_it_cannot_be_compressed(
    store: Store, ada: Household
) -> None:
    # Normalization expands each of these characters to up to 18: the worst case.
    generator = random.Random(7)  # noqa: S311 - only to be hard to compress
    long = [chr(code) for code in range(0xFBD3, 0xFDFD) if len(comparison_key(chr(code))) > 1]
    name = ""
    while len(comparison_key(name + "\ufdfa").encode()) <= MAX_KEY_BYTES and len(name) < 254:
        name += generator.choice(long)
    workspace = a_workspace(ada.user.id, name)
    await keep(store, workspace)
    request = PageRequest(limit=5, sort="name", text=name)
    listed = await page(store, Workspace, ada.user.id, ada.user.id, request)
    assert [each.name for each in listed.items] == [name]


async def test_the_longest_texts_fit(store: Store, ada: Household) -> None:
    workspace = a_workspace(ada.user.id, "long", description="\U0001f3bb" * 10_000)
    repo = a_repo(
        ada.workspace.id,
        "long",
        path="/" + "\U0001f3bb" * 4095,
        remote_url="https://example.org/" + "x" * 2028,
    )
    await keep(store, workspace, repo)
    assert await found(store, workspace, ada.user.id) == workspace
    assert await found(store, repo, ada.user.id) == repo
