"""The handwritten service: the same answers from Starlette and the database driver alone.

It is the lower bound of what a request costs; what Symphony costs more is the price of its rules
and its structure. It checks tokens, owners and limits; of fields it checks only their presence.
"""

import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import jwt
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import handwritten_stores
from benchmarks.handwritten_stores import Full, NotFound, Store

KEY = bytes.fromhex(os.environ["BENCHMARK_KEY"])
DATABASE = os.environ["BENCHMARK_DATABASE"]
MAX_REPOS = int(os.environ["BENCHMARK_MAX_REPOS"])


async def get_repo(request: Request) -> Response:
    caller = _caller(request)
    return _answer(await _store(request).get(caller, request.path_params["repo_id"]))


async def list_repos(request: Request) -> Response:
    caller = _caller(request)
    limit = int(request.query_params.get("limit", "50"))
    repos = await _store(request).page(caller, request.path_params["workspace_id"], limit + 1)
    cursor = _cursor(repos[limit - 1]) if len(repos) > limit else None
    return _answer({"items": repos[:limit], "next_cursor": cursor})


async def create_repo(request: Request) -> Response:
    caller = _caller(request)
    workspace_id = request.path_params["workspace_id"]
    created = await _store(request).create(caller, workspace_id, await request.json(), MAX_REPOS)
    return _answer(created, 201)


async def update_repo(request: Request) -> Response:
    caller = _caller(request)
    repo_id = request.path_params["repo_id"]
    return _answer(await _store(request).update(caller, repo_id, await request.json()))


async def ready(_: Request) -> Response:
    return Response("ready")


def _caller(request: Request) -> UUID:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    try:
        claims: dict[str, Any] = jwt.decode(  # pyright: ignore[reportUnknownMemberType] - its signature names types of a package that is not installed
            token, KEY, algorithms=["HS256"], options={"require": ["exp", "sub"]}
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return UUID(claims["sub"])


def _store(request: Request) -> Store:
    return request.app.state.store


def _answer(content: dict[str, Any], status: int = 200) -> Response:
    return Response(to_json(content), status, media_type="application/json")


def _cursor(last: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{last['created_at']} {last['id']}".encode()).decode()


async def _not_found(_: Request, __: Exception) -> Response:
    return Response(status_code=404)


async def _full(_: Request, __: Exception) -> Response:
    return Response(status_code=409)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncGenerator[None]:
    async with handwritten_stores.opened(DATABASE) as store:
        app.state.store = store
        yield


app = Starlette(
    routes=[
        Route("/health/ready", ready),
        Route("/api/v1/repos/{repo_id:uuid}", get_repo, methods=["GET"]),
        Route("/api/v1/repos/{repo_id:uuid}", update_repo, methods=["PATCH"]),
        Route("/api/v1/workspaces/{workspace_id:uuid}/repos", list_repos, methods=["GET"]),
        Route("/api/v1/workspaces/{workspace_id:uuid}/repos", create_repo, methods=["POST"]),
    ],
    exception_handlers={NotFound: _not_found, Full: _full},
    lifespan=_lifespan,
)
