"""The route that asks a repo's remote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from symphony.api.dependencies import Actor, App
from symphony.api.fields import RepoId
from symphony.api.problems.catalogue import documented
from symphony.api.responses import Finding
from symphony.api.routes.repos import RepoResponse
from symphony.api.routing import router
from symphony.application.orchestrations import repo_sync

routes = router("repos")


@dataclass(slots=True)
class SyncResponse(Finding):
    """What a repo's remote has."""

    repo: Annotated[RepoResponse, Field(description="The repo, with its new `last_synced`.")]
    ahead: Annotated[
        int | None,
        Field(
            description="How many commits of the branch that is checked out the remote lacks; null"
            " when the folder cannot be read, one has no such branch, or they cannot be counted.",
            examples=[1],
        ),
    ]
    behind: Annotated[
        int | None,
        Field(description="The other way round; null in the same cases.", examples=[0]),
    ]
    default_branch: Annotated[
        str | None,
        Field(description="The remote's own HEAD; null when it has none.", examples=["main"]),
    ]
    branches: Annotated[
        dict[str, str],
        Field(
            description="The commit of each branch of the remote, by its name.",
            examples=[{"main": "9f2c1f0c5d1b9d3b1f7ad5b8f3f4f1f2a0c4d7e6"}],
        ),
    ]
    synced_at: Annotated[
        datetime,
        Field(description="When the remote was asked.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]


@routes.post(
    "/repos/{repo_id}/sync",
    summary="Ask a repo's remote",
    responses=documented(
        "git-disabled",
        "repo-not-found",
        "no-remote",
        "remote-changed",
        "sync-in-progress",
        "remote-failed",
        "remote-timeout",
    ),
)
async def sync_repo(repo_id: RepoId, actor: Actor, app: App) -> SyncResponse:
    """Asks the remote what it has now, and compares it with the repo's folder.

    Nothing is changed in the folder, and no credentials are sent.
    """
    repo, found = await repo_sync.sync_repo(repo_sync.SyncRepo(actor.user_id, repo_id), app)
    return SyncResponse(
        repo=RepoResponse.of(repo),
        ahead=found.ahead,
        behind=found.behind,
        default_branch=found.default_branch,
        branches=dict(found.branches),
        synced_at=found.synced_at,
    )
