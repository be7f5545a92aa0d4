"""Routes of workspaces."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.compression import compressible
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
from symphony.api.idempotency import Key, set_created_headers
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Paged
from symphony.api.responses import EntityRepresentation, NextCursor, Representation
from symphony.api.routing import PREFIX, of_whole_user, router
from symphony.application import workspaces as use_cases
from symphony.domain.workspaces import WorkspaceType

routes = router("workspaces")


Type = Annotated[WorkspaceType, Field(description="The type of work.", examples=["research"])]
WorkspaceSettings = Annotated[
    JsonObject,
    Field(
        description="Any JSON object, for use by client programs.",
        examples=[{"editor": {"tabs": 4, "theme": "dark"}}],
    ),
]


class WorkspaceCreate(BaseModel):
    """The fields of a new workspace."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = None
    workspace_type: Type = WorkspaceType.GENERAL
    settings: WorkspaceSettings = Field(default_factory=dict[str, Any])


class WorkspacePatch(BaseModel):
    """A merge patch (RFC 7396): replaces the given fields, merges objects; null removes."""

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
    """A page of workspaces."""

    items: Annotated[list[WorkspaceResponse], Field(description="The workspaces of this page.")]
    next_cursor: NextCursor


@dataclass(slots=True)
class WorkspaceStatsResponse(Representation):
    """The number of repos and vaults in a workspace."""

    workspace_id: WorkspaceId
    repo_count: Annotated[int, Field(description="The number of repos.", examples=[2])]
    vault_count: Annotated[int, Field(description="The number of vaults.", examples=[1])]
    total_resources: Annotated[
        int, Field(description="The number of repos and vaults.", examples=[3])
    ]


@routes.post(
    "/user-profiles/{user_profile_id}/workspaces",
    status_code=201,
    summary="Create a workspace",
    responses=problem_responses(
        "user-profile-not-found",
        "workspace-name-taken",
        "workspace-limit-reached",
    ),
)
@compressible
@of_whole_user
async def create_workspace(
    user_profile_id: UserProfileId,
    body: WorkspaceCreate,
    key: Key,
    response: Response,
    actor: Actor,
    app: App,
) -> WorkspaceResponse:
    """Creates a workspace. Its name is unique among the workspaces of the user."""
    created = await app.run_once(
        use_cases.create_workspace,
        use_cases.CreateWorkspace(
            actor=actor.reach,
            user_profile_id=user_profile_id,
            name=body.name,
            description=body.description,
            workspace_type=body.workspace_type,
            settings=body.settings,
        ),
        key,
    )
    set_created_headers(response, f"{PREFIX}/workspaces", created)
    return WorkspaceResponse.of(created.result)


@routes.get(
    "/user-profiles/{user_profile_id}/workspaces",
    summary="List workspaces",
    responses=problem_responses("user-profile-not-found"),
)
@compressible
async def list_workspaces(
    user_profile_id: UserProfileId,
    listing: Paged,
    actor: Actor,
    app: App,
    workspace_type: Annotated[
        WorkspaceType | None,
        Query(alias="type", description="Only workspaces of this type."),
    ] = None,
) -> WorkspaceList:
    """Returns a page of the workspaces of a user."""
    page = await app.ask(
        use_cases.list_workspaces,
        use_cases.ListWorkspaces(
            actor.reach, user_profile_id, listing.page(workspace_type=workspace_type)
        ),
    )
    return WorkspaceList(
        items=WorkspaceResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get(
    "/workspaces/{workspace_id}",
    summary="Get a workspace",
    responses=problem_responses("workspace-not-found"),
)
@compressible
async def get_workspace(
    workspace_id: WorkspaceId, request: Request, response: Response, actor: Actor, app: App
) -> WorkspaceResponse:
    """Returns a workspace."""
    workspace = await app.ask(
        use_cases.get_workspace, use_cases.GetWorkspace(actor.reach, workspace_id)
    )
    answer_if_modified(request, response, workspace.tag)
    return WorkspaceResponse.of(workspace)


@routes.patch(
    "/workspaces/{workspace_id}",
    summary="Update a workspace",
    responses=problem_responses("workspace-not-found", "workspace-name-taken"),
)
@compressible
async def update_workspace(
    workspace_id: WorkspaceId,
    body: WorkspacePatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> WorkspaceResponse:
    """Updates the given fields. Members of `settings` are merged; null removes a member."""
    workspace = await app.run(
        use_cases.update_workspace,
        use_cases.UpdateWorkspace(
            actor=actor.reach,
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
    responses=problem_responses("workspace-not-found", "workspace-not-empty"),
)
async def delete_workspace(
    workspace_id: WorkspaceId,
    expected: ExpectedTags,
    actor: Actor,
    app: App,
    force: Annotated[  # noqa: FBT002 - a query parameter
        bool, Query(description="Also delete a workspace that is not empty, with everything in it.")
    ] = False,
) -> None:
    """Deletes a workspace; with `force` also its repos, and its vaults with their entries.

    No directory or git repository on any disk is changed.
    """
    await app.run(
        use_cases.delete_workspace,
        use_cases.DeleteWorkspace(actor.reach, workspace_id, force, expected),
    )


@routes.get(
    "/workspaces/{workspace_id}/stats",
    summary="Get the stats of a workspace",
    responses=problem_responses("workspace-not-found"),
)
@compressible
async def get_workspace_stats(
    workspace_id: WorkspaceId, request: Request, response: Response, actor: Actor, app: App
) -> WorkspaceStatsResponse:
    """Returns the numbers of repos and vaults in a workspace."""
    stats = await app.ask(
        use_cases.get_workspace_stats, use_cases.GetWorkspaceStats(actor.reach, workspace_id)
    )
    answer_if_modified(request, response, stats.tag)
    return WorkspaceStatsResponse.of(stats)
