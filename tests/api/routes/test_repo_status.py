"""The status of a repo, over HTTP."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.config.settings import Settings
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.main import GitLimits
from tests.support.api import User, code, faults, running_api, sign_up, utc
from tests.support.metrics import scraped
from tests.support.repositories import running

pytestmark = pytest.mark.usefixtures("git_root")

FIELDS = {
    *("state", "reason", "branch", "head", "upstream", "ahead", "behind", "staged", "modified"),
    *("untracked", "conflicted", "stashes", "operation", "remotes", "observed_at"),
    *("unpushed_commits", "work", "work_truncated", "worktrees", "at_risk", "as_of"),
    *("main_repository", "changed_since", "stashed_since"),
}


async def registered(user: User, path: Path) -> str:
    """The path of the status of a repo."""
    repo = await user.repo((await user.workspace())["id"], path=str(path))
    return f"/repos/{repo['id']}/status"


async def test_the_status_of_a_repo_is_returned(ada: User, folder: Path) -> None:
    repository = Repository.with_commits(folder / "engine", "note")
    commit = repository.head
    repository.write("note", "changed\n")
    repository.write("new")
    repository.git("remote", "add", "origin", "https://ada:s3cret@git.example.org/engine.git")
    answer = await ada.get(await registered(ada, repository.path))
    assert answer.status_code == 200
    status = answer.json()
    assert set(status) == FIELDS
    assert utc(status.pop("changed_since")) <= utc(status.pop("observed_at"))
    authored_at = status["head"].pop("authored_at")
    assert utc(authored_at)
    committed_at = status["work"][0]["committed_at"]
    assert utc(committed_at)
    assert status == {
        "state": "dirty",
        "reason": None,
        "branch": "main",
        "head": {"id": commit, "subject": "Change note", "author": "Ada Lovelace"},
        "upstream": None,
        "ahead": None,
        "behind": None,
        "staged": 0,
        "modified": 1,
        "untracked": 1,
        "conflicted": 0,
        "stashes": 0,
        "operation": None,
        "remotes": {"origin": "https://git.example.org/engine.git"},
        "unpushed_commits": 1,
        "work": [
            {
                "kind": "branch",
                "name": "main",
                "worktree": str(repository.path),
                "head": commit,
                "upstream": None,
                "ahead": None,
                "behind": None,
                "unpushed_commits": 1,
                "integrated": "unknown",
                "committed_at": committed_at,
                "unpushed_since": committed_at,
            }
        ],
        "work_truncated": False,
        "worktrees": [],
        "at_risk": True,
        "as_of": {"source": "fetch", "at": None},
        "main_repository": None,
        "stashed_since": None,
    }
    assert "etag" not in answer.headers


async def test_a_repo_that_cannot_be_read_has_a_state_with_a_reason(
    ada: User, folder: Path
) -> None:
    workspace = (await ada.workspace())["id"]
    (folder / "plain").mkdir()
    for name, path, state in (
        ("missing", folder / "nothing", "missing"),
        ("plain", folder / "plain", "not-a-repository"),
        ("outside", folder.parent, "refused"),
        ("long", folder / ("x" * 300), "error"),
    ):
        repo = await ada.repo(workspace, name, path=str(path))
        answer = await ada.get(f"/repos/{repo['id']}/status")
        assert answer.status_code == 200
        assert answer.json()["state"] == state
        assert answer.json()["reason"]
        assert answer.json()["head"] is None


async def test_bytes_that_are_not_text_are_returned_as_text(ada: User, folder: Path) -> None:
    repository = Repository.with_commits(folder / "engine", "file")
    message = repository.write(".git/message", b"caf\xe9 \x01 \xed\xa0\x80\n")
    repository.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", f"--file={message}")
    head = repository.git("rev-parse", "HEAD")
    (repository.git_directory / "refs/heads").joinpath("n\udcff").write_text(head)
    (repository.git_directory / "HEAD").write_bytes(b"ref: refs/heads/n\xff\n")
    (repository.git_directory / "config").write_bytes(b'[remote "\xfe"]\n\turl = /\xfd\n')
    address = await registered(ada, repository.path)
    answer = await ada.get(address)
    status = json.loads(answer.content.decode("utf-8", "strict"))
    assert status["branch"] == "n�"
    assert status["remotes"] == {"�": "/�"}
    assert status["head"]["subject"].startswith("caf")
    (repository.git_directory / "config").write_bytes(
        b'[core]\n\trepositoryformatversion = 1\n[extensions "\xfc"]\n\ta = b\n'
    )
    answer = await ada.get(address)
    assert answer.status_code == 200
    assert answer.json()["reason"].endswith(": \ufffd.a.")


async def test_a_path_with_too_many_links_is_refused(ada: User, folder: Path) -> None:
    Repository.created(folder / "engine").git("config", "core.worktree", "../../link-1500")
    for number in range(1500):
        (folder / f"link-{number + 1}").symlink_to(f"link-{number}")
    workspace = (await ada.workspace())["id"]
    for name, path in (("links", folder / "link-1500"), ("engine", folder / "engine")):
        repo = await ada.repo(workspace, name, path=str(path))
        answer = await ada.get(f"/repos/{repo['id']}/status")
        assert answer.status_code == 200
        assert answer.json()["state"] == "refused"
    answer = await ada.get(f"/user-profiles/{ada.id}/attention")
    assert [each["reasons"] for each in answer.json()["items"]] == [["unreadable"]] * 2
    place = f"/workspaces/{workspace}/discoveries"
    found = (await ada.post(place, {"root": str(folder)})).json()["items"]
    assert [(each["name"], each["registered"]) for each in found] == [("engine", True)]
    refused = await ada.post(place, {"root": str(folder / "link-1500")})
    assert faults(refused) == [("/root", "outside-roots")]


async def test_the_status_of_another_users_repo_is_a_404(
    ada: User, eve: User, folder: Path
) -> None:
    assert code(await eve.get(await registered(ada, folder))) == "404 repo-not-found"


async def test_without_git_roots_an_inspection_is_refused(settings: Settings) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        refused = await ada.get(await registered(ada, Path("/srv/git/engine")))
        assert code(refused) == "403 git-disabled"
        assert code(await ada.get(f"/repos/{ada.id}/status")) == "403 git-disabled"


async def test_the_home_folder_is_that_of_the_service(
    ada: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    Repository.with_commits(folder / "dev/engine", "file")
    workspace = (await ada.workspace())["id"]
    repo = await ada.repo(workspace, "engine", path="~/dev/engine")
    assert (await ada.get(f"/repos/{repo['id']}/status")).json()["state"] == "clean"


async def test_during_an_inspection_no_connection_is_held(ada: User, folder: Path) -> None:
    repository = Repository.created(folder / "engine")
    os.mkfifo(repository.path / ".gitignore")  # git opens it and waits
    address = await registered(ada, repository.path)

    async def git_waits() -> bool:
        return running() == ["git"]

    asked = asyncio.create_task(ada.get(address))
    await until(git_waits)
    assert (await scraped(ada.client)).value("symphony_database_callers") == 0
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


@pytest.mark.parametrize("git_limits", [GitLimits(inspection=InspectionLimits(max_queued=0))])
async def test_an_inspection_is_a_503_when_the_queue_is_full(ada: User, folder: Path) -> None:
    answer = await ada.get(await registered(ada, folder))
    assert code(answer) == "503 service-unavailable"
    assert answer.headers["retry-after"]
