"""The attention board, over HTTP: reasons, filters, stored observations, ETags."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from symphony.application.app import Application
from symphony.application.attention import save_observations
from symphony.application.orchestrations import attention_board, observation_saving
from symphony.config.settings import Settings
from symphony.domain.base import new_id, utc_now
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.git.status.local_git import InspectionLimits
from symphony.main import GitLimits
from tests.support.api import User, code, faults, running_api, sign_up, utc
from tests.support.inspections import counted_inspections
from tests.support.metrics import scraped
from tests.support.repositories import nothing_runs, running
from tests.support.server import until

pytestmark = pytest.mark.usefixtures("git_root")

CONCURRENCY = InspectionLimits().concurrency_per_user
LONG_AGO = "2020-01-01T12:00:00Z"


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The folder that the service may read."""
    (root,) = settings.git_roots
    return root


@pytest.fixture
def upstream(folder: Path) -> Repository:
    upstream = Repository.created(folder / "upstream")
    upstream.commit()
    return upstream


async def board(user: User, query: str = "") -> dict[str, Any]:
    answer = await user.get(f"/user-profiles/{user.id}/attention{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reasons(user: User, query: str = "") -> dict[str, list[str]]:
    """The reasons of each item, by name."""
    return {each["name"]: each["reasons"] for each in (await board(user, query))["items"]}


def dirty(clone: Repository) -> None:
    clone.write("new")


def unpushed(clone: Repository) -> None:
    clone.commit("mine")


def behind(clone: Repository) -> None:
    clone.git("reset", "--quiet", "--hard", "HEAD~1")


def diverged(clone: Repository) -> None:
    behind(clone)
    unpushed(clone)


def stashed(clone: Repository) -> None:
    clone.write("file", "put aside\n")
    clone.git("stash", "--quiet")


def conflict(clone: Repository) -> None:
    clone.commit("file", "mine\n")
    clone.git("switch", "--quiet", "--create", "theirs", "HEAD~1")
    clone.commit("file", "theirs\n")
    clone.git("merge", "--quiet", "main", check=False)


def merging(clone: Repository) -> None:
    """A merge in progress whose conflicts are resolved."""
    conflict(clone)
    clone.git("checkout", "--quiet", "--ours", "file")
    clone.git("add", "file")


def new_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")


def no_remote(clone: Repository) -> None:
    clone.git("remote", "remove", "origin")


def missing(clone: Repository) -> None:
    clone.path.rename(clone.path.with_name("moved away"))


def unreadable(clone: Repository) -> None:
    (clone.git_directory / "HEAD").write_text("damaged")


def stale(clone: Repository) -> None:
    clone.write("mine")
    clone.git("add", "mine")
    clone.git("commit", "--quiet", "-m", "Old", GIT_AUTHOR_DATE=LONG_AGO)


def old_and_done(clone: Repository) -> None:
    stale(clone)
    clone.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/done")
    clone.git("branch", "--quiet", "--set-upstream-to", "origin/done")


SITUATIONS: list[tuple[Callable[[Repository], object], list[str]]] = [
    (dirty, ["dirty"]),
    (unpushed, ["unpushed"]),
    (behind, ["behind"]),
    (diverged, ["unpushed", "behind", "diverged"]),
    (stashed, ["stashed"]),
    (conflict, ["dirty", "unpushed", "conflict"]),
    (merging, ["unpushed", "conflict"]),
    (new_branch, ["unpushed"]),
    (no_remote, ["no-remote"]),
    (missing, ["missing"]),
    (unreadable, ["unreadable"]),
    (stale, ["unpushed", "stale"]),
]


async def test_only_repos_with_unfinished_work_are_listed_each_with_its_reasons(
    ada: User, folder: Path, upstream: Repository
) -> None:
    upstream.commit("second")
    workspace = (await ada.workspace())["id"]
    expected = dict[str, list[str]]()
    for situation, why in SITUATIONS:
        name = situation.__name__
        clone = upstream.clone(folder / name)
        situation(clone)
        await ada.repo(workspace, name, path=str(clone.path))
        expected[name] = why
    for name in ("done", "old_and_done"):
        clone = upstream.clone(folder / name)
        if name == "old_and_done":
            old_and_done(clone)
        await ada.repo(workspace, name, path=str(clone.path))
    await ada.repo(workspace, "outside", path="/")
    expected["outside"] = ["unreadable"]
    assert await reasons(ada) == expected
    assert list(await reasons(ada, "?fresh=false")) == sorted(expected)
    for _, why in SITUATIONS:
        for reason in why:
            filtered = {name: each for name, each in expected.items() if reason in each}
            assert await reasons(ada, f"?fresh=false&reason={reason}") == filtered


async def test_a_vault_with_a_passphrase_needs_attention_while_it_has_a_session(
    ada: User,
) -> None:
    passphrase = {"passphrase": "a horse, a battery"}
    workspace = (await ada.workspace())["id"]
    vault = await ada.vault(workspace, protection="passphrase", **passphrase)
    path = f"/vaults/{vault['id']}"
    assert await reasons(ada) == {}
    await ada.post(f"{path}/unlock", passphrase | {"ttl_seconds": 1})
    assert await reasons(ada) == {vault["name"]: ["unlocked"]}

    async def is_over() -> bool:
        return await reasons(ada) == {}

    await until(is_over)


async def test_a_vault_left_unlocked_needs_attention_until_it_is_locked(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    vault = await ada.vault(workspace)
    current = await board(ada)
    (item,) = current["items"]
    assert utc(item.pop("observed_at")) <= utc_now()
    assert item == {
        "kind": "vault",
        "id": vault["id"],
        "name": vault["name"],
        "workspace_id": workspace,
        "reasons": ["unlocked"],
    }
    assert await reasons(ada, "?reason=dirty") == {}
    assert await reasons(ada, "?reason=unlocked") == {vault["name"]: ["unlocked"]}
    await ada.post(f"/vaults/{vault['id']}/lock")
    assert (await board(ada))["items"] == []


async def test_a_board_covers_all_workspaces_or_one(ada: User, folder: Path) -> None:
    ids = list[str]()
    for name in ("first", "second"):
        workspace = (await ada.workspace(name))["id"]
        ids.append(workspace)
        await ada.repo(workspace, f"repo of {name}", path=str(folder / "nothing"))
        await ada.vault(workspace, f"vault of {name}")
    current = await board(ada)
    assert [(each["workspace_id"], each["kind"]) for each in current["items"]] == [
        (workspace, kind) for workspace in ids for kind in ("repo", "vault")
    ]
    (second,) = await reasons(ada, f"?workspace_id={ids[1]}&reason=missing")
    assert second == "repo of second"
    assert set(await reasons(ada, f"?workspace_id={ids[1]}")) == {second, "vault of second"}


async def test_stored_observations_are_returned_without_an_inspection(
    ada: User, folder: Path, upstream: Repository
) -> None:
    workspace = (await ada.workspace())["id"]
    repo = await ada.repo(workspace, "clone", path=str(upstream.clone(folder / "clone").path))
    unknown = await board(ada, "?fresh=false")
    assert (unknown["items"], unknown["unobserved"]) == ([], 1)
    (folder / "clone" / "new").touch()
    assert (await board(ada, "?fresh=false"))["unobserved"] == 1
    looked = await board(ada)
    assert looked["unobserved"] == 0
    assert [each["reasons"] for each in looked["items"]] == [["dirty"]]
    (folder / "clone" / "new").unlink()
    remembered = await board(ada, "?fresh=false")
    assert remembered == looked
    # The inspection of a single repo is stored too.
    assert (await ada.get(f"/repos/{repo['id']}/status")).json()["state"] == "clean"
    after = await board(ada, "?fresh=false")
    assert after["items"] == []
    assert utc(after["observed_at"]) > utc(looked["observed_at"])


async def test_a_repo_whose_path_was_changed_is_unobserved(
    ada: User, folder: Path, upstream: Repository
) -> None:
    workspace = (await ada.workspace())["id"]
    repo = await ada.repo(workspace, path=str(folder / "nothing"))
    assert list((await reasons(ada)).values()) == [["missing"]]
    await ada.patch(f"/repos/{repo['id']}", {"metadata": {"colour": "blue"}})
    assert list((await reasons(ada, "?fresh=false")).values()) == [["missing"]]
    await ada.patch(f"/repos/{repo['id']}", {"path": str(upstream.path)})
    moved = await board(ada, "?fresh=false")
    assert (moved["items"], moved["unobserved"]) == ([], 1)


async def test_an_unchanged_board_is_a_304(ada: User, folder: Path, upstream: Repository) -> None:
    workspace = (await ada.workspace())["id"]
    path = f"/user-profiles/{ada.id}/attention"
    clone = upstream.clone(folder / "clone")
    dirty(clone)
    await ada.repo(workspace, "clone", path=str(clone.path))
    first = await ada.get(path)
    etag = first.headers["etag"]
    assert etag.startswith('W/"')  # the time of the observation is not part of it
    again = await ada.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert (await ada.get(path, headers={"If-None-Match": etag[2:]})).status_code == 304
    remembered = await ada.get(f"{path}?fresh=false", headers={"If-None-Match": etag})
    assert remembered.status_code == 304
    stashed(clone)
    changed = await ada.get(path, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    assert utc(changed.json()["observed_at"]) > utc(first.json()["observed_at"])


async def test_a_board_contains_only_resources_of_the_caller(
    ada: User, eve: User, folder: Path
) -> None:
    hers = (await ada.workspace())["id"]
    await ada.repo(hers, path=str(folder))
    await ada.vault(hers)
    workspace = (await eve.workspace())["id"]
    await eve.vault(workspace, "mine")
    assert set(await reasons(eve)) == {"mine"}
    for fresh in ("true", "false"):
        there = await eve.get(f"/user-profiles/{ada.id}/attention?fresh={fresh}")
        assert code(there) == "404 user-profile-not-found"
        same = {"X-Request-ID": "the-same"}
        answers = [
            (await eve.get(f"/user-profiles/{eve.id}/attention{query}", headers=same)).text.replace(
                asked, "{id}"
            )
            for asked in (hers, str(new_id()))
            for query in [f"?workspace_id={asked}&fresh={fresh}"]
        ]
        assert answers[0] == answers[1]
        assert '"code":"workspace-not-found"' in answers[0]


async def test_a_user_without_resources_has_an_empty_board(ada: User) -> None:
    for query in ("", "?fresh=false", f"?workspace_id={(await ada.workspace())['id']}"):
        current = await board(ada, query)
        assert (current["items"], current["unobserved"]) == ([], 0)
        assert utc(current["observed_at"]) <= utc_now()


async def test_filters_are_read_strictly(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/attention"
    for query, wrong in (
        ("reason=lazy", ("reason", "unknown-value")),
        ("reason=dirty,behind", ("reason", "unknown-value")),
        ("reason=dirty&reason=behind", ("reason", "duplicate-field")),
        ("workspace_id=thesis", ("workspace_id", "uuid-expected")),
        ("fresh=maybe", ("fresh", "boolean-expected")),
        ("limit=5", ("query", "unknown-parameter")),
    ):
        assert faults(await ada.get(f"{path}?{query}")) == [wrong]


async def test_without_git_roots_vaults_are_listed_and_no_repo_is_inspected(
    settings: Settings, folder: Path
) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        workspace = (await ada.workspace())["id"]
        await ada.repo(workspace, path=str(folder / "nothing"))
        await ada.vault(workspace, "keys")
        current = await board(ada)
        assert ([each["name"] for each in current["items"]], current["unobserved"]) == (["keys"], 1)


async def test_parallel_boards_are_equal_and_share_the_threads(
    ada: User, eve: User, folder: Path, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (ada, eve):
        workspace = (await user.workspace())["id"]
        for number in range(10):
            clone = upstream.clone(folder / f"{user.name}-{number}")
            dirty(clone)
            await user.repo(workspace, clone.path.name, path=str(clone.path))
    with counted_inspections(monkeypatch) as at_once:
        boards = await asyncio.gather(*(board(user) for user in (ada, eve, ada, eve)))
    assert (len(at_once), max(at_once) <= 2 * CONCURRENCY) == (40, True)
    assert [len(each["items"]) for each in boards] == [10] * 4
    assert [each["name"] for each in boards[0]["items"]] == [
        each["name"] for each in boards[2]["items"]
    ]


async def test_a_repo_that_is_deleted_during_its_inspection_fails_no_board(
    ada: User, folder: Path
) -> None:
    endless = Repository.created(folder / "endless")
    fifo = endless.path / ".gitignore"
    os.mkfifo(fifo)  # git opens it and waits
    workspace = (await ada.workspace())["id"]
    repo = await ada.repo(workspace, "endless", path=str(endless.path))
    await ada.repo(workspace, "other", path=str(folder / "nothing"))

    async def git_waits() -> bool:
        return running() == ["git"]

    asked = asyncio.create_task(board(ada))
    await until(git_waits)
    assert (await scraped(ada.client)).value("symphony_database_callers") == 0
    assert (await ada.delete(f"/repos/{repo['id']}")).status_code == 204
    await asyncio.to_thread(fifo.write_bytes, b"")  # git continues
    assert [each["name"] for each in (await asked)["items"]] == ["endless", "other"]
    after = await board(ada, "?fresh=false")
    assert ([each["name"] for each in after["items"]], after["unobserved"]) == (["other"], 0)


async def test_repos_beyond_the_time_limit_have_stored_observations_and_come_first_next_time(
    ada: User, folder: Path, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = (await ada.workspace())["id"]
    for number in range(CONCURRENCY):
        clone = upstream.clone(folder / f"clone-{number}")
        dirty(clone)
        await ada.repo(workspace, clone.path.name, path=str(clone.path))
    seen = await board(ada)
    fifos = [folder / f"clone-{number}" / ".gitignore" for number in range(CONCURRENCY)]
    for fifo in fifos:
        os.mkfifo(fifo)  # git opens it and waits
    await ada.repo(workspace, "new", path=str(folder / "nothing"))
    monkeypatch.setattr(attention_board, "INSPECTION_LIMIT", 1.5)
    current = await board(ada)
    new = current["items"].pop()
    assert (new["name"], new["reasons"]) == ("new", ["missing"])
    assert current["items"] == seen["items"]
    assert current["observed_at"] == seen["observed_at"]
    assert current["unobserved"] == 0

    await until(nothing_runs)
    monkeypatch.undo()
    for fifo in fifos:
        fifo.unlink()
    assert utc((await board(ada))["observed_at"]) > utc(seen["observed_at"])


async def test_board_and_status_succeed_though_observations_cannot_be_stored(
    ada: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = await ada.repo((await ada.workspace())["id"], path=str(folder / "nothing"))
    run = Application.run

    async def away(app: Application, handler: Any, command: Any) -> Any:
        if handler is save_observations:
            raise StoreUnavailable("database")
        return await run(app, handler, command)

    async def stuck(app: Application, handler: Any, command: Any) -> Any:
        if handler is save_observations:
            await asyncio.Event().wait()
        return await run(app, handler, command)

    monkeypatch.setattr(observation_saving, "SAVE_LIMIT", 0.1)
    for trouble in (away, stuck):
        monkeypatch.setattr(Application, "run", trouble)
        assert list((await reasons(ada)).values()) == [["missing"]]
        status = await ada.get(f"/repos/{repo['id']}/status")
        assert status.json()["state"] == "missing"
    monkeypatch.undo()
    assert (await board(ada, "?fresh=false"))["unobserved"] == 1


@pytest.mark.parametrize("git_limits", [GitLimits(inspection=InspectionLimits(max_queued=0))])
async def test_a_fresh_board_is_a_503_when_the_queue_is_full(ada: User, folder: Path) -> None:
    await ada.repo((await ada.workspace())["id"], path=str(folder / "nothing"))
    refused = await ada.get(f"/user-profiles/{ada.id}/attention")
    assert code(refused) == "503 service-unavailable"
    assert (await board(ada, "?fresh=false"))["unobserved"] == 1
