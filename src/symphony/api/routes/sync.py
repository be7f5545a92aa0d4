"""The route to sync a repo with its remote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.dependencies import Actor, App
from symphony.api.fields import RepoId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import RepresentationWithoutETag
from symphony.api.routes.repos import RepoResponse
from symphony.api.routing import router
from symphony.application.orchestrations import repo_sync

routes = router("repos")


@dataclass(slots=True)
class SyncResponse(RepresentationWithoutETag):
    """The branches of a repo's remote, compared with the repo's directory."""

    repo: Annotated[RepoResponse, Field(description="The repo, with its new `last_synced`.")]
    ahead: Annotated[
        int | None,
        Field(
            description="The number of commits of the checked-out branch that the remote lacks;"
            " null if one side has no such branch, or the commits cannot be read or counted.",
            examples=[1],
        ),
    ]
    behind: Annotated[
        int | None,
        Field(
            description="The number of commits of the remote's branch that the directory lacks;"
            " null likewise.",
            examples=[0],
        ),
    ]
    default_branch: Annotated[
        str | None,
        Field(
            description="The branch of the remote's HEAD; null if it has none.", examples=["main"]
        ),
    ]
    branches: Annotated[
        dict[str, str],
        Field(
            description="The branches of the remote, each with its commit.",
            examples=[{"main": "9f2c1f0c5d1b9d3b1f7ad5b8f3f4f1f2a0c4d7e6"}],
        ),
    ]
    synced_at: Annotated[
        datetime,
        Field(description="When the remote responded.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]


@routes.post(
    "/repos/{repo_id}/sync",
    summary="Sync a repo",
    responses=problem_responses(
        "git-disabled",
        "repo-not-found",
        "no-remote",
        "remote-changed",
        "sync-in-progress",
        "remote-failed",
        "remote-timeout",
    ),
)
@compressible
async def sync_repo(repo_id: RepoId, actor: Actor, app: App) -> SyncResponse:
    """Gets the branches of the remote, and compares them with the repo's directory.

    Changes nothing in the directory, and sends no credentials.
    """
    repo, found = await repo_sync.sync_repo(repo_sync.SyncRepo(actor.reach, repo_id), app)
    return SyncResponse(
        repo=RepoResponse.of(repo),
        ahead=found.ahead,
        behind=found.behind,
        default_branch=found.default_branch,
        branches=dict(found.branches),
        synced_at=found.synced_at,
    )
