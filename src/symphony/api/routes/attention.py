"""The route of the attention board."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.conditions import answer_if_modified
from symphony.api.dependencies import Actor, App
from symphony.api.fields import FolderName, RepoId, UserProfileId, WorkspaceId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import Representation
from symphony.api.routes.user_profiles import TAG
from symphony.api.routing import router
from symphony.application.orchestrations import attention_board
from symphony.domain.attention import AttentionKind, AttentionReason

routes = router(TAG)


@dataclass(slots=True)
class AttentionItemResponse(Representation):
    """A repo or vault that needs attention."""

    kind: Annotated[AttentionKind, Field(description="The kind of resource.", examples=["repo"])]
    id: Annotated[RepoId, Field(description="The id of the repo or vault.")]
    name: FolderName
    workspace_id: WorkspaceId
    reasons: Annotated[
        tuple[AttentionReason, ...],
        Field(
            description="Why it needs attention: at least one reason, in a fixed order.",
            examples=[["dirty", "unpushed"]],
        ),
    ]
    observed_at: Annotated[
        datetime,
        Field(description="When the state was observed.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]


@dataclass(slots=True)
class AttentionResponse(Representation):
    """The repos and vaults that need attention."""

    items: Annotated[
        list[AttentionItemResponse],
        Field(description="Sorted by workspace, repos before vaults, then by name."),
    ]
    observed_at: Annotated[
        datetime,
        Field(
            description="The time of the oldest observation in use, including those of repos that"
            " need no attention.",
            examples=["2026-11-16T08:30:00.125000Z"],
        ),
    ]
    unobserved: Annotated[
        int, Field(description="The number of repos that have never been inspected.", examples=[0])
    ]


@routes.get(
    "/user-profiles/{user_profile_id}/attention",
    summary="List repos and vaults that need attention",
    responses=problem_responses("user-profile-not-found", "workspace-not-found"),
)
@compressible
async def get_attention(
    user_profile_id: UserProfileId,
    request: Request,
    response: Response,
    actor: Actor,
    app: App,
    workspace_id: Annotated[
        UUID | None, Query(description="Only resources of this workspace.")
    ] = None,
    reason: Annotated[
        AttentionReason | None, Query(description="Only resources with this reason.")
    ] = None,
    fresh: Annotated[  # noqa: FBT002 - a query parameter
        bool,
        Query(description="`true` inspects every repo now, `false` returns the last observations."),
    ] = True,
) -> AttentionResponse:
    """Returns the repos with unfinished work and the unlocked vaults, over all workspaces."""
    board = await attention_board.get_attention(
        attention_board.GetAttention(actor.user_id, user_profile_id, workspace_id, reason, fresh),
        app,
    )
    # Weak (RFC 9110, section 8.8.1): the time of the observation is not part of the state.
    answer_if_modified(request, response, board.tag, weak=True)
    return AttentionResponse(
        items=AttentionItemResponse.of_each(board.items),
        observed_at=board.observed_at,
        unobserved=board.unobserved,
    )
