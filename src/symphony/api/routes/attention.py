"""The route that tells what needs attention."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import Field

from symphony.api.conditions import answer_if_modified
from symphony.api.dependencies import Actor, App
from symphony.api.fields import FolderName, RepoId, UserProfileId, WorkspaceId
from symphony.api.problems.catalogue import documented
from symphony.api.responses import Representation
from symphony.api.routes.user_profiles import TAG
from symphony.api.routing import router
from symphony.application.orchestrations import attention_board
from symphony.domain.attention import AttentionKind, AttentionReason

routes = router(TAG)


@dataclass(slots=True)
class AttentionItemResponse(Representation):
    """A repo or a vault that needs attention, and why."""

    kind: Annotated[AttentionKind, Field(description="What it is.", examples=["repo"])]
    id: Annotated[RepoId, Field(description="The repo's or the vault's id.")]
    name: FolderName
    workspace_id: WorkspaceId
    reasons: Annotated[
        tuple[AttentionReason, ...],
        Field(
            description="Why, always in the same order; at least one.",
            examples=[["dirty", "unpushed"]],
        ),
    ]
    observed_at: Annotated[
        datetime,
        Field(description="When this was seen.", examples=["2026-11-16T08:30:00.125000Z"]),
    ]


@dataclass(slots=True)
class AttentionResponse(Representation):
    """What needs attention, over all workspaces."""

    items: Annotated[
        list[AttentionItemResponse],
        Field(description="By workspace, repos before vaults, by name."),
    ]
    observed_at: Annotated[
        datetime,
        Field(
            description="The oldest of the looks that this is made from, also of those at repos"
            " that need nothing.",
            examples=["2026-11-16T08:30:00.125000Z"],
        ),
    ]
    unobserved: Annotated[
        int, Field(description="How many repos have not been looked at yet.", examples=[0])
    ]


@routes.get(
    "/user-profiles/{user_profile_id}/attention",
    summary="See what needs attention",
    responses=documented("user-profile-not-found", "workspace-not-found"),
)
async def get_attention(
    user_profile_id: UserProfileId,
    request: Request,
    response: Response,
    actor: Actor,
    app: App,
    workspace_id: Annotated[
        UUID | None, Query(description="Only what is in this workspace.")
    ] = None,
    reason: Annotated[
        AttentionReason | None, Query(description="Only what needs attention for this reason.")
    ] = None,
    fresh: Annotated[  # noqa: FBT002 - a query parameter
        bool,
        Query(description="Look at each repo now; with `false` tell what was last seen."),
    ] = True,
) -> AttentionResponse:
    """The repos of all workspaces in which work is unfinished, and the vaults left unlocked."""
    board = await attention_board.get_attention(
        attention_board.GetAttention(actor.user_id, user_profile_id, workspace_id, reason, fresh),
        app,
    )
    # Weak (RFC 9110, section 8.8.1): when it was seen makes no difference to what is to be done.
    answer_if_modified(request, response, board.tag, weak=True)
    return AttentionResponse(
        items=AttentionItemResponse.of_each(board.items),
        observed_at=board.observed_at,
        unobserved=board.unobserved,
    )
