"""A client of the service that runs in the test process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import httpx

from symphony.config.settings import Settings
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.main import GitLimits, create_app
from tests.support.hashing import CHEAP

API = "/api/v1"
PASSWORD = "correct horse battery staple"
ALL_SCOPES = ("read", "write", "secrets")
"""The scopes of an access token."""
_PLACES = ("pointer", "parameter")


@asynccontextmanager
async def running_api(
    settings: Settings,
    git_limits: GitLimits | None = None,
    detect: DetectLandlock = detect_landlock,
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a service that is started and stopped in this process."""
    app = create_app(settings, costs=CHEAP, git_limits=git_limits, detect=detect)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://127.0.0.1",
            timeout=60,
        ) as client,
    ):
        yield client


@dataclass(frozen=True, slots=True)
class User:
    """A user who has signed in; all requests carry the token."""

    client: httpx.AsyncClient
    id: str
    name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def using(self, token: str) -> Self:
        """The same user with another token."""
        return replace(self, token=token)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self.headers | options.pop("headers", {})
        return await self.client.request(method, API + path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=json, **options)

    async def put(self, path: str, json: Any, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, json=json, **options)

    async def patch(self, path: str, json: Any, **options: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)

    async def workspace(self, name: str = "Thesis", **fields: Any) -> dict[str, Any]:
        path = f"/user-profiles/{self.id}/workspaces"
        return created(await self.post(path, {"name": name, **fields}))

    async def repo(self, workspace_id: str, name: str = "engine", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "path": f"~/dev/{name}", **fields}
        return created(await self.post(f"/workspaces/{workspace_id}/repos", body))

    async def vault(self, workspace_id: str, name: str = "keys", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "path": f"~/vaults/{name}", **fields}
        return created(await self.post(f"/workspaces/{workspace_id}/vaults", body))

    async def machine(self, name: str = "laptop") -> dict[str, Any]:
        return created(await self.post("/machines", {"name": name}))

    async def api_token(self, *scopes: str, name: str = "laptop", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "scopes": scopes or ALL_SCOPES, **fields}
        return created(await self.post("/api-tokens", body))


async def sign_up(client: httpx.AsyncClient, name: str) -> User:
    """Create a user profile and sign in."""
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    profile = created(await client.post(f"{API}/user-profiles", json=body))
    return User(client, profile["id"], name, await sign_in(client, name))


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> str:
    """Sign in, and return the access token."""
    answer = await client.post(f"{API}/auth/token", data={"username": name, "password": password})
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def created(answer: httpx.Response) -> dict[str, Any]:
    """The body of a 201."""
    assert answer.status_code == 201, answer.text
    return answer.json()


def code(answer: httpx.Response) -> str:
    """The status and code of a problem, whose members are checked."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    return f"{answer.status_code} {problem['code']}"


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """The place and code of each error of a 422."""
    assert code(answer) == "422 validation-error"
    errors = answer.json()["errors"]
    assert all({"code", "detail"} < set(each) <= {"code", "detail", *_PLACES} for each in errors)
    return [(each.get("pointer", each.get("parameter")), each["code"]) for each in errors]


async def created_resource(user: User, answer: httpx.Response, place: str) -> dict[str, Any]:
    """The entity of a 201, whose fields, headers and GET are checked."""
    entity = created(answer)
    assert UUID(entity["id"]).version == 7
    assert entity["version"] == 1
    assert entity["created_at"] == entity["updated_at"]
    assert abs(datetime.now(UTC) - utc(entity["created_at"])) < timedelta(minutes=1)
    assert answer.headers["location"] == f"{API}{place}/{entity['id']}"
    read = await user.get(f"{place}/{entity['id']}")
    assert read.status_code == 200
    assert read.json() == entity
    assert read.headers["etag"] == answer.headers["etag"]
    return entity


def utc(text: str) -> datetime:
    """A time, which must end with Z."""
    assert text.endswith("Z")
    return datetime.fromisoformat(text)
