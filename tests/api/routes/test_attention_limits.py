"""The attention board beside other work: limits, deletions, and a store that is away."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.app import Application
from symphony.application.attention import save_observations
from symphony.application.orchestrations import attention_board, observation_saving
from symphony.config.settings import Settings
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.main import GitLimits
from tests.api.routes.boards import board, dirty, reasons
from tests.support.api import User, code, running_api, sign_up, utc
from tests.support.inspections import counted_inspections
from tests.support.metrics import scraped
from tests.support.repositories import nothing_runs, running

pytestmark = [pytest.mark.usefixtures("git_root"), pytest.mark.long]

CONCURRENCY = InspectionLimits().concurrency_per_user


async def test_without_git_roots_vaults_are_listed_and_no_repo_is_inspected(
    settings: Settings, folder: Path
) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        workspace = (await ada.workspace())["id"]
        await ada.repo(workspace, path=str(folder / "nothing"))
        await ada.vault(workspace, "keys")
        told = await board(ada)
        assert ([each["name"] for each in told["items"]], told["unobserved"]) == (["keys"], 1)
        assert told["inspection"] == "disabled"


async def test_a_repository_that_cannot_be_inspected_does_not_hide_the_others(
    ada: User, folder: Path, upstream: Repository
) -> None:
    odd = upstream.clone(folder / "odd")
    odd.write(".git/HEAD", odd.git("rev-parse", "HEAD^{tree}"))
    clone = upstream.clone(folder / "clone")
    dirty(clone)
    workspace = (await ada.workspace())["id"]
    for each in (odd, clone):
        await ada.repo(workspace, each.path.name, path=str(each.path))
    assert await reasons(ada) == {"odd": ["unreadable"], "clone": ["dirty"]}


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
    told = await board(ada)
    new = told["items"].pop()
    assert (new["name"], new["reasons"]) == ("new", ["missing"])
    assert told["items"] == seen["items"]
    assert told["observed_at"] == seen["observed_at"]
    assert told["unobserved"] == 0

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
