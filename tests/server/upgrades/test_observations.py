"""Processes of two releases inspect the same repo, and receive reports of the same machine."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from tests.support.api import User, sign_up, utc
from tests.support.machines.reports import checkout_body, put_report, report_body
from tests.support.releases.releases import Release, former_release, this_release

FIRST = datetime(2026, 11, 2, 8, tzinfo=UTC)
LATER = FIRST + timedelta(days=3)

pytestmark = pytest.mark.long


@dataclass(frozen=True, slots=True)
class Both:
    """A user of a process of each release, and a repo of which one file has changed."""

    old: User
    new: User
    repo_id: str
    repository: Repository

    def change(self, at: datetime, content: str) -> None:
        """Change the file, at this time."""
        file = self.repository.write("first", content)
        os.utime(file, (at.timestamp(), at.timestamp()))


@asynccontextmanager
async def both_releases(folder: Path, old: Release, url: str) -> AsyncGenerator[Both]:
    new = this_release()
    await new.symphony(folder, "db", "upgrade", DATABASE_URL=url)
    repository = Repository.with_commits(folder / "dev" / "engine", "first")
    roots = str(folder / "dev")
    async with (
        old.process(folder, url, GIT_ROOTS=roots) as old_process,
        new.process(folder, url, GIT_ROOTS=roots) as new_process,
        old_process.client() as old_client,
        new_process.client() as new_client,
    ):
        ada = await sign_up(new_client, "ada")
        workspace = await ada.workspace()
        repo = await ada.repo(workspace["id"], path=str(repository.path))
        yield Both(replace(ada, client=old_client), ada, repo["id"], repository)


async def board(user: User, *, inspected: bool) -> dict[str, Any]:
    """Return the repo on the board, inspected now or as it was stored."""
    answer = await user.get(f"/user-profiles/{user.id}/attention?fresh={str(inspected).lower()}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["unobserved"] == 0
    (item,) = answer.json()["items"]
    return item


async def test_each_release_reads_what_the_other_has_found(empty_url: str, tmp_path: Path) -> None:
    old_release = former_release(tmp_path / "former")
    async with both_releases(tmp_path, old_release, empty_url) as both:
        both.change(FIRST, "one")
        by_new = await board(both.new, inspected=True)
        assert utc(by_new["unfinished_since"]) == FIRST
        read_by_old = await board(both.old, inspected=False)
        for name in ("observed_at", "reasons", "modified", "at_risk"):
            assert read_by_old[name] == by_new[name], name

        # The same facts of another change: the times of the first one must not be shown.
        both.change(LATER, "two")
        by_old = await board(both.old, inspected=True)
        read_by_new = await board(both.new, inspected=False)
        for name in ("observed_at", "reasons", "modified", "at_risk"):
            assert read_by_new[name] == by_old[name], name
        assert read_by_new["unfinished_since"] == by_old.get("unfinished_since")

        assert utc((await board(both.new, inspected=True))["unfinished_since"]) == LATER
        assert utc((await board(both.new, inspected=False))["unfinished_since"]) == LATER


async def test_each_release_reads_the_checkouts_that_were_reported_to_the_other(
    empty_url: str, tmp_path: Path
) -> None:
    old_release = former_release(tmp_path / "former")
    async with both_releases(tmp_path, old_release, empty_url) as both:
        machine = await both.new.machine()
        remote = {"remote_url": "https://git.example.org/ada/engine.git"}
        assert (await both.new.patch(f"/repos/{both.repo_id}", remote)).status_code == 200
        for sequence, (receiver, reader, since) in enumerate(
            ((both.new, both.old, FIRST), (both.old, both.new, LATER), (both.new, both.old, LATER))
        ):
            status = {"state": "dirty", "modified": 1, "at_risk": True}
            times = {"changed_since": since.isoformat()}
            report = report_body(checkout_body(status=status | times), sequence=sequence)
            await put_in_time(receiver, machine["id"], report)
            expected = await reported_checkout(receiver, both.repo_id)
            assert utc(expected["unfinished_since"]) == since
            read = await reported_checkout(reader, both.repo_id)
            for name in ("machine", "path", "observed_at", "reasons", "unfinished_since"):
                assert read[name] == expected[name], name
            for name in ("modified", "at_risk", "work"):
                assert read["status"][name] == expected["status"][name], name


async def put_in_time(user: User, machine_id: str, report: Any) -> None:
    """Put a report as soon as the machine may send one again."""

    async def is_accepted() -> bool:
        answer = await put_report(user, machine_id, report)
        assert answer.status_code in {200, 429}, answer.text
        return answer.status_code == 200

    await until(is_accepted)


async def reported_checkout(user: User, repo_id: str) -> dict[str, Any]:
    """Return the only checkout of a repo that was reported."""
    answer = await user.get(f"/repos/{repo_id}/checkouts")
    assert answer.status_code == 200, answer.text
    (found,) = [each for each in answer.json()["items"] if each["machine"] is not None]
    return found
