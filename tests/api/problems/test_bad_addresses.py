"""Unusual paths, queries, media types and headers: refused with the right error, never a 500."""

import pytest

from symphony.domain.base import new_id
from tests.support.api import API, User, code, faults

NO_UUIDS = (
    "x",
    "0",
    "-1",
    "null",
    "undefined",
    "*",
    "%20",
    "%00",
    "%ff",
    "%c3%28",
    "%ed%a0%80",
    "%F0%9F%98%80",
    "%",
    "%zz",
    "%25",
    "..;",
    "'%20OR%201=1--",
    "9" * 40,
    "9" * 5000,
    "00000000-0000-0000-0000-00000000000",
    "00000000-0000-0000-0000-0000000000000",
    "00000000-0000-0000-0000-00000000000g",
    "01a204db-e372-75aa-9818-6d29fe2abae4%00",
    "01a204db-e372-75aa-9818-6d29fe2abae4%0a",
    "\uff0530",
)
# The query of a list, with the parameter and code of the error.
QUERIES = (
    ("limit=", "limit", "integer-expected"),
    ("limit", "limit", "integer-expected"),
    ("limit=%00", "limit", "integer-expected"),
    ("limit=1%00", "limit", "integer-expected"),
    ("limit=1e400", "limit", "integer-expected"),
    ("limit=NaN", "limit", "integer-expected"),
    ("limit=Infinity", "limit", "integer-expected"),
    ("limit=true", "limit", "integer-expected"),
    ("limit=" + "9" * 30, "limit", "too-large"),
    ("limit=-" + "9" * 30, "limit", "too-small"),
    ("limit=" + "9" * 5000, "limit", "integer-expected"),
    ("limit=1;sort=name", "limit", "integer-expected"),
    ("limit=1&limit=1", "limit", "duplicate-field"),
    ("sort=name&sort=name", "sort", "duplicate-field"),
    ("q=a&q=b", "q", "duplicate-field"),
    ("cursor=&cursor=", "cursor", "duplicate-field"),
    ("limit=1&%6cimit=2", "limit", "duplicate-field"),
    ("limit=%ff", "query", "not-utf-8"),
    ("q=%ed%a0%80", "query", "not-utf-8"),
    ("q=%c3", "query", "not-utf-8"),
    ("%ff=1", "query", "not-utf-8"),
    ("q=%00", "q", "nul-character"),
    ("q=a%00b", "q", "nul-character"),
    ("q=" + "x" * 256, "q", "too-long"),
    ("sort=%00", "sort", "unknown-value"),
    ("sort=name,id", "sort", "unknown-value"),
    ("sort[]=name", "query", "unknown-parameter"),
    ("colour=blue", "colour", "unknown-parameter"),
    ("LIMIT=1", "LIMIT", "unknown-parameter"),
    ("=1", "query", "unknown-parameter"),
    ("%00=1", "query", "unknown-parameter"),
    ("limit=1&limit[]=1", "query", "unknown-parameter"),
    ("%20limit=1", "query", "unknown-parameter"),
)
FINE_QUERIES = (
    "",
    "&",
    "&&",
    "limit=1&",
    "&limit=1",
    "q=",
    "q=%",
    "q=%25",
    "q=%zz",
    "q=a+b",
    "q=💥",
)


@pytest.mark.long
async def test_an_id_that_is_not_a_uuid_is_a_422(ada: User) -> None:
    for text in NO_UUIDS:
        for parameter, path in (
            ("user_profile_id", f"/user-profiles/{text}"),
            ("workspace_id", f"/workspaces/{text}"),
            ("workspace_id", f"/workspaces/{text}/repos"),
            ("repo_id", f"/repos/{text}"),
            ("vault_id", f"/vaults/{text}"),
        ):
            answer = await ada.get(path)
            assert faults(answer) == [(parameter, "uuid-expected")], path
        assert [place for place, _ in faults(await ada.delete(f"/vaults/{text}"))] == ["vault_id"]


