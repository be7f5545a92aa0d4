"""Lists: envelope, order and filters of every list."""

import asyncio
import unicodedata
from typing import Any

import pytest

from tests.support.api import API, User, code, faults, sign_up

LISTS = ("workspaces", "repos", "vaults", "api-tokens")
# Code points above U+FFFF sort last; in UTF-16 they would not.
NAMES = (
    "Zebra",
    "apple",
    "Äpfel",
    "a\u0308hnlich",
    "Straße 2",
    "STRASSE 1",
    "10",
    "9",
    "_x",
    "-x",
    "\uff46\uff55\uff4c\uff4c",
    "\ufffd",
    "😀",
    "Éclair",
    "e",
    "\u03b1",
)


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class List:
    """A list of a user: its path, and how an item is created."""

    def __init__(self, user: User, path: str, more: dict[str, Any]) -> None:
        self.user = user
        self.path = path
        self._more = more

    async def add(self, *names: str, **fields: Any) -> list[str]:
        """Create items with these names, and return their ids."""
        ids: list[str] = []
        for name in names:
            answer = await self.user.post(self.path, {"name": name, **self._more, **fields})
            assert answer.status_code == 201
            ids.append(answer.json()["id"])
        return ids

    async def names(self, **query: Any) -> list[str]:
        answer = await self.user.get(self.path, params=query)
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]

    async def pages(self, **query: Any) -> list[list[str]]:
        """The names on each page."""
        pages: list[list[str]] = []
        while True:
            page = (await self.user.get(self.path, params=query)).json()
            assert set(page) == {"items", "next_cursor"}
            pages.append([item["name"] for item in page["items"]])
            if page["next_cursor"] is None:
                return pages
            query["cursor"] = page["next_cursor"]

    async def refusal(self, **query: Any) -> list[tuple[str, str]]:
        return faults(await self.user.get(self.path, params=query))


async def list_of(user: User, noun: str) -> List:
    """An empty list."""
    if noun == "api-tokens":
        return List(user, "/api-tokens", {"scopes": ["read"]})
    if noun == "workspaces":
        return List(user, f"/user-profiles/{user.id}/workspaces", {})
    workspace_id = (await user.workspace(f"for {noun}"))["id"]
    return List(user, f"/workspaces/{workspace_id}/{noun}", {"path": "/somewhere"})


@pytest.fixture
async def lists(ada: User) -> list[List]:
    """All lists, empty; that of workspaces is another user's, as the others need a workspace."""
    bob = await sign_up(ada.client, "bob")
    return [await list_of(bob if noun == "workspaces" else ada, noun) for noun in LISTS]


async def test_an_empty_list_is_a_list(lists: list[List]) -> None:
    for listed in lists:
        answer = await listed.user.get(listed.path)
        assert answer.status_code == 200
        assert answer.json() == {"items": [], "next_cursor": None}
        assert "link" not in answer.headers


async def test_items_equal_the_single_resources(lists: list[List]) -> None:
    for listed in lists:
        (made,) = await listed.add("one")
        (item,) = (await listed.user.get(listed.path)).json()["items"]
        assert item["id"] == made
        if listed.path != "/api-tokens":
            place = listed.path.rpartition("/")[2]
            assert item == (await listed.user.get(f"/{place}/{made}")).json()


async def test_lists_are_sorted_by_creation_time_by_default(lists: list[List]) -> None:
    for listed in lists:
        await listed.add("b", "a", "c")
        assert await listed.names() == ["b", "a", "c"]
        assert await listed.names(sort="created_at") == ["b", "a", "c"]
        assert await listed.names(sort="-created_at") == ["c", "a", "b"]


async def test_names_are_sorted_by_code_points_of_their_normalized_form(
    lists: list[List],
) -> None:
    for listed in lists:
        await listed.add(*NAMES)
        in_order = sorted(NAMES, key=_key)
        assert await listed.names(sort="name") == in_order
        assert await listed.names(sort="-name") == in_order[::-1]


async def test_pages_of_any_size_and_order_add_up_to_the_list(lists: list[List]) -> None:
    for listed in lists:
        await listed.add(*NAMES)
        for sort in ("name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"):
            whole = await listed.names(sort=sort)
            for limit in (1, 5, len(NAMES), len(NAMES) + 1):
                pages = await listed.pages(sort=sort, limit=limit)
                assert [name for page in pages for name in page] == whole
                assert all(len(page) == limit for page in pages[:-1])
                assert 1 <= len(pages[-1]) <= limit


async def test_the_link_header_leads_to_the_next_page_with_the_same_parameters(
    lists: list[List],
) -> None:
    for listed in lists:
        await listed.add("50% &one", "50% &two", "other", "50% &three")
        first = await listed.user.get(
            listed.path, params={"q": "50% &", "sort": "-name", "limit": 2}
        )
        target, relation = first.headers["link"].split(";")
        assert relation.strip() == 'rel="next"'
        assert target.startswith(f"<{API}{listed.path}?")
        second = await listed.user.get(target.strip("<>").removeprefix(API))
        pages = (first.json()["items"], second.json()["items"])
        assert [[item["name"] for item in page] for page in pages] == [
            ["50% &two", "50% &three"],
            ["50% &one"],
        ]
        assert second.json()["next_cursor"] is None
        assert "link" not in second.headers


