"""The route of the attention board."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.conditions import answer_if_modified
from symphony.api.dependencies import Actor, App
from symphony.api.fields import MACHINE_ID, WORKSPACE_ID, Id, Name, RepoId, UserProfileId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import Representation
from symphony.api.routes.user_profiles import TAG
from symphony.api.routing import router
from symphony.application.orchestrations import attention_board
from symphony.domain.attention import (
    AttentionItem,
    AttentionKind,
    Inspection,
)
from symphony.domain.git.reasons import AttentionReason
from symphony.domain.machines.assessment import AssessedCheckout

routes = router(TAG)


def _count(counted: str, example: int) -> Any:
    return Field(
        description=f"The number of {counted}; null for a vault or token.", examples=[example]
    )


@dataclass(slots=True)
class CheckoutMachineResponse(Representation):
    """The machine that has a checkout."""

    id: Annotated[UUID, Field(description="Its id.", examples=[MACHINE_ID])]
    name: Annotated[str, Field(description="Its name.", examples=["laptop"])]


@dataclass(slots=True)
class AttentionCheckoutResponse(Representation):
    """A checkout of a repo, on a machine or on the server's own disk."""

    machine: Annotated[
        CheckoutMachineResponse | None,
        Field(
            description="The machine that reported it; null for the server's own inspection.",
            examples=[{"id": MACHINE_ID, "name": "laptop"}],
        ),
    ]
    path: Annotated[str, Field(description="Its directory.", examples=["/home/ada/dev/engine"])]
    branch: Annotated[
        str | None,
        Field(description="The checked-out branch; null if HEAD is on none.", examples=["main"]),
    ]
    reasons: Annotated[
        tuple[AttentionReason, ...],
        Field(
            description="Why it needs attention, in a fixed order; empty if it does not.",
            examples=[["dirty", "unpushed"]],
        ),
    ]
    at_risk: Annotated[
        bool | None,
        Field(
            description="Whether something exists only in this checkout; null if unknown, also if"
            " its machine has not reported for 7 days and reported none.",
            examples=[True],
        ),
    ]
    observed_at: Annotated[
        datetime,
        Field(
            description="When the service received the report, or inspected the directory.",
            examples=["2026-11-16T08:30:00.125000Z"],
        ),
    ]
    unfinished_since: Annotated[
        datetime | None,
        Field(
            description="Since when, at least, work in it is unfinished; null if unknown.",
            examples=["2026-11-13T09:12:00Z"],
        ),
    ]


@dataclass(slots=True)
class AttentionItemResponse(Representation):
    """A repo, vault or API token that needs attention."""

    kind: Annotated[AttentionKind, Field(description="The kind of resource.", examples=["repo"])]
    id: Annotated[RepoId, Field(description="The id of the repo, vault or API token.")]
    name: Annotated[Name, Field(description="Its name.", examples=["engine"])]
    workspace_id: Annotated[
        Id | None,
        Field(
            description="The id of its workspace; null for an API token.", examples=[WORKSPACE_ID]
        ),
    ]
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
    path: Annotated[
        str | None,
        Field(
            description="The directory of the repo; null for a vault or token.",
            examples=["~/dev/engine"],
        ),
    ]
    branch: Annotated[
        str | None,
        Field(
            description="The checked-out branch; null if HEAD is on none, or for a vault or token.",
            examples=["main"],
        ),
    ]
    ahead: Annotated[
        int | None,
        Field(
            description="The number of commits that its upstream lacks; null without an upstream,"
            " if unknown, or for a vault or token.",
            examples=[1],
        ),
    ]
    behind: Annotated[
        int | None,
        Field(
            description="The number of upstream commits that the branch lacks; null likewise.",
            examples=[0],
        ),
    ]
    staged: Annotated[int | None, _count("files that differ between HEAD and the index", 1)]
    modified: Annotated[int | None, _count("files and submodules that differ from the index", 2)]
    untracked: Annotated[
        int | None, _count("files and directories that are neither tracked nor ignored", 0)
    ]
    conflicted: Annotated[int | None, _count("files with a conflict", 0)]
    stashes: Annotated[int | None, _count("stashes", 0)]
    unpushed_commits: Annotated[
        int | None,
        Field(
            description="How many commits a branch, a tag or the HEAD of a worktree reaches, and no"
            " remote-tracking branch; null if unknown, or for a vault or token.",
            examples=[3],
        ),
    ]
    unpushed_branches: Annotated[
        list[str] | None,
        Field(
            description="Branches with commits that are on no remote, and not known to be"
            " integrated there, the most recent ones first; at most 20. Null for a vault or token.",
            examples=[["main", "idea"]],
        ),
    ]
    at_risk: Annotated[
        bool | None,
        Field(
            description="Whether something exists only in one of the checkouts; null if that could"
            " not be determined. False for a vault or token.",
            examples=[True],
        ),
    ]
    unfinished_since: Annotated[
        datetime | None,
        Field(
            description="Since when, at least, work in one of the checkouts is unfinished; null if"
            " unknown, or for a vault or token.",
            examples=["2026-11-13T09:12:00Z"],
        ),
    ]
    checkouts: Annotated[
        list[AttentionCheckoutResponse],
        Field(
            description="The checkouts of the repo: that of the server first, then by machine and"
            " path. Those that need no attention are among them. Empty for a vault or token."
        ),
    ]