async def test_ids_that_cannot_exist_are_a_404(ada: User) -> None:
    for text in ("0" * 8 + "-0000-0000-0000-" + "0" * 12, "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12):
        assert code(await ada.get(f"/vaults/{text}")) == "404 vault-not-found"


async def test_an_encoded_slash_separates_segments(ada: User) -> None:
    for path in ("/vaults/a%2fb", "/vaults/%2e%2e%2f%2e%2e%2fetc%2fpasswd", f"/vaults/{ada.id}%2f"):
        assert code(await ada.get(path)) == "404 route-not-found"


async def test_invalid_queries_are_reported_with_parameter_and_code(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    for query, parameter, reason in QUERIES:
        answer = await ada.get(f"{path}?{query}")
        assert faults(answer) == [(parameter, reason)], query[:80]


async def test_unusual_but_valid_queries_are_accepted(ada: User) -> None:
    for query in FINE_QUERIES:
        answer = await ada.get(f"/user-profiles/{ada.id}/workspaces?{query}")
        assert answer.status_code == 200, query


async def test_parameters_of_an_operation_without_any_are_unknown(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    for method, path in (
        ("GET", "/user-profiles/me?limit=1"),
        ("GET", f"/workspaces/{workspace}?fields=name"),
        ("GET", f"/workspaces/{workspace}/stats?q=a"),
        ("DELETE", f"/user-profiles/{ada.id}?force=true"),
        ("DELETE", f"/workspaces/{workspace}?forced=true"),
        ("POST", f"/vaults/{workspace}/lock?force=true"),
    ):
        name = path.partition("?")[2].partition("=")[0]
        answer = await ada.request(method, path)
        assert faults(answer) == [(name, "unknown-parameter")], path


async def test_force_is_true_or_false(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}"
    for value in ("", "maybe", "2", "null", "%00", "truetrue", "true "):
        answer = await ada.delete(f"{path}?force={value}")
        assert faults(answer) == [("force", "boolean-expected")], value
    answer = await ada.delete(f"{path}?force=true&force=false")
    assert faults(answer) == [("force", "duplicate-field")]
    assert (await ada.get(path)).status_code == 200


async def test_only_the_media_type_of_json_is_accepted(ada: User) -> None:
    for method, path, accepted in (
        ("POST", "/api-tokens", False),
        ("PATCH", f"/user-profiles/{ada.id}", True),
    ):
        for media_type in (
            "",
            " ",
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/jsonx",
            "application/json2",
            "application/vnd.api+json",
            "application/json-patch+json",
            "application/json, text/plain",
            "json",
            "*/*",
            "application/",
            "application/json\x00",
        ):
            headers = {b"Content-Type": media_type.encode()}
            answer = await ada.request(method, path, content=b"{}", headers=_bytes(ada, headers))
            assert code(answer) == "415 unsupported-media-type", media_type
        answer = await ada.request(method, path, content=b"{}")
        assert code(answer) == "415 unsupported-media-type"
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = await ada.request(method, path, content=b"{}", headers=headers)
        assert (answer.status_code == 200) == accepted
        assert accepted or code(answer) == "415 unsupported-media-type"


async def test_parameters_and_case_of_a_media_type_do_not_matter(ada: User) -> None:
    for media_type in (
        "application/json",
        "APPLICATION/JSON",
        "Application/Json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json ; x=y",
        "application/json;",
    ):
        headers = {"Content-Type": media_type}
        body = b'{"name": "a", "scopes": ["read"]}'
        answer = await ada.request("POST", "/api-tokens", content=body, headers=headers)
        assert answer.status_code == 201, media_type


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])  # no store is used
async def test_a_sign_in_that_is_not_a_form_is_refused(ada: User) -> None:
    form = "application/x-www-form-urlencoded"
    for media_type, body, expected in (
        ("application/json", b'{"username": "ada"}', "415 unsupported-media-type"),
        ("multipart/form-data; boundary=x", b"--x--", "415 unsupported-media-type"),
        ("", b"username=ada&password=x", "415 unsupported-media-type"),
        (form, b"username=\xff&password=x", "400 malformed-request"),
        (form, b"username=%ff&password=x", "400 malformed-request"),
        (form, b"username=%ed%a0%80&password=x", "400 malformed-request"),
        (form, "username=é&password=x".encode(), "400 malformed-request"),
        (form, b"a=1&" * 1000, "400 malformed-request"),
        (form, b"", "422 validation-error"),
        (form, b"&&&", "422 validation-error"),
        (form, b"username", "422 validation-error"),
        (form, b'{"username": "ada"}', "422 validation-error"),
        (form, b"username=&password=", "422 validation-error"),
        (form, b"username=%zz&password=%", "401 invalid-credentials"),
        (form.upper() + "; charset=utf-8", b"username=x&password=y", "401 invalid-credentials"),
    ):
        headers = {"Content-Type": media_type}
        answer = await ada.client.post(f"{API}/auth/token", content=body, headers=headers)
        assert code(answer) == expected, body[:80]


async def test_bodies_of_operations_without_one_are_ignored(ada: User) -> None:
    vault = await ada.vault((await ada.workspace())["id"])
    path = f"/vaults/{vault['id']}"
    for body in (b"{", b"\xff\x00", b'{"colour": 1}'):
        assert (await ada.request("GET", path, content=body)).json() == vault
        stats = f"/workspaces/{vault['workspace_id']}/stats"
        assert (await ada.request("GET", stats, content=body)).json()["vault_count"] == 1
    assert (await ada.request("DELETE", path, content=b"{")).status_code == 204


@pytest.mark.long
async def test_headers_with_any_bytes_cause_no_500(ada: User) -> None:
    path = f"/vaults/{new_id()}"
    for value in (
        b"\xff\xfe",
        b"\xed\xa0\x80",
        "💥".encode(),
        b"x" * 10_000,
        b'"\xff"',
        b",,,",
        b"",
    ):
        for name in (b"If-Match", b"If-None-Match", b"X-Request-ID", b"Idempotency-Key", b"Accept"):
            headers = _bytes(ada, {name: value})
            for method, body in (("GET", None), ("PATCH", {"name": "a"}), ("DELETE", None)):
                answer = await ada.request(method, path, json=body, headers=headers)
                assert code(answer) in {"404 vault-not-found", "422 validation-error"}


def _bytes(user: User, headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Headers with bytes that are not text, and the token of the user."""
    return {b"Authorization": f"Bearer {user.token}".encode(), **headers}
