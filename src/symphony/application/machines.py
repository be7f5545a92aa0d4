"""Use cases of machines."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.domain.base import Page, PageRequest
from symphony.domain.machines.machines import Machine, MachineChanges
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class CreateMachine:
    """Create a machine of the actor."""

    actor: Reach
    name: str


@dataclass(frozen=True, slots=True)
class UpdateMachine:
    actor: Reach
    machine_id: UUID
    changes: MachineChanges
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteMachine:
    """Delete a machine, and revoke its API tokens."""

    actor: Reach
    machine_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetMachine:
    actor: Reach
    machine_id: UUID


@dataclass(frozen=True, slots=True)
class ListMachines:
    """List the machines of the actor."""

    actor: Reach
    page: PageRequest


async def create_machine(command: CreateMachine, services: Services) -> Machine:
    """Raises: Invalid, InsufficientScope, NotFound for the user profile, LimitReached,
    AlreadyExists.
    """
    machine = Machine(user_profile_id=command.actor.user_id, name=command.name)
    await services.machines.create(command.actor, machine)
    return machine


async def update_machine(command: UpdateMachine, services: Services) -> Machine:
    """Raises: InsufficientScope, NotFound, PreconditionFailed, Invalid, AlreadyExists."""
    return await services.machines.update(
        command.actor, command.machine_id, command.changes, command.expected_tags
    )


async def delete_machine(command: DeleteMachine, services: Services) -> None:
    """Raises: InsufficientScope, NotFound, PreconditionFailed."""
    await services.machines.remove(command.actor, command.machine_id, command.expected_tags)


async def get_machine(query: GetMachine, queries: Queries) -> Machine:
    """Raises: InsufficientScope, NotFound."""
    query.actor.require_unconfined()
    return await queries.repositories.machines.get(query.actor, query.machine_id)


async def list_machines(query: ListMachines, queries: Queries) -> Page[Machine]:
    """Raises: InsufficientScope, NotFound for the user profile."""
    query.actor.require_unconfined()
    return await queries.repositories.machines.page(query.actor, query.actor.user_id, query.page)
