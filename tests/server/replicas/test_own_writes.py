"""Users read their own writes on every process, whatever the replica lacks.

`READS_AFTER_WRITES` is the number of reads; `-s` prints what answered them.
"""

import asyncio
import os
import random
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from scripts.support.database_clusters import Cluster
from tests.server.replicas.service import (
    a_primary_and_its_replica,
    answered,
    pause,
    processes,
    resume,
)
from tests.support.api import PASSWORD, User, code, sign_up
from tests.support.metrics import scraped

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

READS = int(os.environ.get("READS_AFTER_WRITES", "2000"))
USERS = 8
CHOICE = random.Random(19)  # noqa: S311 - not a secret


class Counting:
    """One user who counts in a repo on any process, and reads the number on any other."""

    def __init__(self, on_processes: list[User], workspace_id: str) -> None:
        self.on_processes = on_processes
        self.workspace_id = workspace_id
        self.reads = 0

    async def run(self, reads: int) -> None:
        created = await self._any().repo(self.workspace_id)
        path, number = f"/repos/{created['id']}", 0
        while self.reads < reads:
            number += 1
            write = {"metadata": {"n": number}}
            assert (await self._any().patch(path, write)).status_code == 200
            for _ in range(CHOICE.randint(1, 2)):
                answer = await self._any().get(path)
                assert answer.status_code == 200, answer.text
                assert answer.json()["metadata"] == {"n": number}, "a stale read of one's own write"
                self.reads += 1

    def _any(self) -> User:
        return CHOICE.choice(self.on_processes)


async def counting(
    on_processes: list[httpx.AsyncClient], name: str, *, with_api_token: bool
) -> Counting:
    user = await sign_up(on_processes[0], name)
    workspace = await user.workspace()
    if with_api_token:
        user = user.using((await user.api_token("read", "write"))["token"])
    return Counting([replace(user, client=client) for client in on_processes], workspace["id"])


async def toggled(standby: Cluster) -> None:
    """Pause the replay for a moment, again and again, sometimes for longer than a check takes."""
    while True:
        await asyncio.sleep(CHOICE.uniform(0.05, 0.5))
        await pause(standby)
        await asyncio.sleep(CHOICE.choice((0.005, 0.02, 0.05, 0.1, 0.3)))
        await resume(standby)


async def test_no_read_of_one_s_own_write_is_stale(tmp_path: Path) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby) as started,
    ):
        clients = [client for _, client in started]
        users = [
            await counting(clients, f"user{number}", with_api_token=number % 2 == 1)
            for number in range(USERS)
        ]
        began = time.monotonic()
        toggling = asyncio.create_task(toggled(standby))
        async with asyncio.TaskGroup() as group:
            for each in users:
                group.create_task(each.run(READS // USERS))
        toggling.cancel()
        seconds = time.monotonic() - began
        counts = {
            reason: sum([await answered(each, target, reason=reason) for each in clients])
            for target, reason in (
                ("replica", "up-to-date"),
                ("primary", "behind"),
                ("primary", "ahead"),
                ("primary", "unusable"),
                ("primary", "busy"),
                ("primary", "failed"),
                ("primary", "primary-only"),
            )
        }
        figures = ", ".join(f"{reason} {count:,.0f}" for reason, count in counts.items())
        print(f"{sum(each.reads for each in users):,} reads in {seconds:.1f} s: {figures}")  # noqa: T201
        # The test would show nothing if one of them had answered all.
        assert counts["up-to-date"] > READS / 5
        assert counts["behind"] > READS / 100


async def test_while_the_replay_is_paused_what_was_ended_is_refused_at_once(
    tmp_path: Path,
) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby) as started,
    ):
        (_, here), (_, there) = started
        ada, eve = await sign_up(here, "ada"), await sign_up(here, "eve")
        workspace = await ada.workspace()
        confined = await ada.api_token("read", workspace_ids=[workspace["id"]], name="confined")
        token = await ada.api_token("read")
        vault = await ada.vault(workspace["id"])
        entry = f"/vaults/{vault['id']}/entries/key"
        assert (await ada.put(entry, {"content": "v"})).status_code in {200, 201, 204}
        elsewhere = replace(ada, client=there)
        with_token, with_confined = (elsewhere.using(each["token"]) for each in (token, confined))
        path = f"/workspaces/{workspace['id']}"
        for each in (elsewhere, with_token, with_confined):
            assert (await each.get(path)).status_code == 200
        assert (await elsewhere.get(entry)).status_code == 200
        await pause(standby)
        # A user who has signed up since then is not on the replica at all.
        new = replace(await sign_up(here, "new"), client=there)
        assert (await new.get("/user-profiles/me")).json()["username"] == "new"
        assert (await new.get("/workspaces/" + workspace["id"])).status_code == 404

        for each, user in ((token, with_token), (confined, with_confined)):
            assert (await ada.delete(f"/api-tokens/{each['id']}")).status_code == 204
            assert code(await user.get(path)) == "401 unauthenticated"
        assert (await ada.post(f"/vaults/{vault['id']}/lock")).status_code == 200
        assert code(await elsewhere.get(entry)) == "423 vault-locked"
        assert (await elsewhere.get(f"/vaults/{vault['id']}")).json()["is_locked"] is True

        changed = await ada.patch(
            f"/user-profiles/{ada.id}",
            {"password": "another horse, another battery", "current_password": PASSWORD},
        )
        assert changed.status_code == 200, changed.text
        assert code(await elsewhere.get(path)) == "401 unauthenticated"
        assert (await eve.delete(f"/user-profiles/{eve.id}")).status_code == 204
        assert code(await replace(eve, client=there).get("/user-profiles/me")) == (
            "401 unauthenticated"
        )
        assert (await scraped(there)).value("symphony_queries_total", target="replica") > 0
