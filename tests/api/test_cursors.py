"""Cursors: pages miss no item, and a cursor is valid only unmodified and in its context."""

from itertools import chain
from typing import Any

import pytest

from symphony.config.settings import Settings
from tests.api.test_lists import list_of
from tests.support.api import User, code, running_api, sign_up


async def _cursor(user: User, path: str, **query: Any) -> str:
    answer = await user.get(path, params={"limit": 1, **query})
    return answer.json()["next_cursor"]


@pytest.mark.long
async def test_pages_neither_repeat_nor_skip_items_that_exist_throughout(
    settings: Settings,
) -> None:
    roomy = settings.model_copy(update={"max_repos_per_workspace": 500})
    async with running_api(roomy) as client:
        repos = await list_of(await sign_up(client, "ada"), "repos")
        names = [f"r{number:03}" for number in range(120)]
        ids = await repos.add(*names)
        for sort in ("name", "-name", "created_at", "-created_at", "-updated_at"):
            walked = await repos.pages(sort=sort, limit=7)
            assert list(chain(*walked)) == (names[::-1] if sort.startswith("-") else names)
        first = (await repos.user.get(repos.path, params={"sort": "name", "limit": 60})).json()
        # Between pages, items are deleted and created before and after the current position,
        # and the item at the position is deleted too.
        for index in (3, 59, 60, 90):
            await repos.user.delete(f"/repos/{ids[index]}")
        await repos.add("r000a", "r099a")
        rest = await repos.pages(sort="name", limit=60, cursor=first["next_cursor"])
        there = [name for index, name in enumerate(names) if index > 60 and index != 90]
        assert list(chain(*rest)) == sorted([*there, "r099a"])


async def test_a_cursor_works_with_any_limit(ada: User) -> None:
    tokens = await list_of(ada, "api-tokens")
    await tokens.add("a", "b", "c", "d")
    cursor = await _cursor(ada, tokens.path)
    assert await tokens.names(cursor=cursor, limit=2) == ["b", "c"]
    assert await tokens.names(cursor=cursor) == ["b", "c", "d"]


async def test_a_cursor_is_valid_for_one_list_sort_filter_and_user(ada: User, eve: User) -> None:
    vaults = await list_of(ada, "vaults")
    await vaults.add("aa", "ab", "ac")
    workspace_path = vaults.path.removesuffix("/vaults")
    repos_path = f"{workspace_path}/repos"
    other_path = f"/workspaces/{(await ada.workspace('other'))['id']}/vaults"
    plain = await _cursor(ada, vaults.path)
    sorted_by_name = await _cursor(ada, vaults.path, sort="name")
    unlocked = await _cursor(ada, vaults.path, is_locked="false")
    searched = await _cursor(ada, vaults.path, q="a")
    for path, cursor, query in (
        (repos_path, plain, {}),
        (other_path, plain, {}),
        (f"/user-profiles/{ada.id}/workspaces", plain, {}),
        (vaults.path, plain, {"sort": "-created_at"}),
        (vaults.path, plain, {"sort": "updated_at"}),
        (vaults.path, plain, {"sort": "name"}),
        (vaults.path, plain, {"q": "a"}),
        (vaults.path, plain, {"is_locked": "false"}),
        (vaults.path, sorted_by_name, {}),
        (vaults.path, sorted_by_name, {"sort": "-name"}),
        (vaults.path, unlocked, {}),
        (vaults.path, unlocked, {"is_locked": "true"}),
        (vaults.path, searched, {}),
        (vaults.path, searched, {"q": "b"}),
    ):
        answer = await ada.get(path, params={**query, "cursor": cursor})
        assert code(answer) == "400 invalid-cursor", (path, query)

    tokens = await list_of(ada, "api-tokens")
    await tokens.add("a", "b")
    stolen = await _cursor(ada, tokens.path)
    assert code(await eve.get(tokens.path, params={"cursor": stolen})) == "400 invalid-cursor"


@pytest.mark.long
async def test_a_cursor_with_any_modified_character_is_refused(ada: User) -> None:
    tokens = await list_of(ada, "api-tokens")
    await tokens.add("Straße", "b")
    for sort in ("name", "created_at"):
        cursor = await _cursor(ada, tokens.path, sort=sort)
        assert await tokens.names(sort=sort, cursor=cursor)
        altered = [
            cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
            for place in range(len(cursor))
        ]
        # Another encoding of the same bytes is refused too.
        altered += [cursor[:-1], cursor[1:], cursor + "=", cursor + "==", cursor + "A", cursor * 2]
        altered += [f" {cursor}", f"{cursor}\n", f"{cursor}\0", cursor.swapcase()]
        for text in altered:
            answer = await ada.get(tokens.path, params={"sort": sort, "cursor": text})
            assert code(answer) == "400 invalid-cursor", text


async def test_a_text_that_is_no_cursor_is_refused(ada: User) -> None:
    for text in ("", " ", "x", "AAAA", "A" * 22, "null", "0", "=", "é", "💥", "\0", "a" * 10_000):
        answer = await ada.get("/api-tokens", params={"cursor": text})
        assert code(answer) == "400 invalid-cursor", text
