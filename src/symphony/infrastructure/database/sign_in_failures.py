"""Failed sign-ins, counted in one statement so that parallel ones count right."""

from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, case, delete, select

from symphony.domain.base import utc_now
from symphony.domain.sign_in_failures import WINDOW, Failures, SignInFailures
from symphony.infrastructure.database.models import SignInFailureModel
from symphony.infrastructure.database.sessions import Session
from symphony.infrastructure.database.upsert import insert_for

_table = cast("Table", SignInFailureModel.__table__)
_failures = _table.c
_LATELY = select(_failures.failures, _failures.since).where(
    _failures.account == bindparam("account"), _failures.since > bindparam("begun_after")
)


class SqlAlchemySignInFailures(SignInFailures):
    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, account: bytes) -> Failures:
        found = await self._session.rows(
            _LATELY, {"account": account, "begun_after": utc_now() - WINDOW}
        )
        return Failures(*found[0]) if found else Failures(0, utc_now())

    async def add(self, account: bytes) -> Failures:
        now = utc_now()
        statement = insert_for(self._session, _table).values(account=account, failures=1, since=now)
        begun_before = _failures.since <= now - WINDOW
        counted = await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[_failures.account],
                set_={
                    "failures": case((begun_before, 1), else_=_failures.failures + 1),
                    "since": case((begun_before, now), else_=_failures.since),
                },
            ).returning(_failures.failures, _failures.since)
        )
        count, since = cast("tuple[int, datetime]", counted.one())
        await self._forget_old(now)
        return Failures(count, since)

    async def _forget_old(self, now: datetime) -> None:
        await self._session.execute(delete(_table).where(_failures.since < now - 2 * WINDOW))
