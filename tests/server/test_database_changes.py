"""The database changes beneath a running service, which goes on without a restart."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from scripts.support.polling import until
from scripts.support.tcp_proxy import running_proxy
from symphony import bootstrap
from symphony.config.settings import Settings
from symphony.infrastructure.database.engine import DatabaseLimits, create_engines
from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import User, code, running_api, sign_up

Administrate = Callable[[str], Awaitable[None]]

CLIENTS = 60
WORK_TIMEOUT = 4.0  # seconds; much longer than a request takes, also on a busy machine
MIGRATIONS = (
    "ALTER TABLE repos ALTER COLUMN name TYPE varchar(300);"
    "ALTER TABLE workspaces ALTER COLUMN name TYPE varchar(300)",
    "ALTER TABLE repos ADD COLUMN more text; ALTER TABLE workspaces ADD COLUMN more text",
    # The tables are other ones, with the same rows.
    "ALTER TABLE repos RENAME TO old_repos; CREATE TABLE repos (LIKE old_repos INCLUDING ALL);"
    "INSERT INTO repos SELECT * FROM old_repos",
    "ALTER TABLE workspaces ALTER COLUMN repo_count TYPE bigint",
)
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def database() -> AsyncGenerator[str]:
    """The name of a database of its own, which the tests alter."""
    name = f"test_{secrets.token_hex(8)}"
    await postgres.create_database(name)
    yield name
    await postgres.drop_database(name)


@asynccontextmanager
async def service(url: str, folder: Path) -> AsyncGenerator[httpx.AsyncClient]:
    settings = Settings.model_validate(
        {"database_url": url, "secret_key": SECRET, "data_dir": folder}
    )
    async with running_api(settings) as client:
        yield client


@pytest.fixture
async def client(database: str, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with service(postgres.address(database), tmp_path) as client:
        yield client


@pytest.fixture
def administrate(database: str) -> Administrate:
    """Run statements as the administrator of the database."""

    async def run(statements: str) -> None:
        connection = await asyncpg.connect(postgres.address(database))
        try:
            await connection.execute("SET default_transaction_read_only = off")
            await connection.execute(statements)
        finally:
            await connection.close()

    return run


async def many(ada: User, workspace_id: str, name: str) -> Counter[tuple[str, str]]:
    """Send many requests at the same time; return their kinds and outcomes."""
    outcomes = Counter[tuple[str, str]]()

    async def read(path: str) -> None:
        outcomes["read", str((await ada.get(path)).status_code)] += 1

    async def write(number: int) -> None:
        body = {"name": f"{name} {number}", "path": "~/x"}
        answer = await ada.post(f"/workspaces/{workspace_id}/repos", body)
        outcome = code(answer) if answer.is_error else str(answer.status_code)
        outcomes["write", outcome] += 1

    path = f"/workspaces/{workspace_id}"
    await asyncio.gather(
        *(write(number) for number in range(CLIENTS // 2)),
        *(read(path) for _ in range(CLIENTS // 4)),
        *(read(f"{path}/repos") for _ in range(CLIENTS // 4)),
    )
    return outcomes


ALL_SUCCEED = Counter({("write", "201"): CLIENTS // 2, ("read", "200"): CLIENTS // 2})


async def repo_count(ada: User, workspace_id: str) -> int:
    return (await ada.get(f"/workspaces/{workspace_id}/stats")).json()["repo_count"]


async def not_ready_because(client: httpx.AsyncClient) -> str | None:
    answer = await client.get("/health/ready")
    assert (answer.status_code == 200) is (answer.json()["reason"] is None)
    return answer.json()["reason"]


@pytest.mark.long
async def test_a_database_that_became_read_only_refuses_writes_with_503_and_still_serves_reads(
    client: httpx.AsyncClient, database: str, administrate: Administrate
) -> None:
    ada = await sign_up(client, "ada")
    workspace_id = (await ada.workspace())["id"]
    assert await many(ada, workspace_id, "before") == ALL_SUCCEED

    await administrate(
        f'ALTER DATABASE "{database}" SET default_transaction_read_only = on; {END_SESSIONS}'
    )
    reads = ALL_SUCCEED["read", "200"]
    assert await many(ada, workspace_id, "during") == Counter(
        {("write", "503 service-unavailable"): CLIENTS // 2, ("read", "200"): reads}
    )
    answer = await ada.post(f"/workspaces/{workspace_id}/repos", {"name": "a", "path": "~/x"})
    assert int(answer.headers["Retry-After"]) >= 1
    assert await not_ready_because(client) == "the database is read-only"

    await administrate(f'ALTER DATABASE "{database}" SET default_transaction_read_only = off')
    # The sessions of the pool are still read-only; they are replaced, and no request fails.
    assert await many(ada, workspace_id, "after") == ALL_SUCCEED
    assert await not_ready_because(client) is None
    assert await repo_count(ada, workspace_id) == CLIENTS


@pytest.mark.long
async def test_connections_that_the_server_closes_cost_no_request(
    client: httpx.AsyncClient, administrate: Administrate
) -> None:
    ada = await sign_up(client, "ada")
    workspace_id = (await ada.workspace())["id"]
    assert await many(ada, workspace_id, "before") == ALL_SUCCEED
    await administrate(END_SESSIONS)
    assert await many(ada, workspace_id, "after") == ALL_SUCCEED
    assert await repo_count(ada, workspace_id) == CLIENTS


@pytest.mark.long
@pytest.mark.parametrize("migration", MIGRATIONS)
async def test_a_migration_beneath_a_running_service_costs_no_request(
    client: httpx.AsyncClient, administrate: Administrate, migration: str
) -> None:
    """Statements were prepared before: PostgreSQL refuses the plans whose result has changed."""
    ada = await sign_up(client, "ada")
    workspace_id = (await ada.workspace())["id"]
    assert await many(ada, workspace_id, "before") == ALL_SUCCEED
    await administrate(migration)
    assert await many(ada, workspace_id, "after") == ALL_SUCCEED
    assert await repo_count(ada, workspace_id) == CLIENTS


@pytest.mark.long
async def test_a_schema_that_is_gone_is_a_503_until_it_is_back(
    client: httpx.AsyncClient, administrate: Administrate
) -> None:
    ada = await sign_up(client, "ada")
    workspace_id = (await ada.workspace())["id"]
    await administrate("ALTER SCHEMA public RENAME TO away; CREATE SCHEMA public")
    with capture_logs() as lines:
        assert code(await ada.get(f"/workspaces/{workspace_id}")) == "503 service-unavailable"
    reasons = [line["reason"] for line in lines if line["event"] == "service unavailable"]
    assert reasons == ["database: UndefinedTableError 42P01"]
    assert "schema has not been created" in str(await not_ready_because(client))
    await administrate("DROP SCHEMA public; ALTER SCHEMA away RENAME TO public")
    assert await many(ada, workspace_id, "after") == ALL_SUCCEED
    assert await not_ready_because(client) is None


@pytest.mark.long
async def test_connections_that_are_silently_lost_cost_one_time_limit(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = DatabaseLimits(work_timeout=WORK_TIMEOUT)
    monkeypatch.setattr(bootstrap, "create_engines", partial(create_engines, limits=limits))
    async with (
        running_proxy(postgres.address(database)) as proxy,
        service(proxy.url, tmp_path) as client,
    ):
        ada = await sign_up(client, "ada")
        workspace_id = (await ada.workspace())["id"]
        assert await many(ada, workspace_id, "before") == ALL_SUCCEED
        proxy.lose_connections()
        # All connections of the pool are dead. Each costs the request that has it.
        during = await many(ada, workspace_id, "during")
        failed = CLIENTS - during["write", "201"] - during["read", "200"]
        assert 1 <= failed <= limits.postgresql_connections
        assert set(during) <= {
            *ALL_SUCCEED,
            ("write", "503 service-unavailable"),
            ("read", "503"),
        }
        assert await many(ada, workspace_id, "after") == ALL_SUCCEED
        expected = CLIENTS + during["write", "201"]
        assert await repo_count(ada, workspace_id) == expected


@pytest.mark.long
async def test_after_one_lost_connection_none_of_the_same_age_is_used(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = DatabaseLimits(work_timeout=WORK_TIMEOUT)
    monkeypatch.setattr(bootstrap, "create_engines", partial(create_engines, limits=limits))
    async with (
        running_proxy(postgres.address(database)) as proxy,
        service(proxy.url, tmp_path) as client,
    ):
        ada = await sign_up(client, "ada")
        path = f"/workspaces/{(await ada.workspace())['id']}"
        await asyncio.gather(*(ada.get(path) for _ in range(CLIENTS)))
        assert proxy.accepted == limits.postgresql_connections
        proxy.lose_connections()
        assert code(await ada.get(path)) == "503 service-unavailable"
        for _ in range(limits.postgresql_connections):
            assert (await ada.get(path)).status_code == 200


@pytest.mark.long
async def test_the_check_of_readiness_finds_lost_connections(database: str, tmp_path: Path) -> None:
    async with (
        running_proxy(postgres.address(database)) as proxy,
        service(proxy.url, tmp_path) as client,
    ):
        ada = await sign_up(client, "ada")
        path = f"/workspaces/{(await ada.workspace())['id']}"
        await asyncio.gather(*(ada.get(path) for _ in range(CLIENTS)))
        proxy.lose_connections()
        assert await not_ready_because(client) == "the database cannot be reached"

        async def is_ready() -> bool:
            return await not_ready_because(client) is None

        await until(is_ready)
        assert (await ada.get(path)).status_code == 200


@pytest.mark.long
async def test_the_service_stops_although_its_connections_are_lost(
    database: str, tmp_path: Path
) -> None:
    async with (
        running_proxy(postgres.address(database)) as proxy,
        asyncio.timeout(10),
        service(proxy.url, tmp_path) as client,
    ):
        await sign_up(client, "ada")
        proxy.lose_connections()
