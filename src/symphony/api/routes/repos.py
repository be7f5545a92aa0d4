"""Routes of repos."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.compression import compressible
from symphony.api.conditions import ExpectedTags, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import (
    FolderName,
    Metadata,
    NewWorkspaceId,
    NormalizedRemote,
    Path,
    RemoteUrl,
    RepoId,
    UserProfileId,
    WorkspaceId,
    merge_patch,
    optional,
)
from symphony.api.idempotency import Key, set_created_headers
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Paged
from symphony.api.responses import (
    EntityRepresentation,
    NextCursor,
)
from symphony.api.routing import PREFIX, router
from symphony.application import repos as use_cases
from symphony.domain.fields import MAX_URL

routes = router("repos")


class RepoCreate(BaseModel):
    """The fields of a new repo."""

    model_config = ConfigDict(extra="forbid")

    name: FolderName
    path: Path
    remote_url: RemoteUrl = None
    metadata: Metadata = Field(default_factory=dict[str, Any])


class RepoPatch(BaseModel):
    """A merge patch (RFC 7396): replaces the given fields, merges objects; null removes."""

    model_config = merge_patch(path="~/code/engine", metadata={"stars": 5})

    workspace_id: NewWorkspaceId = optional()
    name: FolderName = optional()
    path: Path = optional()
    remote_url: RemoteUrl = None
    metadata: Metadata = optional()


@dataclass(slots=True)
class RepoResponse(EntityRepresentation):
    """A repo: a git repository that is registered in a workspace."""

    id: RepoId
    workspace_id: WorkspaceId
    name: FolderName
    path: Path
    remote_url: RemoteUrl
    metadata: Metadata
    last_synced: Annotated[
        datetime | None,
        Field(description="When it was last synced; null before the first sync.", examples=[None]),
    ]


@dataclass(slots=True)
class RepoList:
    """A page of repos."""

    items: Annotated[list[RepoResponse], Field(description="The repos of this page.")]
    next_cursor: NextCursor


@routes.post(
    "/workspaces/{workspace_id}/repos",
    status_code=201,
    summary="Create a repo",
    responses=problem_responses("workspace-not-found", "repo-name-taken", "repo-limit-reached"),
)
@compressible
async def create_repo(
    workspace_id: WorkspaceId,
    body: RepoCreate,
    key: Key,
    response: Response,
    actor: Actor,
    app: App,
) -> RepoResponse:
    """Registers a git repository in a workspace. No file on any disk is read or changed."""
    created = await app.run_once(
        use_cases.create_repo,
        use_cases.CreateRepo(
            actor=actor.reach,
            workspace_id=workspace_id,
            name=body.name,
            path=body.path,
            remote_url=body.remote_url,
            metadata=body.metadata,
        ),
        key,
    )
    set_created_headers(response, f"{PREFIX}/repos", created)
    return RepoResponse.of(created.result)


@routes.get(
    "/workspaces/{workspace_id}/repos",
    summary="List repos",
    responses=problem_responses("workspace-not-found"),
)
@compressible
async def list_repos(workspace_id: WorkspaceId, listing: Paged, actor: Actor, app: App) -> RepoList:
    """Returns a page of the repos of a workspace."""
    page = await app.ask(
        use_cases.list_repos, use_cases.ListRepos(actor.reach, workspace_id, listing.page())
    )
    return RepoList(
        items=RepoResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get(
    "/user-profiles/{user_profile_id}/repos",
    summary="List repos of all workspaces",
    responses=problem_responses("user-profile-not-found", "workspace-not-found"),
)
@compressible
async def list_repos_of_user(
    user_profile_id: UserProfileId,
    listing: Paged,
    actor: Actor,
    app: App,
    workspace_id: Annotated[
        WorkspaceId | None, Query(description="Only repos of this workspace.")
    ] = None,
    remote: Annotated[
        NormalizedRemote | None,
        Query(
            max_length=MAX_URL,
            description="Only repos with this remote. Host and path decide: protocol, user, default"
            " port and the suffix `.git` make no difference.",
            examples=["git@git.example.org:ada/engine.git"],
            json_schema_extra={"format": "git-remote"},
        ),
    ] = None,
) -> RepoList:
    """Returns a page of the repos in all workspaces of a user."""
    page = await app.ask(
        use_cases.list_repos_of_user,
        use_cases.ListReposOfUser(
            actor.reach, user_profile_id, listing.page(), workspace_id, remote
        ),
    )
    return RepoList(
        items=RepoResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get("/repos/{repo_id}", summary="Get a repo", responses=problem_responses("repo-not-found"))
@compressible
async def get_repo(
    repo_id: RepoId, request: Request, response: Response, actor: Actor, app: App
) -> RepoResponse:
    """Returns a repo."""
    repo = await app.ask(use_cases.get_repo, use_cases.GetRepo(actor.reach, repo_id))
    answer_if_modified(request, response, repo.tag)
    return RepoResponse.of(repo)


@routes.patch(
    "/repos/{repo_id}",
    summary="Update a repo",
    responses=problem_responses("repo-not-found", "repo-name-taken", "repo-limit-reached"),
)
@compressible
async def update_repo(
    repo_id: RepoId,
    body: RepoPatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> RepoResponse:
    """Updates the given fields. Members of `metadata` are merged; null removes a member.

    Another `workspace_id` moves the repo to that workspace of the same user.
    """
    repo = await app.run(
        use_cases.update_repo,
        use_cases.UpdateRepo(
            actor=actor.reach,
            repo_id=repo_id,
            changes=body.model_dump(exclude_unset=True),  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
            expected_tags=expected,
        ),
    )
    set_etag(response, repo)
    return RepoResponse.of(repo)


@routes.delete(
    "/repos/{repo_id}",
    status_code=204,
    summary="Delete a repo",
    responses=problem_responses("repo-not-found"),
)
async def delete_repo(repo_id: RepoId, expected: ExpectedTags, actor: Actor, app: App) -> None:
    """Deletes only the record. No file on any disk is changed."""
    await app.run(use_cases.delete_repo, use_cases.DeleteRepo(actor.reach, repo_id, expected))
