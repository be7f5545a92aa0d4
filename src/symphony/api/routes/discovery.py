"""Routes to discover git repositories in a directory, and to import several repos."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from symphony.api.compression import compressible
from symphony.api.dependencies import Actor, App
from symphony.api.fields import (
    WHOLE_NUMBER,
    FolderName,
    Path,
    RemoteUrl,
    WorkspaceId,
    optional,
)
from symphony.api.idempotency import Key, set_created_location
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import Representation, RepresentationWithoutETag
from symphony.api.routes.repos import RepoResponse
from symphony.api.routing import PREFIX, router
from symphony.application import repos as use_cases
from symphony.application.orchestrations import repo_discovery
from symphony.domain.discovery import RepoKind
from symphony.domain.errors import RuleBroken

MAX_ITEMS = 100
MAX_DEPTH = 20
DEFAULT_DEPTH = 4

routes = router("repos")


class DiscoveryCreate(BaseModel):
    """The directory to search for git repositories."""

    model_config = ConfigDict(extra="forbid")

    root: Annotated[
        Path,
        Field(
            description="A directory on the machine of the service, absolute or below `~/`.",
            examples=["~/dev"],
        ),
    ]
    max_depth: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_DEPTH,
            description="The maximum depth of directories below `root` to search.",
            examples=[DEFAULT_DEPTH],
        ),
        WHOLE_NUMBER,
    ] = DEFAULT_DEPTH


@dataclass(slots=True)
class DiscoveredRepo(Representation):
    """A git repository that was found, with the fields for its import."""

    name: Annotated[
        FolderName | None,
        Field(
            description="A name that can be imported, derived from the directory; the repo's name"
            " if registered; null if the path cannot be imported.",
            examples=["engine"],
        ),
    ]
    path: Annotated[
        str,
        Field(
            description="The path without symbolic links; simplified if `name` is null.",
            examples=["/home/ada/dev/engine"],
        ),
    ]
    remote_url: RemoteUrl
    kind: Annotated[
        RepoKind,
        Field(description="The relation to other git repositories.", examples=["repository"]),
    ]
    registered: Annotated[
        bool,
        Field(description="Whether the workspace has a repo with this path.", examples=[False]),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why it cannot be read or imported, or why its remote is missing or"
            " shortened; otherwise null.",
            examples=[None],
        ),
    ]


@dataclass(slots=True)
class DiscoveryResponse(RepresentationWithoutETag):
    """The git repositories in a directory."""

    items: Annotated[
        list[DiscoveredRepo], Field(description="The git repositories, sorted by path.")
    ]
    truncated: Annotated[
        bool,
        Field(
            description="Whether the search stopped early because of a time or size limit.",
            examples=[False],
        ),
    ]


def _without_null(name: object) -> object:
    if name is None:
        raise RuleBroken(
            "string-expected",
            "Must be a string. A discovery returns null for what cannot be imported: leave it out.",
        )
    return name


_CHECKOUT = "checkouts of a machine"


def _ignored(name: str, sent: str = "items of a discovery") -> Any:
    # Without an example: OpenAPI Generator warns of one for a field without a type.
    return Field(description=f"Ignored: {sent}, which have a `{name}`, can be sent as they are.")


class RepoImportItem(BaseModel):
    """A repo to import: an item of a discovery, a checkout of a machine, or a name and a path."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[FolderName, BeforeValidator(_without_null)]
    path: Path
    remote_url: RemoteUrl = None
    kind: Annotated[Any, _ignored("kind")] = optional()
    registered: Annotated[Any, _ignored("registered")] = optional()
    reason: Annotated[Any, _ignored("reason")] = optional()
    repo_ids: Annotated[Any, _ignored("repo_ids", _CHECKOUT)] = optional()
    observed_at: Annotated[Any, _ignored("observed_at", _CHECKOUT)] = optional()


class RepoImport(BaseModel):
    """The repos to import."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[
        list[RepoImportItem],
        Field(min_length=1, max_length=MAX_ITEMS, description="1 to 100 repos."),
    ]


@dataclass(slots=True)
class ImportedRepos(RepresentationWithoutETag):
    """The imported repos."""

    items: Annotated[
        list[RepoResponse], Field(description="The repos, in the order of the request.")
    ]


@routes.post(
    "/workspaces/{workspace_id}/discoveries",
    summary="Discover git repositories",
    responses=problem_responses("git-disabled", "workspace-not-found"),
)
@compressible
async def discover_repos(
    workspace_id: WorkspaceId, body: DiscoveryCreate, actor: Actor, app: App
) -> DiscoveryResponse:
    """Searches a directory for git repositories, and returns the fields to import each of them.

    Creates no repos, changes no files and runs no programs of the repositories.
    """
    discovery = await repo_discovery.discover_repos(
        repo_discovery.DiscoverRepos(actor.reach, workspace_id, body.root, body.max_depth), app
    )
    return DiscoveryResponse(DiscoveredRepo.of_each(discovery.items), discovery.truncated)


@routes.post(
    "/workspaces/{workspace_id}/repos/import",
    status_code=201,
    summary="Import several repos",
    responses=problem_responses("workspace-not-found", "repo-name-taken", "repo-limit-reached"),
)
@compressible
async def import_repos(
    workspace_id: WorkspaceId,
    body: RepoImport,
    key: Key,
    response: Response,
    actor: Actor,
    app: App,
) -> ImportedRepos:
    """Creates all of the repos or none of them. No file on any disk is read or changed.

    Items of a discovery, and checkouts of a machine, can be sent as they are, except those without
    a name.
    """
    items = [use_cases.ImportItem(item.name, item.path, item.remote_url) for item in body.items]
    command = use_cases.ImportRepos(actor.reach, workspace_id, items)
    created = await app.run_once(use_cases.import_repos, command, key)
    set_created_location(response, f"{PREFIX}/workspaces/{workspace_id}/repos", created)
    return ImportedRepos(RepoResponse.of_each(created.result))
