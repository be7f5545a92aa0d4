"""An error has a bounded size, whatever the request contains."""

import json
from typing import Any

import httpx
import pytest

from symphony.api.bodies.unknown_fields import KnownFields
from symphony.api.problems.errors import MAX_ERRORS
from symphony.api.routes.discovery import RepoImport
from symphony.api.routes.user_profiles import UserProfileCreate
from tests.support.api import API, User, code, faults

# The text of an error does not depend on the store.
ONE_STORE = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
JSON = {"Content-Type": "application/json"}
MAX_ANSWER = 20_000  # bytes
MANY = 80_000


def many(count: int = MANY) -> dict[str, int]:
    """An object with this number of unknown fields."""
    return {f"f{number}": 0 for number in range(count)}


def require_short(answer: httpx.Response) -> None:
    assert answer.status_code >= 400
    assert len(answer.content) < MAX_ANSWER
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 2_000


@pytest.mark.long
@ONE_STORE
async def test_of_many_unknown_fields_the_first_are_listed_and_all_are_counted(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(f"{API}/user-profiles", json=many())
    require_short(answer)
    # The three fields that are missing count as well.
    assert answer.json()["detail"] == "80,003 fields are invalid; the first 50 are in `errors`."
    missing = [("/username", "missing"), ("/email", "missing"), ("/password", "missing")]
    unknown = [(f"/f{number}", "unknown-field") for number in range(MAX_ERRORS - len(missing))]
    assert faults(answer) == missing + unknown


@ONE_STORE
@pytest.mark.parametrize(("count", "detail"), [(50, "see `errors`"), (51, "the first 50 are in")])
async def test_up_to_fifty_errors_are_listed(ada: User, count: int, detail: str) -> None:
    answer = await ada.post(f"/user-profiles/{ada.id}/workspaces", {"name": "a", **many(count)})
    assert answer.json()["detail"].startswith(f"{count} fields are invalid; {detail}")
    assert len(faults(answer)) == MAX_ERRORS


@ONE_STORE
async def test_unknown_fields_in_all_items_of_a_list_are_counted_together(ada: User) -> None:
    item = {"name": "engine", "path": "/engine", **many(799)}
    body = {"items": [item] * 100, "more": 1}
    workspace = await ada.workspace()
    answer = await ada.post(f"/workspaces/{workspace['id']}/repos/import", body)
    require_short(answer)
    assert answer.json()["detail"].startswith("79,901 fields are invalid; the first 50 ")
    assert {error for _, error in faults(answer)} == {"unknown-field"}


@ONE_STORE
async def test_an_import_with_many_names_that_are_taken_lists_fifty(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"/workspaces/{workspace['id']}/repos/import"
    items = [{"name": f"r{number}", "path": "/r"} for number in range(60)]
    answer = await ada.post(path, {"items": [*items[:1], *[items[0]] * 59]})
    assert code(answer) == "409 repo-name-taken"
    assert answer.json()["detail"].startswith("59 of 60 names are taken")
    assert len(answer.json()["errors"]) == MAX_ERRORS


def nested_duplicate(levels: int) -> bytes:
    """A body with a duplicate name inside many objects with long names."""
    return (b'{"' + b"x" * 64 + b'":') * levels + b'{"a": 1, "a": 2}' + b"}" * levels


LONG: tuple[tuple[str, str, Any, dict[str, str]], ...] = (
    ("POST", f"{API}/user-profiles", b'{"' + b"x" * 900_000 + b'": 1}', JSON),
    ("POST", f"{API}/user-profiles", b'{"name": 1' + b', "name": 1' * 50_000 + b"}", JSON),
    ("POST", f"{API}/user-profiles", nested_duplicate(800), JSON),
    ("POST", f"{API}/auth/token", b"&".join([b"username=a"] * 50_000), {}),
    ("POST", f"{API}/auth/token", b"&".join(b"f%d=a" % number for number in range(50_000)), {}),
    ("POST", f"{API}/auth/token", b"x" * 900_000 + b"=1", {}),
    ("GET", "/" + "x" * 60_000, b"", {}),
    ("GET", "/%E2%82%AC" * 6_000, b"", {}),
    ("GET", f"{API}/workspaces/{'x' * 60_000}", b"", {}),
    ("DELETE", f"{API}/user-profiles/me?{'x' * 60_000}", b"", {}),
    ("GET", f"{API}/user-profiles/me", b"", {"Authorization": "Bearer " + "x" * 60_000}),
    ("GET", f"{API}/user-profiles/me", b"", {"X-Request-ID": "x" * 60_000}),
    ("GET", f"{API}/user-profiles/me", b"", {"Host": "x" * 60_000}),
)
LONG_QUERIES = (
    "x" * 60_000,
    "&".join(f"f{number}=1" for number in range(6_000)),
    "&".join(["limit=1"] * 6_000),
    "&".join("x" * 60 + str(number) for number in range(900)),
    "q=" + "x" * 60_000,
    "sort=" + "x" * 60_000,
    "cursor=" + "x" * 60_000,
    "limit=" + "9" * 60_000,
)
LONG_HEADERS = {
    "If-Match": ",".join(f'"{number}"' for number in range(6_000)),
    "Idempotency-Key": "x" * 60_000,
    "Content-Type": "x" * 60_000,
    "Vault-Session": "x" * 60_000,
}


@ONE_STORE
@pytest.mark.parametrize(("method", "path", "content", "headers"), LONG)
async def test_an_error_is_short_when_the_request_is_long(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, headers: dict[str, str]
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"} if "token" in path else {}
    require_short(await client.request(method, path, content=content, headers=form | headers))


@pytest.mark.long
@ONE_STORE
async def test_an_error_is_short_when_the_query_or_a_header_is_long(ada: User) -> None:
    for query in LONG_QUERIES:
        require_short(await ada.get(f"/api-tokens?{query}"))
    workspace = (await ada.workspace())["id"]
    for name, value in LONG_HEADERS.items():
        path = f"/workspaces/{workspace}" + ("/repos" if name == "Idempotency-Key" else "")
        method = "POST" if name == "Idempotency-Key" else "PATCH"
        headers = JSON | {"If-Match": '"stale"', name: value}
        require_short(await ada.request(method, path, content=b"{}", headers=headers))


@ONE_STORE
async def test_the_path_in_an_error_ends_with_a_whole_character(client: httpx.AsyncClient) -> None:
    for start in ("/", "/a", "/ab"):
        answer = await client.get(start + "%E2%82%AC" * 6_000)
        instance: str = answer.json()["instance"]
        assert 8_000 < len(instance) <= 8_192
        assert instance[-3] == "%"


@ONE_STORE
async def test_each_unknown_parameter_is_named_and_many_are_counted(ada: User) -> None:
    answer = await ada.get("/api-tokens?colour=1&limit=1&size=2&<b>=3")
    expected = [(name, "unknown-parameter") for name in ("colour", "size", "query")]
    assert faults(answer) == expected
    answer = await ada.get("/api-tokens?" + "&".join(f"f{number}=1" for number in range(6_000)))
    assert answer.json()["detail"] == "6,000 fields are invalid; the first 50 are in `errors`."
    assert len(faults(answer)) == MAX_ERRORS


def test_pydantic_gets_no_more_unknown_fields_than_are_listed() -> None:
    """It creates an error for each, which takes longer than everything else."""
    schema = KnownFields.of(UserProfileCreate)
    assert schema is not None
    document: dict[str, Any] = {"username": 1, **many()}
    assert schema.drop_excess(document) == MANY - MAX_ERRORS
    assert list(document) == ["username", *many(MAX_ERRORS)]
    schema = KnownFields.of(RepoImport)
    assert schema is not None
    items = [{"name": 1, **many(40)} for _ in range(3)]
    assert schema.drop_excess({"items": items}) == 3 * 40 - MAX_ERRORS
    assert [len(item) for item in items] == [41, 11, 1]
    for other in (None, "text", [], [1], {"items": {"name": 1}}, json.loads("[[[1]]]")):
        assert schema.drop_excess(other) == 0
