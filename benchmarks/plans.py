"""The query plans of every statement that Symphony sends: lists, look-ups and changes.

The statements are not written down here. The service runs in this process and is called over HTTP;
the statements that it sends are recorded, and then explained by the same database with all its
rows.
"""

import logging
import re
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.content import Content
from benchmarks.databases import Database
from benchmarks.services import SECRET, Failed, token
from symphony import logs
from symphony.config.settings import Settings
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.sqlalchemy_internals import Prepared
from symphony.main import create_app

BIG = 1000  # rows
_SORTS = ("created_at", "-created_at", "updated_at", "-updated_at", "name", "-name")
_PASSWORD = "correct horse battery staple"  # noqa: S105 - not a secret
_SCANS = re.compile(r"Seq Scan on (\w+)|^SCAN (\w+)", re.MULTILINE)
_WAYS = re.compile(
    r"(?:Index Only|Index|Bitmap Index) Scan\b.*? using \w+|Bitmap Index Scan on \w+"
    r"|Seq Scan on \w+|(?:SEARCH|SCAN) \w+(?: USING [\w ]+)?"
)

Statements = dict[str, Any]
"""The parameters of each statement."""


async def plans(database: Database, content: Content, folder: Path) -> dict[str, str]:
    """The plan of each statement. Raises: Failed."""
    logs.configure("text")
    logging.getLogger().setLevel(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with _recorded() as statements:
        async with _service(database, folder) as client:
            await _call_everything(client, content)
    engines = create_engines(database.address)
    try:
        async with engines.read.connect() as connection:
            return {
                statement: await _plan(connection, statement, parameters)
                for statement, parameters in statements.items()
            }
    finally:
        await engines.dispose()


async def big_tables(database: Database) -> set[str]:
    """The tables with at least `BIG` rows, which no statement may scan."""
    engines = create_engines(database.address)
    try:
        async with engines.read.connect() as connection:
            big: set[str] = set()
            for table in (
                *("user_profiles", "workspaces", "repos", "vaults", "api_tokens"),
                "repo_observations",
            ):
                counted = await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
                if counted.scalar_one() >= BIG:
                    big.add(table)
            return big
    finally:
        await engines.dispose()


def scanned_tables(plan: str) -> set[str]:
    """The tables that a plan reads from beginning to end."""
    return {table for found in _SCANS.findall(plan) for table in found if table}


def ways(plan: str) -> set[str]:
    """How a plan finds its rows: the indexes it uses and the tables it scans."""
    return {found.strip() for found in _WAYS.findall(plan)}


@contextmanager
def _recorded() -> Generator[Statements]:
    statements: Statements = {}
    arguments = Prepared.arguments

    def record(prepared: Prepared, given: Mapping[str, Any]) -> list[Any]:
        values = arguments(prepared, given)
        statements.setdefault(prepared.sql, tuple(values))
        return values

    with patch.object(Prepared, "arguments", record):
        yield statements


@asynccontextmanager
async def _service(database: Database, folder: Path) -> AsyncGenerator[httpx.AsyncClient]:
    settings = Settings.model_validate(
        {
            "database_url": database.address,
            "secret_key": SECRET,
            "data_dir": folder,
            "max_repos_per_workspace": 10**9,
            "registration": "open",
            "git_roots": [folder],  # an empty folder; the observation is stored all the same
        }
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1"
        ) as client,
    ):
        yield client


async def _call_everything(client: httpx.AsyncClient, content: Content) -> None:
    client.headers["Authorization"] = f"Bearer {token(content.caller)}"
    user = f"/user-profiles/{content.caller}"
    workspace = f"/workspaces/{content.full[0].id}"
    for path, filters in (
        (f"{user}/workspaces", "type=general"),
        (f"{workspace}/repos", "q=engine"),
        (f"{user}/repos", "updated_since=2020-01-01T00:00:00Z"),
        (f"{workspace}/vaults", "is_locked=true"),
        ("/api-tokens", "q=script"),
    ):
        for query in [filters, *(f"sort={sort}" for sort in _SORTS)]:
            page = await _call(client, "GET", f"{path}?limit=1&{query}")
            if page["next_cursor"] is None:
                raise Failed(f"{path}?{query} has one page only")
            await _call(client, "GET", f"{path}?limit=1&{query}&cursor={page['next_cursor']}")
    await _call(client, "GET", f"{workspace}/stats")
    for everywhere_or_one in ("", f"&workspace_id={content.full[0].id}"):
        await _call(client, "GET", f"{user}/attention?fresh=false{everywhere_or_one}")
    created = await _call(client, "POST", f"{user}/workspaces", {"name": "Explained"})
    await _update_everything(client, created["id"], content.full[0].id)
    await _sign_up_and_delete(client)


async def _update_everything(client: httpx.AsyncClient, workspace: str, other: UUID) -> None:
    """Create, get, update, move and delete in a workspace, and the workspace itself."""
    for noun in ("repos", "vaults"):
        body = {"name": "explained", "path": "~/explained"}
        created = await _call(client, "POST", f"/workspaces/{workspace}/{noun}", body, key=noun)
        await _call(client, "POST", f"/workspaces/{workspace}/{noun}", body, key=noun)
        await _call(client, "GET", f"/{noun}/{created['id']}")
        await _call(client, "PATCH", f"/{noun}/{created['id']}", {"path": "~/changed"})
        if noun == "repos":
            await _call(client, "GET", f"/{noun}/{created['id']}/status")
        await _call(client, "PATCH", f"/{noun}/{created['id']}", {"workspace_id": str(other)})
        await _call(client, "DELETE", f"/{noun}/{created['id']}")
    await _call(client, "GET", f"/workspaces/{workspace}")
    await _call(client, "PATCH", f"/workspaces/{workspace}", {"description": "changed"})
    await _call(client, "DELETE", f"/workspaces/{workspace}?force=true")


async def _sign_up_and_delete(client: httpx.AsyncClient) -> None:
    """Sign up, sign in with either name, create an API token, delete the user."""
    email = "explained@example.org"
    body = {"username": "explained", "email": email, "password": _PASSWORD}
    user = (await _call(client, "POST", "/user-profiles", body))["id"]
    for login in ("explained", email):
        form = {"username": login, "password": _PASSWORD}
        answer = await client.post("/auth/token", data=form)
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    await client.post("/auth/token", data={"username": "explained", "password": "not this one"})
    created = await _call(client, "POST", "/api-tokens", {"name": "t", "scopes": ["read", "write"]})
    client.headers["Authorization"] = f"Bearer {created['token']}"
    await _call(client, "PATCH", f"/user-profiles/{user}", {"preferences": {"theme": "dark"}})
    await _call(client, "DELETE", f"/api-tokens/{created['id']}")
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    await _call(client, "DELETE", f"/user-profiles/{user}")


async def _call(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    key: str | None = None,
) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await client.request(method, path, json=body, headers=headers)
    if not answer.is_success:
        raise Failed(f"{method} {path} is answered with {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else None


async def _plan(connection: AsyncConnection, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    lines = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(row[-1] for row in lines)
