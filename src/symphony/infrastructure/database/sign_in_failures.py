"""Failed sign-ins; a single statement counts one, so parallel failures are all counted."""

from typing import cast

from sqlalchemy import Table, bindparam, case, delete, or_, select

from symphony.domain.sign_in_failures import (
    CLOCK_DIFFERENCE,
    WINDOW,
    RecentFailures,
    SignInFailureRepository,
)
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.models import SignInFailureModel
from symphony.infrastructure.database.sqlalchemy_internals import upsert

_table = cast("Table", SignInFailureModel.__table__)
_failures = _table.c
_IS_OF_ACCOUNT = _failures.account == bindparam("own_account")
_RECENT = select(_failures.failures, _failures.since).where(
    _IS_OF_ACCOUNT, _failures.since > bindparam("since_after")
)
_IS_EXPIRED = or_(
    _failures.since <= bindparam("since_before"),
    # The clock was set back: the minute would last until it has caught up.
    _failures.since > bindparam("since_after"),
)
_COUNT = (
    upsert(_table)
    .values(account=bindparam("own_account"), failures=1, since=NOW)
    .on_conflict_do_update(
        index_elements=[_failures.account],
        set_={
            "failures": case((_IS_EXPIRED, 1), else_=_failures.failures + 1),
            # Another process's clock may be ahead; the minute then begins by this one's.
            "since": case((or_(_IS_EXPIRED, _failures.since > NOW), NOW), else_=_failures.since),
        },
    )
    .returning(_failures.failures, _failures.since)
)
_REMOVE_EXPIRED = delete(_table).where(_failures.since < bindparam("since_before"))
_CLEAR = delete(_table).where(_IS_OF_ACCOUNT)


class SqlAlchemySignInFailures(SignInFailureRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def recent(self, account: bytes) -> RecentFailures:
        now = self._connection.now()
        parameters = {"own_account": account, "since_after": now - WINDOW}
        rows = await self._connection.fetch(_RECENT, parameters)
        return RecentFailures(*rows[0]) if rows else RecentFailures(0, now)

    async def add(self, account: bytes) -> RecentFailures:
        now = self._connection.now()
        parameters = {
            "own_account": account,
            "now": now,
            "since_before": now - WINDOW,
            "since_after": now + CLOCK_DIFFERENCE,
        }
        rows = await self._connection.fetch(_COUNT, parameters)
        await self._connection.fetch(_REMOVE_EXPIRED, {"since_before": now - 2 * WINDOW})
        return RecentFailures(*rows[0])

    async def clear(self, account: bytes) -> None:
        await self._connection.fetch(_CLEAR, {"own_account": account})
