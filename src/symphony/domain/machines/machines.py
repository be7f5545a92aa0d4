"""Machines: the computers of a user that report which git repositories they have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain import writes
from symphony.domain.base import NamedEntity, PagedRepository, Rule
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import UserProfileRepository

MAX_MACHINES = 50
"""Per user."""


def _optional_sequence(value: object) -> int | None:
    return None if value is None else rules.count(value)


@dataclass(frozen=True, kw_only=True)
class Machine(NamedEntity):
    """A computer of a user. Its name is unique among the machines of the user.

    `last_report_at` is the time of its last report, None before the first one; `checkout_count`
    is the number of checkouts in that report, `report_sequence` its number.
    """

    noun: ClassVar[str] = "machine"
    rules: ClassVar[Mapping[str, Rule]] = {
        "user_profile_id": rules.identity,
        "name": rules.name,
        "last_report_at": rules.optional_utc_time,
        "checkout_count": rules.count,
        "report_sequence": _optional_sequence,
    }

    user_profile_id: UUID
    last_report_at: datetime | None = None
    checkout_count: int = 0
    report_sequence: int | None = None


class MachineChanges(TypedDict, total=False):
    """The fields to update."""

    name: str


class MachineService:
    """The rules across machines: the owner and the limit. A confined token reaches none."""

    def __init__(
        self, machines: PagedRepository[Machine], user_profiles: UserProfileRepository
    ) -> None:
        self._machines = machines
        self._user_profiles = user_profiles

    async def create(self, reach: Reach, machine: Machine) -> None:
        """Raises: InsufficientScope, NotFound for the user profile, LimitReached, AlreadyExists."""
        reach.require_unconfined()
        owner_id = machine.user_profile_id
        used = await self._user_profiles.count_machines(reach.user_id, owner_id, added=1)
        writes.require_within(MAX_MACHINES, Machine.noun, used)
        await self._machines.add(machine)

    async def update(
        self,
        reach: Reach,
        machine_id: UUID,
        changes: MachineChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Machine:
        """Raises: InsufficientScope, NotFound, PreconditionFailed, Invalid, AlreadyExists."""
        reach.require_unconfined()
        return await writes.update(
            self._machines,
            reach,
            machine_id,
            expected_tags,
            lambda machine: machine.updated(changes),
        )

    async def remove(
        self, reach: Reach, machine_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> None:
        """Remove a machine; revokes its API tokens.

        Raises: InsufficientScope, NotFound, PreconditionFailed.
        """
        reach.require_unconfined()

        async def count(_: Machine, added: int) -> None:
            await self._user_profiles.count_machines(reach.user_id, reach.user_id, added=added)

        await writes.remove_from_parent(self._machines, reach, machine_id, expected_tags, count)
