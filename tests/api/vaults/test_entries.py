"""Entries of vaults: keys, contents, versions and conditions."""

import asyncio
import base64
from typing import Any

import pytest

from symphony.domain.vaults import entry_service
from tests.support.api import API, User, code, faults, utc
from tests.support.vaults import PlainVault

FIELDS = {"key", "version", "size", "content_type", "encoding", "created_at"}


@pytest.fixture
async def vault(ada: User) -> PlainVault:
    return PlainVault(ada, (await ada.vault((await ada.workspace())["id"]))["id"])


async def test_a_stored_content_is_returned(vault: PlainVault) -> None:
    answer = await vault.put(
        "clients/acme/db", "grüße\n", content_type="text/x-note; charset=utf-8"
    )
    assert answer.status_code == 201
    entry = answer.json()
    assert set(entry) == FIELDS
    assert (entry["key"], entry["version"], entry["size"]) == ("clients/acme/db", 1, 8)
    assert (entry["content_type"], entry["encoding"]) == ("text/x-note; charset=utf-8", "utf-8")
    assert utc(entry["created_at"])
    assert answer.headers["location"] == API + vault.path("clients/acme/db")
    read = await vault.get("clients/acme/db")
    assert read.json() == entry | {"content": "grüße\n"}
    assert read.headers["etag"] == answer.headers["etag"]
    listed = (await vault.owner.get(f"/vaults/{vault.id}/entries")).json()
    assert listed == {"items": [entry], "next_cursor": None, "damaged": 0}


async def test_the_default_content_type_is_plain_text(vault: PlainVault) -> None:
    entry = (await vault.put("a", "")).json()
    assert (entry["content_type"], entry["encoding"], entry["size"]) == ("text/plain", "utf-8", 0)


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_media_types_have_parameters(vault: PlainVault) -> None:
    for kind in ("a/b", 'text/plain; title="a \\"b\\"; c"; x=y', "a/b;c=d"):
        assert (await vault.put("a", content_type=kind)).json()["content_type"] == kind


async def test_bytes_are_sent_and_returned_in_base64(vault: PlainVault) -> None:
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    kind = "application/octet-stream"
    entry = (await vault.put("key.bin", text, encoding="base64", content_type=kind)).json()
    assert entry["size"] == 256
    assert (await vault.get("key.bin")).json() == entry | {"content": text}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("content", None, "string-expected"),
        ("content", "a\0b", "nul-character"),
        ("encoding", "utf-16", "unknown-value"),
        ("content_type", "", "not-a-media-type"),
        ("content_type", "text", "not-a-media-type"),
        ("content_type", "text/plain\n", "not-a-media-type"),
        ("content_type", "text/pläin", "not-a-media-type"),
        ("content_type", "text/plain; charset", "not-a-media-type"),
        ("content_type", "text/" + "x" * 251, "too-long"),
        ("colour", "blue", "unknown-field"),
        ("version", 1, "unknown-field"),
    ],
)
@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_an_invalid_content_is_refused(
    vault: PlainVault, field: str, value: Any, reason: str
) -> None:
    answer = await vault.owner.put(vault.path("a"), {"content": "x", field: value})
    assert faults(answer) == [(f"/{field}", reason)]


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_base64_is_the_standard_one_and_exact(vault: PlainVault) -> None:
    for text in ("a", "ab", "YQ", "YR==", "Y Q==", "YQ==\n", "_w==", "é", "YQ==YQ=="):
        answer = await vault.put("a", text, encoding="base64")
        assert faults(answer) == [("/content", "not-base64")], text


