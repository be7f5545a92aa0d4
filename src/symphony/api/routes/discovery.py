"""Routes for finding repositories on the disk, and for registering many at once."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.dependencies import Actor, App
from symphony.api.fields import WHOLE_NUMBER, FolderName, Path, RemoteUrl, WorkspaceId
from symphony.api.idempotency import Key, answer_made_at
from symphony.api.problems.catalogue import documented
from symphony.api.responses import Finding, Representation, Several
from symphony.api.routes.repos import RepoResponse
from symphony.api.routing import PREFIX, router
from symphony.application import repos as use_cases
from symphony.application.orchestrations import repo_discovery
from symphony.domain.discovery import RepoKind

MAX_ITEMS = 100
MAX_DEPTH = 20
USUAL_DEPTH = 4

routes = router("repos")


class DiscoveryCreate(BaseModel):
    """Where to look for repositories."""

    model_config = ConfigDict(extra="forbid")

    root: Annotated[
        Path,
        Field(
            description="A folder on the machine of the service, absolute or in the home folder.",
            examples=["~/dev"],
        ),
    ]
    max_depth: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_DEPTH,
            description="How many folders below it to go down at most.",
            examples=[USUAL_DEPTH],
        ),
        WHOLE_NUMBER,
    ] = USUAL_DEPTH


@dataclass(slots=True)
class DiscoveredRepo(Representation):
    """A repository that was found, in the form in which it can be imported."""

    name: Annotated[
        FolderName | None,
        Field(
            description="Its folder's name, made legal and free in the workspace; the repo's when"
            " it is registered; null when it cannot be, for its path.",
            examples=["engine"],
        ),
    ]
    path: Annotated[
        str,
        Field(
            description="Where it is, without links; with a null `name`, only near enough to be"
            " recognised.",
            examples=["/home/ada/dev/engine"],
        ),
    ]
    remote_url: RemoteUrl
    kind: Annotated[
        RepoKind, Field(description="What it is to other repositories.", examples=["repository"])
    ]
    registered: Annotated[
        bool,
        Field(description="Whether a repo of the workspace is at this path.", examples=[False]),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why it cannot be read or imported, or its remote's address is not told or"
            " shortened; else null.",
            examples=[None],
        ),
    ]


@dataclass(slots=True)
class DiscoveryResponse(Finding):
    """The repositories in a folder."""

    items: Annotated[list[DiscoveredRepo], Field(description="What was found, by path.")]
    truncated: Annotated[
        bool,
        Field(
            description="Whether there was more to look at than there is time or room for.",
            examples=[False],
        ),
    ]


class RepoImportItem(BaseModel):
    """A repo to be registered."""

    model_config = ConfigDict(extra="forbid")

    name: FolderName
    path: Path
    remote_url: RemoteUrl = None


class RepoImport(BaseModel):
    """The repos to be registered, all or none."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[
        list[RepoImportItem],
        Field(min_length=1, max_length=MAX_ITEMS, description="1 to 100 repos."),
    ]


@dataclass(slots=True)
class ImportedRepos(Several):
    """What has been registered."""

    items: Annotated[list[RepoResponse], Field(description="The repos, in the order given.")]


@routes.post(
    "/workspaces/{workspace_id}/discoveries",
    summary="Find repositories",
    responses=documented("git-disabled", "workspace-not-found"),
)
async def discover_repos(
    workspace_id: WorkspaceId, body: DiscoveryCreate, actor: Actor, app: App
) -> DiscoveryResponse:
    """Looks for git repositories in a folder, and tells how they could be registered.

    Nothing is registered, and nothing on the disk is changed or run.
    """
    discovery = await repo_discovery.discover_repos(
        repo_discovery.DiscoverRepos(actor.user_id, workspace_id, body.root, body.max_depth), app
    )
    return DiscoveryResponse(DiscoveredRepo.of_each(discovery.items), discovery.truncated)


@routes.post(
    "/workspaces/{workspace_id}/repos/import",
    status_code=201,
    summary="Register several repos",
    responses=documented("workspace-not-found", "repo-name-taken", "repo-limit-reached"),
)
async def import_repos(
    workspace_id: WorkspaceId,
    body: RepoImport,
    key: Key,
    response: Response,
    actor: Actor,
    app: App,
) -> ImportedRepos:
    """Registers all of them or none; nothing on any disk is looked at or touched."""
    items = [use_cases.ImportItem(item.name, item.path, item.remote_url) for item in body.items]
    command = use_cases.ImportRepos(actor.user_id, workspace_id, items)
    made = await app.run_once(use_cases.import_repos, command, key)
    answer_made_at(response, f"{PREFIX}/workspaces/{workspace_id}/repos", made)
    return ImportedRepos(RepoResponse.of_each(made.result))
