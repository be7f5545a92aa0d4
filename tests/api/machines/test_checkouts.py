"""The checkouts that machines have reported: of one machine, for an import, and of one repo."""

from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.base import new_id
from tests.support.api import User, code, created
from tests.support.machines.reports import (
    URL,
    checkout_body,
    commit,
    put_report,
    report_body,
    work_item,
)

pytestmark = pytest.mark.usefixtures("no_pause")
OTHER = "https://git.example.org/ada/notes.git"


def of_remote(path: str, url: str = OTHER, **fields: Any) -> dict[str, Any]:
    """A checkout with another remote, and no root commits."""
    remotes = [{"name": "origin", "url": url}]
    return checkout_body(path, remotes=remotes, root_commits=[], **fields)


async def report(user: User, machine: dict[str, Any], *checkouts: dict[str, Any]) -> None:
    shown = (await user.get(f"/machines/{machine['id']}")).json()
    body = report_body(*checkouts, sequence=shown["version"])
    answer = await put_report(user, machine["id"], body)
    assert answer.status_code == 200, answer.text


async def of_machine(user: User, machine: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = await user.get(f"/machines/{machine['id']}/checkouts{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def of_repo(user: User, repo: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await user.get(f"/repos/{repo['id']}/checkouts")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_all_checkouts_of_a_machine_are_listed_with_what_an_import_needs(
    ada: User, machine: dict[str, Any]
) -> None:
    workspace = await ada.workspace()
    repo = await ada.repo(workspace["id"], "machinery", remote_url=URL)
    await report(
        ada,
        machine,
        of_remote("/dev/notes"),
        checkout_body("/dev/engine"),
        of_remote("/dev/engine-loops", URL, status={"main_repository": "/dev/engine"}),
        of_remote("/dev/local", "/srv/git/local"),
    )
    (received_at,) = {each["observed_at"] for each in await of_machine(ada, machine)}
    shown = (await ada.get(f"/machines/{machine['id']}")).json()
    assert received_at == shown["last_report_at"]
    common: dict[str, Any] = {
        "observed_at": received_at,
        "reason": None,
        "repo_ids": [],
        "registered": False,
    }
    registered = {"registered": True, "repo_ids": [repo["id"]], "name": "machinery"}
    assert await of_machine(ada, machine) == [
        common | registered | {"path": "/dev/engine", "remote_url": URL, "kind": "repository"},
        common | registered | {"path": "/dev/engine-loops", "remote_url": URL, "kind": "worktree"},
        common
        | {
            "name": "local",
            "path": "/dev/local",
            "remote_url": None,
            "kind": "repository",
            "reason": "The URL of the remote is not a valid `remote_url`.",
        },
        common | {"name": "notes", "path": "/dev/notes", "remote_url": OTHER, "kind": "repository"},
    ]
    names = {
        query: [each["path"] for each in await of_machine(ada, machine, f"?registered={query}")]
        for query in ("true", "false")
    }
    assert names == {
        "true": ["/dev/engine", "/dev/engine-loops"],
        "false": ["/dev/local", "/dev/notes"],
    }


async def test_what_is_not_registered_can_be_imported_as_it_is(
    ada: User, machine: dict[str, Any]
) -> None:
    workspace = await ada.workspace()
    await ada.repo(workspace["id"], "notes")
    paths = ("/a/notes", "/b/notes", '/c/what? "odd"', "/d/\x1b[31m", "/", "/e/x" + "y" * 300)
    await report(
        ada,
        machine,
        *(
            of_remote(path, f"git@git.example.org:ada/n{number}.git")
            for number, path in enumerate(paths)
        ),
    )
    items = await of_machine(ada, machine, "?registered=false")
    assert [each["path"] for each in items if each["name"] is None] == ["/d/\ufffd[31m"]
    importable = [each for each in items if each["name"] is not None]
    assert [each["name"] for each in importable[1:3]] == ["notes-2", "notes-3"]
    answer = await ada.post(f"/workspaces/{workspace['id']}/repos/import", {"items": importable})
    assert len(created(answer)["items"]) == 5
    left = await of_machine(ada, machine, "?registered=false")
    assert [each["path"] for each in left] == ["/d/\ufffd[31m"]
    assert left[0]["reason"] is not None


async def test_a_machine_without_a_report_has_no_checkouts(
    ada: User, machine: dict[str, Any]
) -> None:
    assert await of_machine(ada, machine) == []


async def test_passwords_in_addresses_of_remotes_are_not_stored(
    ada: User, machine: dict[str, Any]
) -> None:
    secret = "https://ada:hunter2secret@git.example.org/ada/engine.git"
    repo = await ada.repo((await ada.workspace())["id"], remote_url=URL)
    body = of_remote("/dev/engine", secret, status={"remotes": {"origin": secret}})
    await report(ada, machine, body)
    (item,) = await of_machine(ada, machine)
    assert (item["remote_url"], item["repo_ids"]) == (URL, [repo["id"]])
    (checkout,) = await of_repo(ada, repo)
    assert checkout["status"]["remotes"] == {"origin": URL}
    assert "hunter2" not in str([item, checkout])


@pytest.mark.long
async def test_a_repo_has_its_checkouts_on_all_machines_with_their_status(
    ada: User, machine: dict[str, Any]
) -> None:
    desktop = await ada.machine("desktop")
    workspace = await ada.workspace()
    repo = await ada.repo(workspace["id"], remote_url=URL)
    other = await ada.repo(workspace["id"], "notes", remote_url=OTHER)
    assert await of_repo(ada, repo) == []
    work = [work_item(head=commit("new"))]
    head = {"id": commit("new"), "subject": "New", "author": "Ada", "authored_at": None}
    unpushed = checkout_body(
        "/l/engine",
        status={"head": head, "ahead": 1, "unpushed_commits": 1, "work": work, "at_risk": True},
    )
    await report(ada, machine, unpushed, of_remote("/l/notes"))
    await report(ada, desktop, checkout_body("/d/engine", status={"branch": "topic"}))
    on_desktop, on_laptop = await of_repo(ada, repo)
    assert on_desktop["machine"] == {"id": desktop["id"], "name": "desktop"}
    assert on_laptop["machine"] == {"id": machine["id"], "name": "laptop"}
    shown = {name: on_laptop[name] for name in ("path", "branch", "reasons", "at_risk")}
    assert shown == {
        "path": "/l/engine",
        "branch": "main",
        "reasons": ["unpushed"],
        "at_risk": True,
    }
    assert (on_desktop["branch"], on_desktop["reasons"], on_desktop["at_risk"]) == (
        "topic",
        [],
        False,
    )
    reported = (await ada.get(f"/machines/{machine['id']}")).json()["last_report_at"]
    assert on_laptop["observed_at"] == reported
    assert on_laptop["status"] == unpushed["status"] | {"observed_at": reported}
    assert [each["path"] for each in await of_repo(ada, other)] == ["/l/notes"]

    # Another machine has the commit: it is no longer only on the laptop.
    heads = [{"remote": "origin", "branch": "main", "head": commit("new")}]
    await report(ada, desktop, checkout_body("/d/engine", remote_heads=heads))
    _, on_laptop = await of_repo(ada, repo)
    assert (on_laptop["reasons"], on_laptop["at_risk"]) == ([], False)


@pytest.mark.long
async def test_the_directory_of_the_server_is_a_checkout_without_a_machine(
    ada: User, machine: dict[str, Any], git_root: Path
) -> None:
    repository = Repository.with_commits(git_root / "engine", "note-g")
    workspace = await ada.workspace()
    repo = await ada.repo(workspace["id"], path=str(repository.path), remote_url=URL)
    missing = await ada.repo(
        workspace["id"], "notes", path=str(git_root / "missing"), remote_url=OTHER
    )
    (alone,) = await of_repo(ada, missing)
    assert (alone["machine"], alone["reasons"]) == (None, ["missing"])
    await report(ada, machine, checkout_body(str(repository.path)), of_remote("/l/notes"))
    own, on_laptop = await of_repo(ada, repo)
    assert own["machine"] is None
    assert own["path"] == str(repository.path)
    status = (await ada.get(f"/repos/{repo['id']}/status")).json()
    assert own["status"] == status | {"observed_at": own["observed_at"]}
    assert on_laptop["machine"]["name"] == "laptop"
    assert [each["machine"]["name"] for each in await of_repo(ada, missing)] == ["laptop"]


async def test_checkouts_of_other_users_do_not_exist(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    repo = await ada.repo((await ada.workspace())["id"], remote_url=URL)
    foreign = await eve.repo((await eve.workspace())["id"], remote_url=URL)
    await report(ada, machine, checkout_body("/dev/engine"))
    assert await of_repo(eve, foreign) == []
    fixed = {"X-Request-ID": "the-same"}
    for noun, own in (("machine", machine), ("repo", repo)):
        texts = set[str]()
        for each in (own["id"], str(new_id())):
            answer = await eve.get(f"/{noun}s/{each}/checkouts", headers=fixed)
            assert code(answer) == f"404 {noun}-not-found"
            texts.add(answer.text.replace(each, "{id}"))
        assert len(texts) == 1


@pytest.mark.long
async def test_a_confined_token_gets_the_checkouts_of_its_repos_only(
    ada: User, machine: dict[str, Any]
) -> None:
    inside, outside = await ada.workspace("In"), await ada.workspace("Out")
    repo = await ada.repo(inside["id"], remote_url=URL)
    hidden = await ada.repo(outside["id"], "notes", remote_url=OTHER)
    await report(ada, machine, checkout_body("/dev/engine"), of_remote("/dev/notes"))
    token = await ada.api_token("read", workspace_ids=[inside["id"]])
    confined = ada.using(token["token"])
    assert await of_repo(confined, repo) == await of_repo(ada, repo)
    assert code(await confined.get(f"/repos/{hidden['id']}/checkouts")) == "404 repo-not-found"
    refused = await confined.get(f"/machines/{machine['id']}/checkouts")
    assert code(refused) == "403 insufficient-scope"
    # A root commit that a repo outside has as well tells nothing apart, for this token either.
    await report(
        ada,
        machine,
        checkout_body("/dev/engine"),
        checkout_body("/dev/notes", remotes=[{"name": "origin", "url": OTHER}]),
        checkout_body("/dev/copy", remotes=[]),
    )
    assert [each["path"] for each in await of_repo(confined, repo)] == ["/dev/engine"]


@pytest.mark.long
@pytest.mark.every_store
async def test_deleting_a_repo_or_a_workspace_leaves_its_checkouts_unregistered(
    ada: User, machine: dict[str, Any]
) -> None:
    workspace = await ada.workspace()
    repo = await ada.repo(workspace["id"], remote_url=URL)
    await ada.repo(workspace["id"], "notes", remote_url=OTHER)
    await report(ada, machine, checkout_body("/dev/engine"), of_remote("/dev/notes"))
    assert await of_machine(ada, machine, "?registered=false") == []
    assert (await ada.delete(f"/repos/{repo['id']}")).status_code == 204
    (left,) = await of_machine(ada, machine, "?registered=false")
    assert (left["path"], left["repo_ids"]) == ("/dev/engine", [])
    assert (await ada.delete(f"/workspaces/{workspace['id']}?force=true")).status_code == 204
    assert len(await of_machine(ada, machine, "?registered=false")) == 2


@pytest.mark.long
@pytest.mark.every_store
async def test_deleting_a_machine_takes_its_checkouts_away(
    ada: User, machine: dict[str, Any]
) -> None:
    repo = await ada.repo((await ada.workspace())["id"], remote_url=URL)
    desktop = await ada.machine("desktop")
    for each in (machine, desktop):
        await report(ada, each, checkout_body("/dev/engine", status={"stashes": 1}))
    assert len(await of_repo(ada, repo)) == 2
    assert (await ada.delete(f"/machines/{machine['id']}")).status_code == 204
    assert [each["machine"]["name"] for each in await of_repo(ada, repo)] == ["desktop"]
    board = (await ada.get(f"/user-profiles/{ada.id}/attention")).json()
    assert [each["machine"]["name"] for each in board["items"][0]["checkouts"]] == ["desktop"]
    assert (await ada.delete(f"/machines/{desktop['id']}")).status_code == 204
    assert await of_repo(ada, repo) == []
    assert (await ada.get(f"/user-profiles/{ada.id}/attention")).json()["items"] == []


@pytest.mark.long
async def test_a_repo_that_is_moved_keeps_its_checkouts(ada: User, machine: dict[str, Any]) -> None:
    here, there = await ada.workspace("Here"), await ada.workspace("There")
    repo = await ada.repo(here["id"], remote_url=URL)
    await report(ada, machine, checkout_body("/dev/engine"))
    await ada.patch(f"/repos/{repo['id']}", {"workspace_id": there["id"]})
    assert len(await of_repo(ada, repo)) == 1
    await ada.patch(f"/repos/{repo['id']}", {"remote_url": OTHER})
    assert await of_repo(ada, repo) == []


async def test_a_checkout_says_since_when_its_work_is_unfinished(
    ada: User, machine: dict[str, Any]
) -> None:
    repo = await ada.repo((await ada.workspace())["id"], remote_url=URL)
    desktop = (await ada.post("/machines", {"name": "desktop"})).json()
    old = work_item(name="old", head=commit("old"), unpushed_since="2026-11-02T08:00:00Z")
    new = work_item(name="new", head=commit("new"), unpushed_since="2026-11-20T08:00:00Z")
    facts = {"unpushed_commits": 2, "work": [old, new], "at_risk": True}
    times = {"state": "dirty", "modified": 1, "changed_since": "2026-11-09T08:00:00.5Z"}
    await report(ada, machine, checkout_body(status={**facts, **times}))

    async def since() -> tuple[str, str]:
        """The time of the board, and its ETag."""
        answer = await ada.get(f"/user-profiles/{ada.id}/attention?fresh=false")
        (item,) = answer.json()["items"]
        (shown,) = [each for each in await of_repo(ada, repo) if each["reasons"]]
        assert shown["status"]["changed_since"] == "2026-11-09T08:00:00.500000Z"
        assert item["unfinished_since"] == shown["unfinished_since"]
        assert item["unfinished_since"] in [each["unfinished_since"] for each in item["checkouts"]]
        return item["unfinished_since"], answer.headers["etag"]

    before = await since()
    assert before[0] == "2026-11-02T08:00:00Z"
    pushed = [{"remote": "origin", "branch": "old", "head": commit("old")}]
    await report(ada, desktop, checkout_body(remote_heads=pushed))
    after = await since()
    assert after[0] == "2026-11-09T08:00:00Z"
    assert before[1] != after[1]


async def test_a_reporter_of_an_older_version_sends_no_times(
    ada: User, machine: dict[str, Any]
) -> None:
    await ada.repo((await ada.workspace())["id"], remote_url=URL)
    body = checkout_body(status={"state": "dirty", "modified": 1, "at_risk": True})
    status = body["status"]
    del status["changed_since"], status["stashed_since"], status["work"][0]["unpushed_since"]
    await report(ada, machine, body)
    (item,) = (await ada.get(f"/user-profiles/{ada.id}/attention?fresh=false")).json()["items"]
    assert (item["reasons"], item["unfinished_since"]) == (["dirty"], None)
