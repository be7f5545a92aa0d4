"""Lists: envelope, order and filters of every list."""

import asyncio
import unicodedata
from datetime import timedelta, timezone
from typing import Any

import pytest

from tests.support.api import API, User, code, faults, sign_up, utc

LISTS = ("workspaces", "repos", "vaults", "api-tokens", "machines")
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
    if noun == "machines":
        return List(user, "/machines", {})
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


@pytest.mark.long
async def test_names_are_sorted_by_code_points_of_their_normalized_form(
    lists: list[List],
) -> None:
    for listed in lists:
        await listed.add(*NAMES)
        in_order = sorted(NAMES, key=_key)
        assert await listed.names(sort="name") == in_order
        assert await listed.names(sort="-name") == in_order[::-1]


@pytest.mark.long
async def test_pages_of_any_size_and_order_add_up_to_the_list(lists: list[List]) -> None:
    for listed in lists:
        await listed.add(*NAMES)
        for sort in ("name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"):
            whole = await listed.names(sort=sort)
            for limit in (2, 5, len(NAMES), len(NAMES) + 1):
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


@pytest.mark.long
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


@pytest.mark.long
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


async def updated_at(listed: List, item_id: str) -> str:
    items = (await listed.user.get(listed.path)).json()["items"]
    item = next(each for each in items if each["id"] == item_id)
    return item.get("updated_at", item["created_at"])  # API tokens are not updated


async def test_a_list_has_what_was_updated_since_a_time(lists: list[List]) -> None:
    for listed in lists:
        old, _ = await listed.add("old", "new")
        since = await updated_at(listed, old)
        assert await listed.names(updated_since=since) == ["old", "new"]
        after = _later(since, timedelta(microseconds=1))
        assert await listed.names(updated_since=after) == ["new"]
        assert await listed.names(updated_since=after, q="OLD") == []
        assert await listed.names(updated_since="9999-12-31T23:59:59.999999Z") == []
        assert await listed.names(updated_since="0001-01-01T00:00:00Z") == ["old", "new"]
        # The same moment in another zone.
        local = utc(after).astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
        assert await listed.names(updated_since=local) == ["new"]


async def test_an_update_brings_an_item_back_and_a_patch_without_changes_does_not(
    ada: User,
) -> None:
    listed = await list_of(ada, "repos")
    first, second = await listed.add("first", "second")
    since = _later(await updated_at(listed, second), timedelta(microseconds=1))
    assert await listed.names(updated_since=since) == []
    await ada.patch(f"/repos/{first}", {"name": "first"})
    assert await listed.names(updated_since=since) == []
    await ada.patch(f"/repos/{first}", {"path": "/changed"})
    assert await listed.names(updated_since=since, sort="updated_at") == ["first"]


async def test_a_client_that_continues_at_the_last_time_gets_every_change(ada: User) -> None:
    listed = await list_of(ada, "repos")
    await listed.add(*(f"n{number}" for number in range(7)))
    seen: dict[str, int] = {}
    since = "2020-01-01T00:00:00Z"
    for turn in range(3):
        query: dict[str, Any] = {"updated_since": since, "sort": "updated_at", "limit": 3}
        while True:
            page = (await ada.get(listed.path, params=query)).json()
            for item in page["items"]:
                seen[item["id"]] = item["version"]
                since = item["updated_at"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        for repo_id in list(seen)[turn:]:
            await ada.patch(f"/repos/{repo_id}", {"metadata": {"turn": turn}})
    items = (await ada.get(listed.path, params={"updated_since": since})).json()["items"]
    seen |= {each["id"]: each["version"] for each in items}
    whole = (await ada.get(listed.path)).json()["items"]
    assert seen == {each["id"]: each["version"] for each in whole}


async def test_what_is_no_time_with_an_offset_is_refused(lists: list[List]) -> None:
    for listed in lists:
        for text in ("", "now", "2027-01-31", "2027-01-31T12:00:00", "1", "2027-02-30T01:00:00Z"):
            assert await listed.refusal(updated_since=text) == [("updated_since", "not-a-time")]
        # An unescaped `+` in a query is a space.
        answer = await listed.user.get(f"{listed.path}?updated_since=2027-01-31T12:00:00+01:00")
        assert faults(answer) == [("updated_since", "not-a-time")]


async def test_a_cursor_belongs_to_its_time(lists: list[List]) -> None:
    for listed in lists:
        await listed.add("one", "two")
        query: dict[str, Any] = {"updated_since": "2020-01-01T00:00:00Z", "limit": 1}
        page = (await listed.user.get(listed.path, params=query)).json()
        cursor = {"cursor": page["next_cursor"]}
        assert await listed.names(**query, **cursor) == ["two"]
        for other in ({"updated_since": "2020-01-02T00:00:00Z"}, {}):
            answer = await listed.user.get(listed.path, params={**other, **cursor})
            assert code(answer) == "400 invalid-cursor"


def _later(text: str, by: timedelta) -> str:
    return (utc(text) + by).isoformat().replace("+00:00", "Z")


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
