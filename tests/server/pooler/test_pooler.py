"""Two processes of the service through a real pgbouncer in transaction mode."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from scripts.support.pgbouncer import Pgbouncer
from tests.conftest import SECRET
from tests.server.hosts.load import Load, running
from tests.server.pooler.few_connections import SERVER_CONNECTIONS
from tests.support import postgres
from tests.support.api import User, code, created, sign_up
from tests.support.server import running_server

pytestmark = pytest.mark.long

SETTINGS = {"SECRET_KEY": SECRET, "DATABASE_POOLER": "transaction"}
AT_ONCE = 50
_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def test_everything_works_through_a_pooler_with_few_connections(
    pgbouncer: Pgbouncer, database: str, tmp_path: Path
) -> None:
    url = pgbouncer.url(database)
    async with (
        running_server(tmp_path, "--workers", "2", DATABASE_URL=url, **SETTINGS) as server,
        server.client() as client,
    ):
        ada = await sign_up(client, "ada")
        workspace_id = (await ada.workspace())["id"]
        await _secrets(ada, workspace_id)
        await _retries_of_one_request(ada, workspace_id)
        await _updates_of_one_version(ada, workspace_id)
        await _limit(ada)
        connection = await asyncpg.connect(postgres.address(database))
        assert 1 <= await connection.fetchval(_SESSIONS) <= SERVER_CONNECTIONS
        await connection.close()
        assert (await client.get("/health/ready")).status_code == 200
        answer = await ada.delete(f"/workspaces/{workspace_id}", params={"force": "true"})
        assert answer.status_code == 204


async def _secrets(ada: User, workspace_id: str) -> None:
    passphrase = "a passphrase of nobody"
    fields = {"protection": "passphrase", "passphrase": passphrase}
    path = f"/vaults/{(await ada.vault(workspace_id, **fields))['id']}"
    answer = await ada.post(f"{path}/unlock", {"passphrase": passphrase})
    assert answer.status_code == 200, answer.text
    session = {"Vault-Session": answer.json()["session"]}
    body = {"content": "of nobody"}
    created(await ada.put(f"{path}/entries/key", body, headers=session))
    entry = await ada.get(f"{path}/entries/key", headers=session)
    assert entry.json()["content"] == "of nobody"
    assert (await ada.post(f"{path}/lock")).status_code == 200
    assert code(await ada.get(f"{path}/entries/key", headers=session)) == "423 vault-locked"


async def _retries_of_one_request(ada: User, workspace_id: str) -> None:
    body = {"name": "once", "path": "~/once"}
    headers = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(
        *(
            ada.post(f"/workspaces/{workspace_id}/repos", body, headers=headers)
            for _ in range(AT_ONCE)
        )
    )
    assert {created(each)["id"] for each in answers} == {created(answers[0])["id"]}


async def _updates_of_one_version(ada: User, workspace_id: str) -> None:
    path = f"/repos/{(await ada.repo(workspace_id, 'versions'))['id']}"
    etag = (await ada.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(
            ada.patch(path, {"metadata": {"n": number}}, headers={"If-Match": etag})
            for number in range(AT_ONCE)
        )
    )
    outcomes = Counter(code(each) if each.is_error else "200" for each in answers)
    assert outcomes == {"200": 1, "412 precondition-failed": AT_ONCE - 1}


async def _limit(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace('Limit'))['id']}/vaults"
    answers = await asyncio.gather(
        *(ada.post(path, {"name": f"v{n}", "path": "~/v"}) for n in range(AT_ONCE))
    )
    outcomes = Counter(code(each) if each.is_error else "201" for each in answers)
    assert outcomes == {"201": 20, "409 vault-limit-reached": AT_ONCE - 20}


async def test_a_restart_of_the_pooler_costs_503s_and_no_acknowledged_write(
    pgbouncer: Pgbouncer, database: str, tmp_path: Path
) -> None:
    url = pgbouncer.url(database)
    async with (
        running_server(
            tmp_path,
            *("--workers", "2"),
            DATABASE_URL=url,
            MAX_REPOS_PER_WORKSPACE="100000",
            **SETTINGS,
        ) as server,
        server.client() as client,
    ):
        ada = await sign_up(client, "ada")
        load = Load(ada, (await ada.workspace())["id"])
        async with running(load):
            for _ in range(3):
                await load.wait_for_writes(50)
                pgbouncer.stop()
                await asyncio.sleep(0.2)  # requests meet a port that refuses them
                await pgbouncer.start()
            await load.wait_for_writes(50)
        # Asserted by the load: every answer is a success or a 503 with Retry-After.
        assert any("503" in each for each in load.answers), load.answers
        stats = (await ada.get(f"{load.path}/stats")).json()
        assert stats["repo_count"] == len(load.acknowledged)
        for repo_id, number in load.counters.items():
            assert (await ada.get(f"/repos/{repo_id}")).json()["metadata"]["n"] == number