async def test_a_content_has_at_most_256_kib(vault: PlainVault) -> None:
    limit = 262_144
    assert (await vault.put("a", "x" * limit)).json()["size"] == limit
    assert faults(await vault.put("a", "x" * (limit + 1))) == [("/content", "too-large")]
    assert faults(await vault.put("a", "é" * (limit // 2 + 1))) == [("/content", "too-large")]
    full, more = (base64.b64encode(bytes(limit + n)).decode() for n in (0, 1))
    assert (await vault.put("a", full, encoding="base64")).json()["size"] == limit
    assert (await vault.get("a")).json()["content"] == full
    too_long = await vault.put("a", more, encoding="base64")
    assert faults(too_long)[0][0] == "/content"


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_keys_have_parts_between_slashes(vault: PlainVault) -> None:
    for key in (
        "a",
        "a/b/c",
        "...",
        "a b",
        "é/\U0001f511",
        ".hidden",
        "a.b",
        "%",
        "x" * 512,
        "é" * 512,
    ):
        assert (await vault.put(key)).json()["key"] == key
        assert (await vault.get(key)).json()["key"] == key
    for key, reason in (
        ("a//b", "not-an-entry-key"),
        ("a/", "not-an-entry-key"),
        ("/a", "not-an-entry-key"),
        ("a/%2e%2E/b", "not-an-entry-key"),
        ("%2e", "not-an-entry-key"),
        ("a%00b", "nul-character"),
        ("a%0a", "control-character"),
        ("%7f", "control-character"),
        ("%ff", "not-utf-8"),
        ("%ed%a0%80", "not-utf-8"),
        ("x" * 513, "key-length"),
    ):
        for kind, method in (("entries", "GET"), ("entries", "DELETE"), ("versions", "GET")):
            path = f"/vaults/{vault.id}/{kind}/{key}"
            assert faults(await vault.owner.request(method, path)) == [("key", reason)], key
    for kind in ("entries", "versions", "restore"):
        answer = await vault.owner.get(f"/vaults/{vault.id}/{kind}/")
        assert code(answer) == "404 route-not-found"


async def test_an_encoded_slash_is_a_slash(vault: PlainVault) -> None:
    await vault.put("clients/acme")
    answer = await vault.owner.get(f"/vaults/{vault.id}/entries/clients%2Facme")
    assert answer.json()["key"] == "clients/acme"


async def test_keys_are_the_same_only_character_by_character(vault: PlainVault) -> None:
    keys = ["a", "A", "\u00e9", "e\u0301"]
    for key in keys:
        assert (await vault.put(key, key)).status_code == 201
    assert [(await vault.get(key)).json()["content"] for key in keys] == keys


async def test_each_put_creates_a_version_and_the_last_ten_are_kept(vault: PlainVault) -> None:
    for number in range(1, 13):
        answer = await vault.put("a", f"content {number}")
        assert (answer.status_code, answer.json()["version"]) == (
            201 if number == 1 else 200,
            number,
        )
    assert (await vault.get("a")).json()["content"] == "content 12"
    for number in range(3, 13):
        older = await vault.get("a", params={"version": number})
        assert (older.json()["content"], older.json()["version"]) == (f"content {number}", number)
    for number in (1, 2):
        assert code(await vault.get("a", params={"version": number})) == "410 version-gone"
    for number in (13, 2**31 - 1):
        assert code(await vault.get("a", params={"version": number})) == "404 version-not-found"
    assert faults(await vault.get("a", params={"version": 0})) == [("version", "too-small")]
    assert faults(await vault.get("a", params={"version": 2**31})) == [("version", "too-large")]
    versions = (await vault.owner.get(vault.path("a", "versions"))).json()["items"]
    assert [each["version"] for each in versions] == [*range(12, 2, -1)]
    assert {frozenset(each) for each in versions} == {frozenset(FIELDS)}


async def test_the_same_content_creates_a_version_too(vault: PlainVault) -> None:
    assert [(await vault.put("a")).json()["version"] for _ in range(3)] == [1, 2, 3]


async def test_an_older_version_can_be_restored(vault: PlainVault) -> None:
    for number in (1, 2):
        await vault.put("a/b", f"{number}", content_type=f"text/x-{number}")
    answer = await vault.owner.post(vault.path("a/b", "restore"), {"version": 1})
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["content_type"]) == (3, "text/x-1")
    now = await vault.get("a/b")
    assert now.json() == answer.json() | {"content": "1"}
    assert now.headers["etag"] == answer.headers["etag"]
    for version, expected in ((4, "404 version-not-found"), (2**31 - 1, "404 version-not-found")):
        answer = await vault.owner.post(vault.path("a/b", "restore"), {"version": version})
        assert code(answer) == expected
    for unclear in (True, "2", 2.5, None):
        answer = await vault.owner.post(vault.path("a/b", "restore"), {"version": unclear})
        assert faults(answer) == [("/version", "integer-expected")]
    for _ in range(9):
        await vault.put("a/b")
    gone = await vault.owner.post(vault.path("a/b", "restore"), {"version": 2})
    assert code(gone) == "410 version-gone"


async def test_deleting_removes_all_versions_and_a_new_entry_starts_at_version_1(
    vault: PlainVault,
) -> None:
    first = await vault.put("a")
    await vault.put("a")
    answer = await vault.owner.delete(vault.path("a"))
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (
        await vault.get("a"),
        await vault.get("a", params={"version": 1}),
        await vault.owner.get(vault.path("a", "versions")),
        await vault.owner.post(vault.path("a", "restore"), {"version": 1}),
        await vault.owner.delete(vault.path("a")),
    ):
        assert code(gone) == "404 entry-not-found"
    again = await vault.put("a")
    assert (again.status_code, again.json()["version"]) == (201, 1)
    assert again.headers["etag"] != first.headers["etag"]


async def test_writes_require_the_expected_state(vault: PlainVault) -> None:
    stale = {"If-Match": (await vault.put("a", "one")).headers["etag"]}
    now = {"If-Match": (await vault.put("a", "two")).headers["etag"]}
    restore, path = vault.path("a", "restore"), vault.path("a")
    for answer in (
        await vault.put("a", headers=stale),
        await vault.owner.post(restore, {"version": 1}, headers=stale),
        await vault.owner.delete(path, headers=stale),
    ):
        assert code(answer) == "412 precondition-failed"
        assert answer.json()["current_version"] == 2
    assert (await vault.get("a")).json()["content"] == "two"
    three = await vault.put("a", "three", headers=now)
    assert three.status_code == 200
    four = await vault.owner.post(
        restore, {"version": 1}, headers={"If-Match": three.headers["etag"]}
    )
    assert four.json()["version"] == 4
    assert (await vault.owner.delete(path, headers={"If-Match": "*"})).status_code == 204


async def test_a_missing_entry_never_has_the_expected_state(vault: PlainVault) -> None:
    for condition in ("*", '"abc"'):
        answer = await vault.put("a", headers={"If-Match": condition})
        assert code(answer) == "412 precondition-failed"
        assert "current_version" not in answer.json()
    assert await vault.keys() == []


async def test_a_put_can_require_that_the_entry_is_new(vault: PlainVault) -> None:
    only_new = {"If-None-Match": "*"}
    assert (await vault.put("a", "one", headers=only_new)).status_code == 201
    taken = await vault.put("a", "two", headers=only_new)
    assert code(taken) == "412 precondition-failed"
    assert taken.json()["current_version"] == 1
    assert "changed" not in taken.json()["detail"]  # it may not have changed; it exists
    assert (await vault.get("a")).json()["content"] == "one"
    answer = await vault.put("a", headers={"If-None-Match": "abc"})
    assert faults(answer) == [("If-None-Match", "not-an-etag")]


async def test_a_put_can_exclude_states(vault: PlainVault) -> None:
    etag = (await vault.put("a")).headers["etag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}"):
        answer = await vault.put("a", headers={"If-None-Match": known})
        assert code(answer) == "412 precondition-failed"
    assert (await vault.put("a", headers={"If-None-Match": '"other"'})).status_code == 200
    assert (await vault.put("b", headers={"If-None-Match": etag})).status_code == 201


async def test_of_parallel_creations_of_one_entry_one_succeeds(vault: PlainVault) -> None:
    only_new = {"If-None-Match": "*"}
    answers = await asyncio.gather(*(vault.put("a", f"{n}", headers=only_new) for n in range(10)))
    succeeded = [n for n, answer in enumerate(answers) if answer.status_code == 201]
    assert len(succeeded) == 1
    assert {answer.status_code for answer in answers} == {201, 412}
    assert (await vault.get("a")).json()["content"] == f"{succeeded[0]}"


@pytest.mark.long
async def test_parallel_puts_of_one_key_create_consecutive_versions(vault: PlainVault) -> None:
    answers = await asyncio.gather(*(vault.put("a", f"{n}") for n in range(20)))
    versions = {answer.json()["version"]: n for n, answer in enumerate(answers)}
    assert sorted(versions) == [*range(1, 21)]
    for number in range(11, 21):
        older = await vault.get("a", params={"version": number})
        assert older.json()["content"] == f"{versions[number]}"


async def test_if_none_match_with_the_etag_of_an_entry_is_a_304(vault: PlainVault) -> None:
    etag = (await vault.put("a")).headers["etag"]
    for path in (vault.path("a"), vault.path("a", "versions")):
        answer = await vault.owner.get(path, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["cache-control"] == "no-store"
    await vault.put("a")
    assert (await vault.get("a", headers={"If-None-Match": etag})).status_code == 200


async def test_no_response_about_entries_may_be_cached(vault: PlainVault) -> None:
    list_, one = f"/vaults/{vault.id}/entries", vault.path("a")
    for answer in (
        await vault.put("a"),
        await vault.put("a"),
        await vault.get("a"),
        await vault.get("b"),
        await vault.owner.get(list_),
        await vault.owner.get(vault.path("a", "versions")),
        await vault.owner.post(vault.path("a", "restore"), {"version": 1}),
        await vault.owner.request("HEAD", one),
        await vault.owner.delete(one),
    ):
        assert answer.headers["cache-control"] == "no-store"


async def test_a_vault_at_its_limit_refuses_entries_until_one_is_deleted(
    vault: PlainVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_service, "MAX_ENTRIES", 3)
    answers = await asyncio.gather(*(vault.put(f"{n}") for n in range(8)))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == 5
    assert {code(answer) for answer in refused} == {"409 entry-limit-reached"}
    assert {(each.json()["limit"], each.json()["used"]) for each in refused} == {(3, 3)}
    kept = await vault.keys()
    assert len(kept) == 3
    assert (await vault.put(kept[0])).status_code == 200
    await vault.owner.delete(vault.path(kept[1]))
    assert (await vault.put("another")).status_code == 201


async def test_a_locked_vault_refuses_access_to_its_entries(vault: PlainVault) -> None:
    await vault.put("a")
    await vault.owner.post(f"/vaults/{vault.id}/lock")
    for answer in (
        await vault.get("a"),
        await vault.get("nothing"),
        await vault.put("a"),
        await vault.owner.delete(vault.path("a")),
        await vault.owner.get(f"/vaults/{vault.id}/entries"),
        await vault.owner.get(vault.path("a", "versions")),
        await vault.owner.post(vault.path("a", "restore"), {"version": 1}),
    ):
        assert code(answer) == "423 vault-locked"
    await vault.owner.post(f"/vaults/{vault.id}/unlock")
    assert (await vault.get("a")).json()["content"] == "kept"


async def test_entries_are_deleted_with_their_vault(vault: PlainVault) -> None:
    await vault.put("a")
    assert (await vault.owner.delete(f"/vaults/{vault.id}")).status_code == 204
    for answer in (await vault.get("a"), await vault.put("a")):
        assert code(answer) == "404 vault-not-found"
