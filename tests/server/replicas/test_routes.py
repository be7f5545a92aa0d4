"""Which server answers each GET of the API."""

from pathlib import Path

import httpx
import pytest

from tests.server.replicas.service import a_primary_and_its_replica, answered, processes
from tests.support.api import API, created, sign_up

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

OF_PRIMARY = {
    "/vaults/{vault_id}/entries",
    "/vaults/{vault_id}/entries/{key}",
    "/vaults/{vault_id}/versions/{key}",
}
NEED_GIT = {"/repos/{repo_id}/status", "/repos/{repo_id}/disposal"}


async def test_a_replica_answers_every_query_but_those_of_the_entries_of_vaults(
    tmp_path: Path,
) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby, 1) as ((_, client),),
    ):
        ada = await sign_up(client, "ada")
        workspace = await ada.workspace()
        vault = await ada.vault(workspace["id"])
        entry = await ada.put(f"/vaults/{vault['id']}/entries/key", {"content": "v"})
        ids = {
            "user_profile_id": ada.id,
            "workspace_id": workspace["id"],
            "repo_id": (await ada.repo(workspace["id"]))["id"],
            "vault_id": vault["id"],
            "machine_id": (await ada.machine())["id"],
            "key": created(entry)["key"],
        }
        confined = await ada.api_token("read", workspace_ids=[workspace["id"]], name="confined")
        ada_by_token = ada.using((await ada.api_token())["token"])
        document = (await client.get(f"{API}/openapi.json")).json()
        routes = {
            path.removeprefix(API)
            for path, operations in document["paths"].items()
            if path.startswith(API) and "get" in operations
        }
        seen = dict[str, set[str]]()
        for route in sorted(routes):
            before = await counts(client)
            answer = await ada_by_token.get(route.format(**ids))
            assert answer.status_code == (403 if route in NEED_GIT else 200), (route, answer.text)
            after = await counts(client)
            seen[route] = {name for name, count in after.items() if count > before[name]}
        assert {route for route, by in seen.items() if by == {"primary-only"}} == OF_PRIMARY
        others = routes - OF_PRIMARY - NEED_GIT
        assert {route for route, by in seen.items() if by == {"replica"}} >= others
        assert await answered(client, "primary", reason="failed") == 0

        before = await counts(client)
        answer = await ada.using(confined["token"]).get(f"/workspaces/{workspace['id']}/repos")
        assert len(answer.json()["items"]) == 1
        assert (await counts(client))["replica"] == before["replica"] + 1


async def counts(client: httpx.AsyncClient) -> dict[str, float]:
    reasons = ("primary-only", "unusable", "busy", "behind", "ahead", "failed")
    of_primary = {each: await answered(client, "primary", reason=each) for each in reasons}
    return {"replica": await answered(client, "replica"), **of_primary}
