"""Discovery of the git repositories in a folder, over HTTP."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.config.settings import Settings
from symphony.infrastructure.git.discovery import finder
from symphony.infrastructure.git.discovery.finder import SearchLimits
from symphony.main import GitLimits
from tests.support.api import User, code, created, faults, running_api, sign_up
from tests.support.metrics import scraped

pytestmark = pytest.mark.usefixtures("git_root")


async def discovered(user: User, folder: Path | str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """The path of a workspace, and the result of a discovery for it."""
    workspace = f"/workspaces/{(await user.workspace())['id']}"
    answer = await user.post(f"{workspace}/discoveries", {"root": str(folder), **fields})
    assert answer.status_code == 200, answer.text
    assert "etag" not in answer.headers
    return workspace, answer.json()


async def test_the_repositories_of_a_folder_are_returned_as_they_can_be_imported(
    ada: User, folder: Path
) -> None:
    engine = Repository.created(folder / "engine")
    engine.git("remote", "add", "origin", "https://ada:s3cret@git.example.org/engine.git")
    Repository.created(folder / "old/engine", "--bare")
    workspace = f"/workspaces/{(await ada.workspace())['id']}"
    registered = created(
        await ada.post(f"{workspace}/repos", {"name": "E", "path": str(engine.path)})
    )
    answer = await ada.post(f"{workspace}/discoveries", {"root": str(folder), "max_depth": 2})
    assert answer.json() == {
        "items": [
            {
                "name": registered["name"],
                "path": registered["path"],
                "remote_url": "https://git.example.org/engine.git",
                "kind": "repository",
                "registered": True,
                "reason": "The credentials in the URL of the remote were removed.",
            },
            {
                "name": "engine",
                "path": f"{folder}/old/engine",
                "remote_url": None,
                "kind": "bare",
                "registered": False,
                "reason": None,
            },
        ],
        "truncated": False,
    }


@pytest.mark.long
async def test_every_discovered_repository_can_be_imported_and_is_then_registered(
    ada: User, folder: Path
) -> None:
    names = ("a/engine", "b/engine", "b/Engine", "loom: 1", " mill ", "two\nlines", "caf\udce9")
    for name in names:
        Repository.created(folder / name)
    workspace, found = await discovered(ada, folder)
    assert len(found["items"]) == len(names)
    chosen = [each for each in found["items"] if each["name"] is not None]
    assert len(chosen) == 5
    items = [{name: each[name] for name in ("name", "path", "remote_url")} for each in chosen]
    imported = created(await ada.post(f"{workspace}/repos/import", {"items": items}))["items"]
    again = await ada.post(f"{workspace}/discoveries", {"root": str(folder)})
    registered = [each for each in again.json()["items"] if each["registered"]]
    assert [(each["name"], each["path"]) for each in registered] == [
        (each["name"], each["path"]) for each in imported
    ]
    for each in imported:
        assert (await ada.get(f"/repos/{each['id']}/status")).json()["state"] == "clean"


async def test_a_repository_that_cannot_be_imported_has_no_name_and_a_reason(
    ada: User, folder: Path
) -> None:
    Repository.created(folder / "two\nlines")
    _, found = await discovered(ada, folder)
    (item,) = found["items"]
    assert (item["name"], item["path"]) == (None, f"{folder}/two\ufffdlines")
    assert item["reason"]


async def test_the_default_depth_is_four_folders(ada: User, folder: Path) -> None:
    for path in ("a/b/c/d", "a/b/c/d/e"):
        Repository.created(folder / path)
    workspace, found = await discovered(ada, folder)
    assert [each["name"] for each in found["items"]] == ["d"]
    deeper = {"root": str(folder), "max_depth": 5}
    answer = await ada.post(f"{workspace}/discoveries", deeper)
    assert [each["name"] for each in answer.json()["items"]] == ["d", "e"]


async def test_a_folder_outside_the_git_roots_is_refused_whether_it_exists_or_not(
    ada: User, folder: Path
) -> None:
    workspace = f"/workspaces/{(await ada.workspace())['id']}"
    answers = [
        await ada.post(
            f"{workspace}/discoveries", {"root": root}, headers={"X-Request-ID": "the-same"}
        )
        for root in (str(folder.parent), f"{folder.parent}/nothing", "/", "~/nothing")
    ]
    assert faults(answers[0]) == [("/root", "outside-roots")]
    assert len({answer.content for answer in answers}) == 1
    missing = await ada.post(f"{workspace}/discoveries", {"root": f"{folder}/nothing"})
    assert faults(missing) == [("/root", "not-a-folder")]


async def test_the_fields_of_a_discovery_are_validated(ada: User, folder: Path) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/discoveries"
    bad: tuple[tuple[dict[str, Any], list[tuple[str, str]]], ...] = (
        ({}, [("/root", "missing")]),
        ({"root": "dev"}, [("/root", "not-absolute")]),
        ({"root": "/a\nb", "max_depth": 21}, [
            ("/root", "control-character"), ("/max_depth", "too-large"),
        ]),
        ({"root": "/", "max_depth": -1}, [("/max_depth", "too-small")]),
        ({"root": "/", "max_depth": True}, [("/max_depth", "integer-expected")]),
        ({"root": "/", "max_depth": "3"}, [("/max_depth", "integer-expected")]),
        ({"root": "/", "max_depth": 3.5}, [("/max_depth", "integer-expected")]),
        ({"root": "/", "max_depth": None}, [("/max_depth", "integer-expected")]),
        ({"root": "/", "max_depth": 10**30}, [("/max_depth", "too-large")]),
        ({"root": "/", "depth": 3}, [("/depth", "unknown-field")]),
    )  # fmt: skip
    for body, expected in bad:
        assert faults(await ada.post(path, body)) == expected
    for depth in (0, 20, 3.0):
        answer = await ada.post(path, {"root": str(folder), "max_depth": depth})
        assert answer.status_code == 200


async def test_without_git_roots_a_discovery_is_refused(settings: Settings) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        for workspace in ((await ada.workspace())["id"], ada.id):
            refused = await ada.post(f"/workspaces/{workspace}/discoveries", {"root": "/srv"})
            assert code(refused) == "403 git-disabled"


async def test_during_a_discovery_no_connection_is_held(
    ada: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def wait(*_: object) -> None:
        begun.set()
        go_on.wait()

    async def has_begun() -> bool:
        return begun.is_set()

    monkeypatch.setattr(finder, "classify", wait)
    Repository.created(folder / "engine")
    searching = asyncio.create_task(discovered(ada, folder))
    try:
        await until(has_begun)
        assert (await scraped(ada.client)).value("symphony_database_callers") == 0
    finally:
        go_on.set()
    _, found = await searching
    assert found == {"items": [], "truncated": False}


@pytest.mark.parametrize("git_limits", [GitLimits(search=SearchLimits(max_queued=0))])
async def test_a_discovery_is_a_503_when_the_queue_is_full(ada: User, folder: Path) -> None:
    workspace = (await ada.workspace())["id"]
    answer = await ada.post(f"/workspaces/{workspace}/discoveries", {"root": str(folder)})
    assert code(answer) == "503 service-unavailable"
    assert answer.headers["retry-after"]