async def test_q_matches_part_of_a_name_without_case_and_without_wildcards(
    lists: list[List],
) -> None:
    for listed in lists:
        await listed.add("Straße", "100%", "1000", "a_b", "axb", "Éclair", "[ab]", "^a$", "'; --")
        for text, found in {
            "STRASSE": ["Straße"],
            "ß": ["Straße"],
            "e\u0301C": ["Éclair"],
            "e": ["Straße"],
            "%": ["100%"],
            "100": ["100%", "1000"],
            "_": ["a_b"],
            "A_B": ["a_b"],
            "[": ["[ab]"],
            "$": ["^a$"],
            "'": ["'; --"],
            "*": [],
            "\\": [],
            "nothing": [],
            "x" * 255: [],
        }.items():
            assert await listed.names(q=text) == found, text
        assert len(await listed.names(q="")) == 9


async def test_q_and_limits_have_bounds(lists: list[List]) -> None:
    for listed in lists:
        assert await listed.refusal(q="x" * 256) == [("q", "too-long")]
        assert await listed.refusal(q="a\0b") == [("q", "nul-character")]
        assert await listed.refusal(limit=0) == [("limit", "too-small")]
        assert await listed.refusal(limit=-1) == [("limit", "too-small")]
        assert await listed.refusal(limit=201) == [("limit", "too-large")]
        assert await listed.refusal(limit="9" * 5000) == [("limit", "integer-expected")]
        for number in ("", "ten", "1.5", "1e1", "0x10", "NaN"):
            assert await listed.refusal(limit=number) == [("limit", "integer-expected")]
        for limit in (1, 200):
            assert await listed.names(limit=limit) == []


async def test_unknown_sorts_and_filters_are_refused(lists: list[List]) -> None:
    for listed in lists:
        for sort in ("", "Name", "--name", "+name", "id", "version", "name,id", "name;--"):
            assert await listed.refusal(sort=sort) == [("sort", "unknown-value")]
        for unknown in ("offset", "page", "Limit", "order", "is_deleted"):
            assert await listed.refusal(**{unknown: "1"}) == [(unknown, "unknown-parameter")]
        assert await listed.refusal(limit=[1, 2]) == [("limit", "duplicate-field")]


async def test_an_update_moves_an_item_in_the_order_of_updates(ada: User) -> None:
    listed = await list_of(ada, "workspaces")
    first, second, _ = await listed.add("first", "second", "third")
    await ada.patch(f"/workspaces/{second}", {"description": "changed"})
    await ada.patch(f"/workspaces/{first}", {"description": "changed"})
    await ada.patch(f"/workspaces/{first}", {"description": "changed"})
    assert await listed.names(sort="updated_at") == ["third", "second", "first"]
    assert await listed.names(sort="-updated_at") == ["first", "second", "third"]


async def test_workspaces_are_filtered_by_type(ada: User) -> None:
    listed = await list_of(ada, "workspaces")
    await listed.add("one", "two", workspace_type="client")
    await listed.add("three", workspace_type="research")
    assert await listed.names(type="client") == ["one", "two"]
    assert await listed.names(type="client", q="w") == ["two"]
    assert await listed.names(type="personal") == []
    for unknown in ("", "Client", "clients"):
        assert await listed.refusal(type=unknown) == [("type", "unknown-value")]


async def test_vaults_are_filtered_by_their_lock(ada: User) -> None:
    listed = await list_of(ada, "vaults")
    locked, _, _ = await listed.add("one", "two", "three")
    await ada.post(f"/vaults/{locked}/lock")
    assert await listed.names(is_locked="true") == ["one"]
    assert await listed.names(is_locked="false") == ["two", "three"]
    assert await listed.names(is_locked="false", q="w") == ["two"]
    for unknown in ("", "maybe", "2", "null"):
        assert await listed.refusal(is_locked=unknown) == [("is_locked", "boolean-expected")]


async def test_a_filter_of_another_list_is_refused(ada: User) -> None:
    for noun in ("repos", "vaults"):
        workspace = await ada.workspace(noun)
        answer = await ada.get(f"/workspaces/{workspace['id']}/{noun}?type=client")
        assert faults(answer) == [("type", "unknown-parameter")]
    answer = await ada.get("/api-tokens?is_locked=true")
    assert faults(answer) == [("is_locked", "unknown-parameter")]


async def test_the_list_of_an_unknown_parent_is_a_404(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"/workspaces/{workspace['id']}"
    assert (await ada.get(f"{path}/repos")).json()["items"] == []
    await ada.delete(path)
    for answer in await asyncio.gather(
        *(ada.get(f"{path}/{noun}") for noun in ("repos", "vaults"))
    ):
        assert code(answer) == "404 workspace-not-found"
    answer = await ada.get(f"/user-profiles/{workspace['id']}/workspaces")
    assert code(answer) == "404 user-profile-not-found"
