"""Routes of workspaces."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.conditions import ExpectedTags, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import (
    Description,
    JsonObject,
    Name,
    UserProfileId,
    WorkspaceId,
    merge_patch,
    optional,
)
from symphony.api.idempotency import Key, answer_made
from symphony.api.pagination import Paged
from symphony.api.problems.catalogue import documented
from symphony.api.responses import EntityRepresentation, NextCursor, Representation
from symphony.api.routing import PREFIX, router
from symphony.application import workspaces as use_cases
from symphony.domain.workspaces import WorkspaceType

routes = router("workspaces")


Type = Annotated[
    WorkspaceType, Field(description="The kind of work it is for.", examples=["research"])
]
WorkspaceSettings = Annotated[
    JsonObject,
    Field(
        description="Whatever programs want to keep here.",
        examples=[{"editor": {"tabs": 4, "theme": "dark"}}],
    ),
]


class WorkspaceCreate(BaseModel):
    """What a workspace is made from."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = None
    workspace_type: Type = WorkspaceType.GENERAL
    settings: WorkspaceSettings = Field(default_factory=dict[str, Any])


class WorkspacePatch(BaseModel):
    """A merge patch (RFC 7396): what is given replaces or is merged, and null removes."""

    model_config = merge_patch(description="Notes and proofs.", settings={"editor": {"wrap": True}})

    name: Name = optional()
    description: Description = None
    workspace_type: Type = optional()
    settings: WorkspaceSettings = optional()


@dataclass(slots=True)
class WorkspaceResponse(EntityRepresentation):
    """A workspace."""

    id: WorkspaceId
    user_profile_id: UserProfileId
    name: Name
    description: Description
    workspace_type: Type
    settings: WorkspaceSettings


@dataclass(slots=True)
class WorkspaceList:
    """A page of a list of workspaces."""

    items: Annotated[list[WorkspaceResponse], Field(description="The workspaces of this page.")]
    next_cursor: NextCursor


@dataclass(slots=True)
class WorkspaceStatsResponse(Representation):
    """How much there is in a workspace."""

    workspace_id: WorkspaceId
    repo_count: Annotated[int, Field(description="How many repos it has.", examples=[2])]
    vault_count: Annotated[int, Field(description="How many vaults it has.", examples=[1])]
    total_resources: Annotated[int, Field(description="Both together.", examples=[3])]


@routes.post(
    "/user-profiles/{user_profile_id}/workspaces",
    status_code=201,
    summary="Make a workspace",
    responses=documented(
        "user-profile-not-found",
        "workspace-name-taken",
        "workspace-limit-reached",
    ),
)
async def create_workspace(
    user_profile_id: UserProfileId,
    body: WorkspaceCreate,
    key: Key,
    response: Response,
    actor: Actor,
    app: App,
) -> WorkspaceResponse:
    """Makes a workspace for a user; its name is unique among the user's workspaces."""
    made = await app.run_once(
        use_cases.create_workspace,
        use_cases.CreateWorkspace(
            actor=actor.user_id,
            user_profile_id=user_profile_id,
            name=body.name,
            description=body.description,
            workspace_type=body.workspace_type,
            settings=body.settings,
        ),
        key,
    )
    answer_made(response, f"{PREFIX}/workspaces", made)
    return WorkspaceResponse.of(made.result)


@routes.get(
    "/user-profiles/{user_profile_id}/workspaces",
    summary="List workspaces",
    responses=documented("user-profile-not-found"),
)
async def list_workspaces(
    user_profile_id: UserProfileId,
    listing: Paged,
    actor: Actor,
    app: App,
    workspace_type: Annotated[
        WorkspaceType | None,
        Query(alias="type", description="Only those of this type."),
    ] = None,
) -> WorkspaceList:
    """The workspaces of a user, page by page."""
    page = await app.ask(
        use_cases.list_workspaces,
        use_cases.ListWorkspaces(
            actor.user_id, user_profile_id, listing.page(workspace_type=workspace_type)
        ),
    )
    return WorkspaceList(
        items=WorkspaceResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get(
    "/workspaces/{workspace_id}",
    summary="Read a workspace",
    responses=documented("workspace-not-found"),
)
async def get_workspace(
    workspace_id: WorkspaceId, request: Request, response: Response, actor: Actor, app: App
) -> WorkspaceResponse:
    """One workspace, by its id."""
    workspace = await app.ask(
        use_cases.get_workspace, use_cases.GetWorkspace(actor.user_id, workspace_id)
    )
    answer_if_modified(request, response, workspace.tag)
    return WorkspaceResponse.of(workspace)


@routes.patch(
    "/workspaces/{workspace_id}",
    summary="Change a workspace",
    responses=documented("workspace-not-found", "workspace-name-taken"),
)
async def update_workspace(
    workspace_id: WorkspaceId,
    body: WorkspacePatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> WorkspaceResponse:
    """Changes what is given; members of `settings` are merged, and removed by null."""
    workspace = await app.run(
        use_cases.update_workspace,
        use_cases.UpdateWorkspace(
            actor=actor.user_id,
            workspace_id=workspace_id,
            changes=body.model_dump(exclude_unset=True),  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
            expected_tags=expected,
        ),
    )
    set_etag(response, workspace)
    return WorkspaceResponse.of(workspace)


@routes.delete(
    "/workspaces/{workspace_id}",
    status_code=204,
    summary="Delete a workspace",
    responses=documented("workspace-not-found", "workspace-not-empty"),
)
async def delete_workspace(
    workspace_id: WorkspaceId,
    expected: ExpectedTags,
    actor: Actor,
    app: App,
    force: Annotated[  # noqa: FBT002 - a query parameter
        bool, Query(description="Delete it with all that is in it.")
    ] = False,
) -> None:
    """Deletes it, and with `force` what is in it: the records of repos, the vaults with all their
    entries. Folders and repositories are not touched.
    """
    await app.run(
        use_cases.delete_workspace,
        use_cases.DeleteWorkspace(actor.user_id, workspace_id, force, expected),
    )


@routes.get(
    "/workspaces/{workspace_id}/stats",
    summary="Count what a workspace holds",
    responses=documented("workspace-not-found"),
)
async def get_workspace_stats(
    workspace_id: WorkspaceId, request: Request, response: Response, actor: Actor, app: App
) -> WorkspaceStatsResponse:
    """How many repos and vaults there are in a workspace."""
    stats = await app.ask(
        use_cases.get_workspace_stats, use_cases.GetWorkspaceStats(actor.user_id, workspace_id)
    )
    answer_if_modified(request, response, stats.tag)
    return WorkspaceStatsResponse.of(stats)
