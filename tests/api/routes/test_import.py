"""Imports: all repos of a request are created, or none."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.support.git_repository import Repository
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
    many = await ada.post(path, numbered(101))
    assert faults(many) == [("/items", "too-long")]
    assert many.json()["detail"] == "`/items` must have at most 100 items."
    assert faults(await ada.post(path, ITEMS)) == [("", "object-expected")]
    assert (await ada.get(path.removesuffix("/import"))).json()["items"] == []


async def test_items_of_a_discovery_are_imported_as_they_are(ada: User, git_root: Path) -> None:
    engine = Repository.with_commits(git_root / "engine", "notes")
    engine.git("worktree", "add", "--quiet", str(git_root / "tree"))
    Repository.created(git_root / "old/engine", "--bare")
    workspace = (await ada.workspace())["id"]

    async def discovered() -> list[dict[str, Any]]:
        answer = await ada.post(f"/workspaces/{workspace}/discoveries", {"root": str(git_root)})
        return answer.json()["items"]

    items = await discovered()
    assert [each["kind"] for each in items] == ["repository", "bare", "worktree"]
    imported = created(await ada.post(f"/workspaces/{workspace}/repos/import", {"items": items}))
    fields = ("name", "path", "remote_url")
    assert [[each[name] for name in fields] for each in imported["items"]] == [
        [each[name] for name in fields] for each in items
    ]
    # Now they are registered under these names; nothing is imported twice.
    again = await discovered()
    assert all(each["registered"] for each in again)
    answer = await ada.post(f"/workspaces/{workspace}/repos/import", {"items": again})
    assert taken(answer) == [(f"/items/{number}/name", "name-taken") for number in range(3)]


async def test_what_only_a_discovery_has_is_ignored_whatever_it_is(ada: User) -> None:
    path = f"{await repos_of(ada)}/import"
    values = ({"kind": "bare", "registered": True, "reason": "x"}, {"kind": 1, "registered": None})
    items = [{**each, **more} for each, more in zip(ITEMS, values, strict=True)]
    imported = created(await ada.post(path, {"items": items}))["items"]
    assert [each["name"] for each in imported] == ["engine", "loom"]
    assert "kind" not in imported[0]
    unknown = {"items": [{"name": "a", "path": "/a", "kinds": "x"}]}
    assert faults(await ada.post(path, unknown)) == [("/items/0/kinds", "unknown-field")]


async def test_an_item_without_a_name_says_that_a_discovery_has_found_it_not_importable(
    ada: User,
) -> None:
    found = {
        "name": None,
        "path": "/dev/a\ufffdb",
        "remote_url": None,
        "kind": "repository",
        "registered": False,
        "reason": "The path cannot be registered: it is too long, or is not valid text.",
    }
    path = f"{await repos_of(ada)}/import"
    refused = await ada.post(path, {"items": [*ITEMS, found]})
    assert faults(refused) == [("/items/2/name", "string-expected")]
    assert "leave it out" in refused.json()["detail"]
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
        assert refused.json()["detail"] == "This import needs 3 slots; 2 are left"
        created(await ada.post(f"{repos}/import", numbered(2)))
        refused = await ada.post(f"{repos}/import", numbered(1, first=2))
        assert (refused.json()["limit"], refused.json()["used"]) == (3, 3)
        assert refused.json()["detail"] == "This import needs 1 slot; 0 are left"


@pytest.mark.long
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
