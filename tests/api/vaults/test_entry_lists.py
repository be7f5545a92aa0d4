"""Lists of entries, and their cursors."""

import base64

import pytest

from tests.support.api import API, User, code
from tests.support.vaults import PlainVault


@pytest.fixture
async def vault(ada: User) -> PlainVault:
    return PlainVault(ada, (await ada.vault((await ada.workspace())["id"]))["id"])


async def test_entries_are_sorted_by_the_code_points_of_their_keys(vault: PlainVault) -> None:
    keys = ["b", "a/b", "a", "A", "é", "a-b", "\U0001f511", "\ufb01", "a/B"]
    for key in keys:
        await vault.put(key)
    assert await vault.keys() == sorted(keys)
    assert await vault.keys(prefix="a") == ["a", "a-b", "a/B", "a/b"]
    assert await vault.keys(prefix="a/") == ["a/B", "a/b"]
    assert await vault.keys(prefix="x") == []


async def test_pages_contain_every_entry_once(vault: PlainVault) -> None:
    keys = [f"k{number:02}" for number in range(7)]
    for key in (*keys, "z"):
        await vault.put(key)
    met: list[str] = []
    path: str | None = f"/vaults/{vault.id}/entries?limit=3&prefix=k"
    while path:
        answer = await vault.owner.get(path)
        met += [each["key"] for each in answer.json()["items"]]
        link = answer.headers.get("link")
        cursor = answer.json()["next_cursor"]
        assert (cursor is None) == (link is None)
        assert link is None or f"cursor={cursor}" in link
        path = link and link.partition("<")[2].partition(">")[0].removeprefix(API)
        await vault.owner.delete(vault.path(keys[0]))  # a cursor works when its entry was deleted
    assert met == keys


async def test_a_cursor_is_valid_for_one_list_and_prefix(
    ada: User, eve: User, vault: PlainVault
) -> None:
    for key in ("a1", "a2", "a3"):
        await vault.put(key)
    list_ = f"/vaults/{vault.id}/entries"
    first = await ada.get(list_, params={"limit": 1, "prefix": "a"})
    cursor: str = first.json()["next_cursor"]
    assert (await ada.get(list_, params={"prefix": "a", "cursor": cursor})).status_code == 200
    other = PlainVault(ada, (await ada.vault((await ada.workspace("B"))["id"]))["id"])
    empty = await ada.get(f"/vaults/{other.id}/entries", params={"cursor": cursor, "prefix": "a"})
    assert code(empty) == "400 invalid-cursor"
    await other.put("a1")
    altered = ("B" if cursor[20] != "B" else "C").join((cursor[:20], cursor[21:]))
    for path, parameters in (
        (list_, {"cursor": cursor}),
        (list_, {"cursor": cursor, "prefix": "a1"}),
        (list_, {"cursor": altered, "prefix": "a"}),
        (list_, {"cursor": cursor[:-4], "prefix": "a"}),
        (list_, {"cursor": cursor + "=", "prefix": "a"}),
        (list_, {"cursor": "", "prefix": "a"}),
        (list_, {"cursor": "%", "prefix": "a"}),
        (f"/vaults/{other.id}/entries", {"cursor": cursor, "prefix": "a"}),
    ):
        assert code(await ada.get(path, params=parameters)) == "400 invalid-cursor", parameters
    hers = await eve.get(list_, params={"cursor": cursor, "prefix": "a"})
    assert code(hers) == "404 vault-not-found"


async def test_a_cursor_does_not_reveal_a_key(vault: PlainVault) -> None:
    for key in ("clients/acme", "clients/bolt"):
        await vault.put(key)
    answer = await vault.owner.get(f"/vaults/{vault.id}/entries", params={"limit": 1})
    cursor = answer.json()["next_cursor"]
    assert b"clients" not in base64.urlsafe_b64decode(cursor + "==")


async def test_the_length_of_a_search_text_is_counted_in_characters(
    ada: User, vault: PlainVault
) -> None:
    for path, parameters, detail in (
        (f"/vaults/{vault.id}/entries", {"prefix": "x" * 513}, "Must have at most 512 characters."),
        ("/api-tokens", {"q": "x" * 256}, "Must have at most 255 characters."),
    ):
        answer = await ada.get(path, params=parameters)
        assert code(answer) == "422 validation-error"
        assert [each["detail"] for each in answer.json()["errors"]] == [detail]
