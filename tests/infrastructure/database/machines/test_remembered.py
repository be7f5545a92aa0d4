"""Which checkouts are kept in memory, and which have to be read again."""

from datetime import UTC, datetime
from uuid import UUID

from symphony.domain.base import new_id
from symphony.domain.machines.checkouts import StoredCheckout
from symphony.infrastructure.database.machines.remembered import RememberedCheckouts, ReportKey

TIME = datetime(2026, 11, 16, tzinfo=UTC)


def checkout(machine_id: UUID, path: str = "/engine") -> StoredCheckout:
    return StoredCheckout(
        id=new_id(),
        machine_id=machine_id,
        path=path,
        remotes=(),
        has_remotes=False,
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
