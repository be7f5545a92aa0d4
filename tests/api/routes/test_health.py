"""Health: live while the process runs, ready when the database can be used."""

from pathlib import Path

import httpx
import pytest

from symphony.config.settings import Settings, SettingsError
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, Landlock
from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import API, PASSWORD, User, code, running_api
from tests.support.inspections import no_landlock

NOBODY_LISTENS = "postgresql://127.0.0.1:1/nothing"


async def _assert_not_ready(client: httpx.AsyncClient, reason: str) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert reason in answer.json()["reason"]
    assert int(answer.headers["retry-after"]) >= 1
    live = await client.get("/health/live")
    assert live.status_code == 200


async def test_a_ready_service_is_a_200(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert "retry-after" not in answer.headers


@pytest.mark.long
# A database in memory cannot be downgraded by another process.
@pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"])
async def test_a_service_whose_schema_is_not_at_head_is_not_ready(
    client: httpx.AsyncClient, database_url: str, *, is_pooled: bool
) -> None:
    if is_pooled:
        pytest.skip("no schema is changed through a pooler")
    engines = create_engines(database_url)
    await migrations.downgrade(engines, "base")
    await _assert_not_ready(client, "schema")
    await migrations.upgrade(engines)
    await engines.dispose()
    assert (await client.get("/health/ready")).status_code == 200


async def test_a_service_without_its_database_server_is_not_ready() -> None:
    settings = Settings.model_validate({"database_url": NOBODY_LISTENS, "secret_key": SECRET})
    async with running_api(settings) as client:
        await _assert_not_ready(client, "database")
        form = {"username": "ada", "password": PASSWORD}
        signed_in = await client.post(f"{API}/auth/token", data=form)
        assert code(signed_in) == "503 service-unavailable"
        assert int(signed_in.headers["retry-after"]) >= 1


@pytest.mark.parametrize("store_kind", ["postgresql"])
async def test_a_database_that_is_lost_at_run_time_is_a_503(ada: User, database_url: str) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    workspace = await ada.workspace()
    await postgres.drop_database(name)
    await _assert_not_ready(ada.client, "database")
    for answer in (
        await ada.get(f"/workspaces/{workspace['id']}"),
        await ada.post(f"/workspaces/{workspace['id']}/repos", {"name": "a", "path": "/a"}),
    ):
        assert code(answer) == "503 service-unavailable"
        assert int(answer.headers["retry-after"]) >= 1


def set_mode(path: Path, mode: int) -> None:
    path.chmod(mode)


@pytest.mark.long
async def test_readiness_says_what_keeps_inspections_inside_the_git_roots(
    settings: Settings, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir(mode=0o755)
    roots = settings.model_copy(update={"git_roots": (root,)})
    trusted = roots.model_copy(update={"git_trust_roots": True})

    async def confinement(settings: Settings, detect: DetectLandlock) -> str:
        async with running_api(settings, detect=detect) as client:
            return (await client.get("/health/ready")).json()["details"]["git_confinement"]

    assert await confinement(settings, no_landlock) == "disabled"
    assert await confinement(roots, no_landlock) == "owner-only"
    assert await confinement(roots, lambda: Landlock(abi=1)) == "landlock"
    assert await confinement(trusted, no_landlock) == "trusted-roots"
    set_mode(root, 0o777)
    assert await confinement(trusted, no_landlock) == "trusted-roots"
    with pytest.raises(SettingsError, match=r"SYMPHONY_GIT_ROOTS: .* mode 0777\)"):
        await confinement(roots, no_landlock)
