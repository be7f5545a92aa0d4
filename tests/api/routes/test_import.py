"""Imports: all repos of a request are created, or none."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from symphony.config.settings import Settings
from tests.support.api import API, User, code, created, faults, running_api, sign_up

ITEMS = [
    {"name": "engine", "path": "~/dev/engine"},
    {"name": "loom", "path": "/srv/loom", "remote_url": "https://git.example.org/loom.git"},
]


async def repos_of(user: User) -> str:
    return f"/workspaces/{(await user.workspace())['id']}/repos"


def numbered(count: int, first: int = 0) -> dict[str, Any]:
    numbers = range(first, first + count)
    return {"items": [{"name": f"r{number}", "path": f"/r/{number}"} for number in numbers]}


def taken(answer: httpx.Response) -> list[tuple[str, str]]:
    """The pointers of the items with taken names."""
    assert code(answer) == "409 repo-name-taken"
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


async def test_all_items_become_repos_of_the_workspace(ada: User) -> None:
    repos = await repos_of(ada)
    answer = await ada.post(f"{repos}/import", {"items": ITEMS})
    imported = created(answer)
    assert answer.headers["location"] == f"{API}{repos}"
    assert "etag" not in answer.headers
    assert [
        {name: each[name] for name in ("name", "path", "remote_url", "metadata", "version")}
        for each in imported["items"]
    ] == [{"remote_url": None, **each, "metadata": {}, "version": 1} for each in ITEMS]
    assert (await ada.get(repos)).json()["items"] == imported["items"]
    for each in imported["items"]:
        assert (await ada.get(f"/repos/{each['id']}")).json() == each


async def test_every_invalid_field_of_an_item_has_its_pointer(ada: User) -> None:
    path = f"{await repos_of(ada)}/import"
    items: list[dict[str, Any]] = [
        *ITEMS,
        {"name": None, "path": "/a"},
        {"name": "a/b", "path": "a", "remote_url": "ext::sh"},
        {"name": "c", "path": "/c", "metadata": {}},
        {"path": "/d"},
    ]
    assert faults(await ada.post(path, {"items": items})) == [
        ("/items/2/name", "string-expected"),
        ("/items/3/name", "not-a-folder-name"),
        ("/items/3/path", "not-absolute"),
        ("/items/3/remote_url", "not-a-remote"),
        ("/items/4/metadata", "unknown-field"),
        ("/items/5/name", "missing"),
    ]
    assert faults(await ada.post(path, {"items": []})) == [("/items", "too-short")]
    assert faults(await ada.post(path, numbered(101))) == [("/items", "too-long")]
    assert faults(await ada.post(path, ITEMS)) == [("", "object-expected")]
    assert (await ada.get(path.removesuffix("/import"))).json()["items"] == []


async def test_every_taken_name_is_reported_and_nothing_is_created(ada: User) -> None:
    repos = await repos_of(ada)
    await ada.repo(repos.split("/")[2], "Straße")
    names = ("loom", "STRASSE", "mill", "Loom", "strasse")
    items = [{"name": name, "path": "/x"} for name in names]
    assert taken(await ada.post(f"{repos}/import", {"items": items})) == [
        ("/items/1/name", "name-taken"),
        ("/items/3/name", "name-given-twice"),
        ("/items/4/name", "name-taken"),
    ]
    assert len((await ada.get(repos)).json()["items"]) == 1


async def test_an_import_beyond_the_limit_is_refused_with_the_numbers(
    settings: Settings,
) -> None:
    limited = settings.model_copy(update={"max_repos_per_workspace": 3})
    async with running_api(limited) as client:
        ada = await sign_up(client, "ada")
        repos = await repos_of(ada)
        await ada.repo(repos.split("/")[2])
        refused = await ada.post(f"{repos}/import", numbered(3))
        assert code(refused) == "409 repo-limit-reached"
        assert (refused.json()["limit"], refused.json()["used"]) == (3, 1)
        created(await ada.post(f"{repos}/import", numbered(2)))
        refused = await ada.post(f"{repos}/import", numbered(1, first=2))
        assert (refused.json()["limit"], refused.json()["used"]) == (3, 3)


async def test_50_parallel_imports_fill_a_workspace_to_its_limit(ada: User) -> None:
    repos = await repos_of(ada)
    answers = await asyncio.gather(
        *(ada.post(f"{repos}/import", numbered(7, first=7 * turn)) for turn in range(50))
    )
    counted = Counter("201" if each.status_code == 201 else code(each) for each in answers)
    assert counted == {"201": 14, "409 repo-limit-reached": 36}
    assert len((await ada.get(repos, params={"limit": 200})).json()["items"]) == 98
    stats = await ada.get(repos.replace("repos", "stats"))
    assert stats.json()["repo_count"] == 98


async def test_a_retry_returns_the_first_response_and_creates_nothing(ada: User) -> None:
    repos = await repos_of(ada)
    key = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(ada.post(f"{repos}/import", {"items": ITEMS}, headers=key) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {f"{API}{repos}"}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 9
    (engine, loom) = (await ada.get(repos)).json()["items"]
    await ada.delete(f"/repos/{engine['id']}")
    await ada.patch(f"/repos/{loom['id']}", {"name": "renamed"})
    again = await ada.post(f"{repos}/import", {"items": ITEMS}, headers=key)
    assert again.content == answers[0].content
    other = await ada.post(f"{repos}/import", {"items": ITEMS[:1]}, headers=key)
    assert code(other) == "422 idempotency-key-reused"


async def test_refusals_are_not_stored(ada: User) -> None:
    repos = await repos_of(ada)
    engine = await ada.repo(repos.split("/")[2], "engine")
    key = {"Idempotency-Key": "k"}
    assert taken(await ada.post(f"{repos}/import", {"items": ITEMS}, headers=key))
    await ada.delete(f"/repos/{engine['id']}")
    again = await ada.post(f"{repos}/import", {"items": ITEMS}, headers=key)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


async def test_an_import_works_without_git_roots(settings: Settings) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        created(await ada.post(f"{await repos_of(ada)}/import", {"items": ITEMS}))
