"""The counters of attempts, and the known addresses."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, delete, or_, select, update

from symphony.domain.attempts import KNOWN_FOR, AttemptRepository, Attempts, Counter, Outcome
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.models import AttemptCounterModel, KnownAddressModel
from symphony.infrastructure.database.sqlalchemy_internals import upsert

_MAX_REMOVED = 1000  # in one unit of work

_table = cast("Table", AttemptCounterModel.__table__)
_counters = _table.c
_STATE = (_counters.failures, _counters.pending, _counters.failed_at, _counters.reserved_at)
_IS_COUNTER = _counters.counter == bindparam("own_counter")
_FIND = select(*_STATE).where(_IS_COUNTER)
# The update changes nothing; it locks the row that another unit of work has inserted.
_LOCK = (
    upsert(_table)
    .values(
        counter=bindparam("own_counter"),
        subject=bindparam("own_subject"),
        failures=0,
        pending=0,
        failed_at=NOW,
        reserved_at=NOW,
        expires_at=NOW,
    )
    .on_conflict_do_update(
        index_elements=[_counters.counter], set_={"subject": bindparam("own_subject")}
    )
    .returning(*_STATE)
)
_SAVE = (
    update(_table)
    .where(_IS_COUNTER)
    .values(
        failures=bindparam("new_failures"),
        pending=bindparam("new_pending"),
        failed_at=bindparam("new_failed_at"),
        reserved_at=bindparam("new_reserved_at"),
        expires_at=bindparam("new_expires_at"),
    )
)
_REMOVE = delete(_table).where(_IS_COUNTER)
# Rows that are locked just now are in use; to wait for them could be a deadlock.
_REMOVE_EXPIRED = delete(_table).where(
    _counters.counter.in_(
        select(_counters.counter)
        .where(
            or_(
                _counters.expires_at <= NOW,
                # No row is kept that long: the clock was set back since then.
                _counters.expires_at > bindparam("expires_after"),
            )
        )
        .limit(_MAX_REMOVED)
        .with_for_update(skip_locked=True)
    )
)
_CLEAR = delete(_table).where(_counters.subject == bindparam("own_subject"))

_known = cast("Table", KnownAddressModel.__table__)
_IS_ADDRESS = _known.c.address == bindparam("own_address")
_IS_KNOWN = select(_known.c.address).where(
    _IS_ADDRESS, _known.c.signed_in_at > bindparam("signed_in_after")
)
_REMEMBER = (
    upsert(_known)
    .values(address=bindparam("own_address"), signed_in_at=NOW)
    .on_conflict_do_update(index_elements=[_known.c.address], set_={"signed_in_at": NOW})
)
_FORGET_EXPIRED = delete(_known).where(
    _known.c.address.in_(
        select(_known.c.address)
        .where(_known.c.signed_in_at <= bindparam("signed_in_before"))
        .limit(_MAX_REMOVED)
        .with_for_update(skip_locked=True)
    )
)


class SqlAlchemyAttempts(AttemptRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def may_start(self, counter: Counter) -> bool:
        now = self._connection.now()
        rows = await self._connection.fetch(_FIND, {"own_counter": counter.key})
        return not rows or counter.attempts(*rows[0]).at(now).may_start(now)

    async def reserve(self, counter: Counter) -> bool:
        stored, now = await self._lock(counter)
        attempts = stored.at(now)
        if not attempts.may_start(now):
            return False
        await self._save(counter, attempts.reserved(now))
        return True

    async def finish(self, counter: Counter, outcome: Outcome) -> None:
        stored, now = await self._lock(counter)
        finished = stored.finished(outcome, now)  # also one that took too long is not abandoned
        if finished.failures or finished.pending:
            await self._save(counter, finished)
        else:
            await self._connection.fetch(_REMOVE, {"own_counter": counter.key})
        if outcome is Outcome.FAILED:
            after = {"expires_after": now + timedelta(days=2)}
            await self._connection.fetch(_REMOVE_EXPIRED, after)

    async def clear(self, subject: bytes) -> None:
        await self._connection.fetch(_CLEAR, {"own_subject": subject})

    async def is_known(self, address: bytes) -> bool:
        after = {"signed_in_after": self._connection.now() - KNOWN_FOR}
        return bool(await self._connection.fetch(_IS_KNOWN, {"own_address": address} | after))

    async def remember(self, address: bytes) -> None:
        await self._connection.fetch(_REMEMBER, {"own_address": address})
        before = {"signed_in_before": self._connection.now() - KNOWN_FOR}
        await self._connection.fetch(_FORGET_EXPIRED, before)

    async def _lock(self, counter: Counter) -> tuple[Attempts, datetime]:
        """Lock the counter's row until the end of the unit of work, and return what it stores."""
        parameters = {"own_counter": counter.key, "own_subject": counter.subject}
        rows = await self._connection.fetch(_LOCK, parameters)
        now = self._connection.now()  # after the wait for the lock
        return counter.attempts(*rows[0]), now

    async def _save(self, counter: Counter, attempts: Attempts) -> None:
        new = {
            "new_failures": attempts.failures,
            "new_pending": attempts.pending,
            "new_failed_at": attempts.failed_at,
            "new_reserved_at": attempts.reserved_at,
            "new_expires_at": attempts.expires_at,
        }
        await self._connection.fetch(_SAVE, {"own_counter": counter.key} | new)
