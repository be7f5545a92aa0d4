"""Routes of machines."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.compression import compressible
from symphony.api.conditions import ExpectedTags, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import MachineId, Name, UserProfileId, merge_patch, optional
from symphony.api.idempotency import Key, set_created_headers
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Paged
from symphony.api.responses import EntityRepresentation, NextCursor
from symphony.api.routing import PREFIX, READ, REPORT, needs_scopes, of_whole_user, router
from symphony.application import machines as use_cases

routes = router("machines")

MachineName = Annotated[Name, Field(examples=["ada-laptop"])]


class MachineCreate(BaseModel):
    """The fields of a new machine."""

    model_config = ConfigDict(extra="forbid")

    name: MachineName


class MachinePatch(BaseModel):
    """A merge patch (RFC 7396): replaces the given fields."""

    model_config = merge_patch(name="ada-desktop")

    name: MachineName = optional()


@dataclass(slots=True)
class MachineResponse(EntityRepresentation):
    """A machine."""

    id: MachineId
    user_profile_id: UserProfileId
    name: MachineName
    last_report_at: Annotated[
        datetime | None,
        Field(
            description="When the machine last reported what it has; null before its first report.",
            examples=[None],
        ),
    ]
    checkout_count: Annotated[
        int, Field(description="The number of checkouts in its last report.", examples=[0])
    ]


@dataclass(slots=True)
class MachineList:
    """A page of machines."""

    items: Annotated[list[MachineResponse], Field(description="The machines of this page.")]
    next_cursor: NextCursor


@routes.post(
    "/machines",
    status_code=201,
    summary="Create a machine",
    responses=problem_responses(
        "user-profile-not-found", "machine-name-taken", "machine-limit-reached"
    ),
)
@compressible
@of_whole_user
async def create_machine(
    body: MachineCreate, key: Key, response: Response, actor: Actor, app: App
) -> MachineResponse:
    """Creates a machine of yours. Its name is unique among your machines."""
    created = await app.run_once(
        use_cases.create_machine, use_cases.CreateMachine(actor.reach, body.name), key
    )
    set_created_headers(response, f"{PREFIX}/machines", created)
    return MachineResponse.of(created.result)


@routes.get(
    "/machines", summary="List machines", responses=problem_responses("user-profile-not-found")
)
@compressible
@of_whole_user
async def list_machines(listing: Paged, actor: Actor, app: App) -> MachineList:
    """Returns a page of your machines."""
    page = await app.ask(
        use_cases.list_machines, use_cases.ListMachines(actor.reach, listing.page())
    )
    return MachineList(
        items=MachineResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get(
    "/machines/{machine_id}",
    summary="Get a machine",
    responses=problem_responses("machine-not-found"),
)
@compressible
@of_whole_user
@needs_scopes(READ, REPORT)
async def get_machine(
    machine_id: MachineId, request: Request, response: Response, actor: Actor, app: App
) -> MachineResponse:
    """Returns a machine. A token with the scope `report` gets its own machine only."""
    machine = await app.ask(use_cases.get_machine, use_cases.GetMachine(actor.reach, machine_id))
    answer_if_modified(request, response, machine.tag)
    return MachineResponse.of(machine)


@routes.patch(
    "/machines/{machine_id}",
    summary="Update a machine",
    responses=problem_responses("machine-not-found", "machine-name-taken"),
)
@compressible
@of_whole_user
async def update_machine(
    machine_id: MachineId,
    body: MachinePatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> MachineResponse:
    """Updates the given fields."""
    machine = await app.run(
        use_cases.update_machine,
        use_cases.UpdateMachine(
            actor=actor.reach,
            machine_id=machine_id,
            changes=body.model_dump(exclude_unset=True),  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
            expected_tags=expected,
        ),
    )
    set_etag(response, machine)
    return MachineResponse.of(machine)


@routes.delete(
    "/machines/{machine_id}",
    status_code=204,
    summary="Delete a machine",
    responses=problem_responses("machine-not-found"),
)
@of_whole_user
async def delete_machine(
    machine_id: MachineId, expected: ExpectedTags, actor: Actor, app: App
) -> None:
    """Deletes a machine, and revokes its API tokens. Nothing on the machine itself is changed."""
    await app.run(
        use_cases.delete_machine, use_cases.DeleteMachine(actor.reach, machine_id, expected)
    )
