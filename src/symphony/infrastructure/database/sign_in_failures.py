"""Failed sign-ins, counted in one statement so that parallel ones count right."""

from typing import cast

from sqlalchemy import Table, bindparam, case, delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite's compiler takes it as well

from symphony.domain.base import utc_now
from symphony.domain.sign_in_failures import WINDOW, RecentFailures, SignInFailureRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.models import SignInFailureModel

_table = cast("Table", SignInFailureModel.__table__)
_failures = _table.c
_OF_ACCOUNT = _failures.account == bindparam("own_account")
_LATELY = select(_failures.failures, _failures.since).where(
    _OF_ACCOUNT, _failures.since > bindparam("begun_after")
)
_NOW = bindparam("now", type_=_failures.since.type)
_LONG_AGO = _failures.since <= bindparam("begun_before")
_COUNT = (
    insert(_table)
    .values(account=bindparam("own_account"), failures=1, since=_NOW)
    .on_conflict_do_update(
        index_elements=[_failures.account],
        set_={
            "failures": case((_LONG_AGO, 1), else_=_failures.failures + 1),
            "since": case((_LONG_AGO, _NOW), else_=_failures.since),
        },
    )
    .returning(_failures.failures, _failures.since)
)
_FORGET = delete(_table).where(_failures.since < bindparam("begun_before"))


class SqlAlchemySignInFailures(SignInFailureRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def recent(self, account: bytes) -> RecentFailures:
        parameters = {"own_account": account, "begun_after": utc_now() - WINDOW}
        found = await self._connection.rows(_LATELY, parameters)
        return RecentFailures(*found[0]) if found else RecentFailures(0, utc_now())

    async def add(self, account: bytes) -> RecentFailures:
        now = utc_now()
        parameters = {"own_account": account, "now": now, "begun_before": now - WINDOW}
        counted = await self._connection.rows(_COUNT, parameters)
        await self._connection.rows(_FORGET, {"begun_before": now - 2 * WINDOW})
        return RecentFailures(*counted[0])
