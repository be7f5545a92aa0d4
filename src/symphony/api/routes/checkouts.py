"""Routes of the checkouts that machines have reported."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.dependencies import Actor, App
from symphony.api.fields import Id, MachineId, RepoId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import RepresentationWithoutETag
from symphony.api.routes.attention import AttentionCheckoutResponse, checkout_response
from symphony.api.routes.discovery import DiscoveredRepo
from symphony.api.routes.repo_status import RepoStatusResponse, represented
from symphony.api.routing import of_whole_user, router
from symphony.application import checkouts as use_cases
from symphony.application.orchestrations import repo_checkouts
from symphony.domain.machines.repo_checkouts import DetailedCheckout

routes = router("machines")


@dataclass(slots=True)
class MachineCheckoutResponse(DiscoveredRepo):
    """A checkout that a machine has reported, with the fields for its import."""

    path: Annotated[
        str,
        Field(
            description="Its path on the machine; simplified if `name` is null.",
            examples=["/home/ada/dev/engine"],
        ),
    ]
    registered: Annotated[
        bool, Field(description="Whether it belongs to a repo.", examples=[False])
    ]
    repo_ids: Annotated[
        list[Id],
        Field(description="The ids of the repos that it belongs to.", examples=[[]]),
    ]
    observed_at: Annotated[
        datetime,
        Field(
            description="When the service received the last report of the machine.",
            examples=["2026-11-16T08:30:00.125000Z"],
        ),
    ]


@dataclass(slots=True)
class MachineCheckoutList(RepresentationWithoutETag):
    """The checkouts of a machine."""

    items: Annotated[
        list[MachineCheckoutResponse], Field(description="The checkouts, sorted by path.")
    ]


@dataclass(slots=True)
class RepoCheckoutResponse(AttentionCheckoutResponse):
    """A checkout of a repo with its whole status."""

    status: Annotated[
        RepoStatusResponse,
        Field(description="Its status, as the machine reported it, or the service inspected it."),
    ]


@dataclass(slots=True)
class RepoCheckoutList(RepresentationWithoutETag):
    """The checkouts of a repo."""

    items: Annotated[
        list[RepoCheckoutResponse],
        Field(description="That of the service itself, then those of machines, by their names."),
    ]


@routes.get(
    "/machines/{machine_id}/checkouts",
    summary="List the checkouts of a machine",
    responses=problem_responses("machine-not-found"),
)
@compressible
@of_whole_user
async def list_machine_checkouts(
    machine_id: MachineId,
    actor: Actor,
    app: App,
    registered: Annotated[
        bool | None,
        Query(description="`true`: only those that belong to a repo; `false`: only the others."),
    ] = None,
) -> MachineCheckoutList:
    """Returns all checkouts in the last report of a machine, with the fields to import each.

    Those that belong to no repo can be imported as they are, except those without a name: no repo
    of yours has their names.
    """
    found = await app.ask(
        use_cases.list_machine_checkouts,
        use_cases.ListMachineCheckouts(actor.reach, machine_id, registered),
    )
    return MachineCheckoutList([_proposed(each) for each in found])


@routes.get(
    "/repos/{repo_id}/checkouts",
    summary="List the checkouts of a repo",
    responses=problem_responses("repo-not-found"),
)
@compressible
async def list_repo_checkouts(repo_id: RepoId, actor: Actor, app: App) -> RepoCheckoutList:
    """Returns every checkout of a repo, with its whole status: those that machines have reported,
    and the directory of the repo on the disk of the service, which is inspected now.

    Without git roots the service has none of its own, and one that it cannot read is left out when
    a machine has a checkout.
    """
    found = await repo_checkouts.list_repo_checkouts(
        repo_checkouts.ListRepoCheckouts(actor.reach, repo_id), app
    )
    return RepoCheckoutList([_detailed(each) for each in found])


def _detailed(checkout: DetailedCheckout) -> RepoCheckoutResponse:
    shown = checkout_response(checkout.assessed)
    return RepoCheckoutResponse(
        machine=shown.machine,
        path=shown.path,
        branch=shown.branch,
        reasons=shown.reasons,
        at_risk=shown.at_risk,
        observed_at=shown.observed_at,
        unfinished_since=shown.unfinished_since,
        status=represented(checkout.status),
    )


def _proposed(checkout: use_cases.ProposedCheckout) -> MachineCheckoutResponse:
    proposal = checkout.proposal
    return MachineCheckoutResponse(
        proposal.name,
        proposal.path,
        proposal.remote_url,
        proposal.kind,
        proposal.registered,
        proposal.reason,
        list(checkout.repo_ids),
        checkout.observed_at,
    )