def _item(item: AttentionItem) -> AttentionItemResponse:
    shown = item.shown
    facts = shown and shown.facts
    return AttentionItemResponse(
        kind=item.kind,
        id=item.id,
        name=item.name,
        workspace_id=item.workspace_id,
        reasons=item.reasons,
        observed_at=item.observed_at,
        path=shown and shown.path,
        branch=facts and facts.branch,
        ahead=facts and facts.ahead,
        behind=facts and facts.behind,
        staged=facts and facts.staged,
        modified=facts and facts.modified,
        untracked=facts and facts.untracked,
        conflicted=facts and facts.conflicted,
        stashes=facts and facts.stashes,
        unpushed_commits=facts and facts.unpushed_commits,
        unpushed_branches=None if facts is None else list(facts.unpushed_branches),
        at_risk=item.at_risk,
        unfinished_since=item.unfinished_since,
        checkouts=[checkout_response(each) for each in item.checkouts],
    )


def checkout_response(checkout: AssessedCheckout) -> AttentionCheckoutResponse:
    """Represent a checkout without its status."""
    machine = checkout.machine
    return AttentionCheckoutResponse(
        machine=None if machine is None else CheckoutMachineResponse(machine.id, machine.name),
        path=checkout.path,
        branch=checkout.facts.branch,
        reasons=checkout.reasons,
        at_risk=checkout.at_risk,
        observed_at=checkout.observed_at,
        unfinished_since=checkout.unfinished_since,
    )


@dataclass(slots=True)
class AttentionResponse(Representation):
    """The repos, vaults and API tokens that need attention."""

    items: Annotated[
        list[AttentionItemResponse],
        Field(
            description="Sorted by workspace, repos before vaults, then by name;"
            " API tokens come last, by name."
        ),
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
    inspection: Annotated[
        Inspection,
        Field(
            description="`disabled` if the service has no git roots: then nothing new is known.",
            examples=["enabled"],
        ),
    ]


@routes.get(
    "/user-profiles/{user_profile_id}/attention",
    summary="List what needs attention",
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
        UUID | None, Query(description="Only resources of this workspace, without API tokens.")
    ] = None,
    reason: Annotated[
        AttentionReason | None, Query(description="Only resources with this reason.")
    ] = None,
    at_risk: Annotated[
        bool | None,
        Query(
            description="`true`: only resources with something that exists only there, or may exist"
            " only there; `false`: only the others."
        ),
    ] = None,
    fresh: Annotated[  # noqa: FBT002 - a query parameter
        bool,
        Query(description="`true` inspects every repo now, `false` returns the last observations."),
    ] = True,
) -> AttentionResponse:
    """Returns the repos with unfinished work and the unlocked vaults, over all workspaces, and the
    API tokens that expire within 14 days and have not been rotated.
    """
    board = await attention_board.get_attention(
        attention_board.GetAttention(
            actor.reach, user_profile_id, workspace_id, reason, at_risk, fresh
        ),
        app,
    )
    # Weak (RFC 9110, section 8.8.1): the time of the observation is not part of the state.
    answer_if_modified(request, response, board.tag, weak=True)
    return AttentionResponse(
        items=[_item(each) for each in board.items],
        observed_at=board.observed_at,
        unobserved=board.unobserved,
        inspection=board.inspection,
    )
