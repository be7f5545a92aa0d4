"""Which checkouts are kept in memory, and which have to be read again."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from symphony.domain.base import new_id
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import ReportingMachine, StoredCheckout
from symphony.infrastructure.database.machines.remembered import (
    RememberedCheckouts,
    ReportKey,
    UserInputs,
)

TIME = datetime(2026, 11, 16, tzinfo=UTC)


def checkout(machine_id: UUID, path: str = "/engine") -> StoredCheckout:
    return StoredCheckout(
        id=new_id(),
        machine_id=machine_id,
        path=path,
        remotes=(),
        root_commits=(),
        needs_attention=False,
        known_heads="",
        facts="{}",
    )


def test_the_checkouts_of_one_report_are_kept_until_the_next_one_is_read() -> None:
    remembered, machine_id = RememberedCheckouts(), new_id()
    first, second = ReportKey(machine_id, 1, TIME), ReportKey(machine_id, 2, TIME)
    old, new = [checkout(machine_id)], [checkout(machine_id)]
    remembered.keep(first, old)
    assert remembered.get(first) == old
    assert remembered.get(second) is None
    # An attempt to store a report can fail, and another one succeed later.
    assert remembered.get(ReportKey(machine_id, 1, TIME.replace(second=1))) is None
    remembered.keep(second, new)
    assert (remembered.get(first), remembered.get(second)) == (None, new)


def test_those_that_were_not_asked_for_longest_are_forgotten_first() -> None:
    remembered = RememberedCheckouts(max_bytes=10_000)
    keys = [ReportKey(new_id(), 1, TIME) for _ in range(4)]
    for key in keys[:3]:
        remembered.keep(key, [checkout(key.machine_id, "/" * 2_000)])
    assert remembered.get(keys[0]) is not None
    remembered.keep(keys[3], [checkout(keys[3].machine_id, "/" * 2_000)])
    assert [remembered.get(key) is not None for key in keys] == [True, False, True, True]
    large = [checkout(keys[1].machine_id, "/" * 20_000)]
    remembered.keep(keys[1], large)  # more than all that is kept
    assert [remembered.get(key) for key in keys] == [None, None, None, None]


class OfUser:
    """A user with two machines, whose checkouts are remembered, and what was derived from them."""

    def __init__(self, max_bytes: int = 1 << 20) -> None:
        self.remembered, self.id = RememberedCheckouts(max_bytes), new_id()
        self.keys = [ReportKey(new_id(), 1, TIME) for _ in range(2)]
        for key in self.keys:
            self.remembered.keep(key, [checkout(key.machine_id)])
        self.derived = UserCheckouts()
        self.remembered.keep_of_user(self.id, self.inputs(), self.derived)

    def inputs(self, path: str = "/engine", name: str = "laptop", reports: int = 2) -> UserInputs:
        """The same inputs, read again."""
        ids = [each.machine_id for each in self.keys]
        kept = {each.machine_id: self.remembered.get(each) for each in self.keys[:reports]}
        return UserInputs(
            [("1", path)],
            {each: ReportingMachine(each, name, TIME) for each in ids},
            {machine_id: found for machine_id, found in kept.items() if found is not None},
        )

    def found(self, inputs: UserInputs) -> UserCheckouts | None:
        return self.remembered.of_user(self.id, inputs)


def test_what_was_derived_is_kept_for_the_same_inputs_of_the_same_user() -> None:
    user = OfUser()
    assert user.found(user.inputs()) is user.derived
    assert user.remembered.of_user(new_id(), user.inputs()) is None


@pytest.mark.parametrize("changes", [{"path": "/loom"}, {"name": "desktop"}, {"reports": 1}])
def test_what_was_derived_from_other_inputs_is_not_used(changes: dict[str, Any]) -> None:
    user = OfUser()
    assert user.found(user.inputs(**changes)) is None
    assert user.found(user.inputs()) is user.derived


def test_what_was_derived_is_forgotten_with_the_report_of_one_of_its_machines() -> None:
    user = OfUser()
    before = user.inputs()
    user.remembered.keep(user.keys[1], [checkout(user.keys[1].machine_id)])
    assert user.found(before) is None
    assert user.found(user.inputs()) is None
    user.remembered.keep_of_user(user.id, before, user.derived)  # a slower request
    assert user.found(before) is None


def test_what_was_derived_counts_and_goes_with_the_checkouts() -> None:
    user = OfUser(10_000)
    large = ReportKey(new_id(), 1, TIME)
    before = user.inputs()
    user.remembered.keep(large, [checkout(large.machine_id, "/" * 7_000)])
    assert user.found(before) is None
    for key in user.keys:
        user.remembered.keep(key, [checkout(key.machine_id)])
    inputs = user.inputs(path="/" * 9_000)  # more than all that is kept
    user.remembered.keep_of_user(user.id, inputs, user.derived)
    assert user.found(inputs) is None
