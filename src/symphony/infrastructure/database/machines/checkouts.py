"""The checkouts in the last report of each machine."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, select

from symphony.domain.base import new_id
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.git.status import RepoState
from symphony.domain.machines.checkout_repository import (
    CheckoutChanges,
    CheckoutRepository,
    UserCheckouts,
)
from symphony.domain.machines.checkouts import (
    Checkout,
    ReceivedCheckout,
    ReceivedReport,
    RepoIdentity,
    ReportingMachine,
    StoredCheckout,
)
from symphony.domain.machines.facts import (
    CheckoutFacts,
    Previous,
    checkout_facts,
    clock_difference,
)
from symphony.domain.reach import Reach
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.machines.checkout_rows import (
    by_first_bytes,
    checkout_in,
    digest_of,
    found_in,
    path_hash,
    row_of,
    values_in,
)
from symphony.infrastructure.database.machines.remembered import (
    RememberedCheckouts,
    ReportKey,
    UserInputs,
)
from symphony.infrastructure.database.mappings import MACHINES, REPOS, WORKSPACES
from symphony.infrastructure.database.models import CheckoutModel, RepoInspectionModel
from symphony.infrastructure.database.reach import OWNER_ID, Because, without_reach
from symphony.infrastructure.database.sqlalchemy_internals import Rows, upsert
from symphony.infrastructure.database.statements.json_rows import ids_in, json_ids

_table = cast("Table", CheckoutModel.__table__)
_checkouts = _table.c
_machines = MACHINES.table.c
_repos = REPOS.table.c
_workspaces = WORKSPACES.table.c
_inspections = cast("Table", RepoInspectionModel.__table__).c

_STORED = select(_checkouts.path_hash, _checkouts.id, _checkouts.digest).where(
    _checkouts.machine_id == ENTITY_ID
)
_PREVIOUS = (
    select(_checkouts.path_hash, _checkouts.facts, _machines.last_report_at)
    .join_from(_table, MACHINES.table)
    .where(_machines.id == ENTITY_ID, _checkouts.id.in_(ids_in("checkout_ids")))
)
_NAMES = tuple(each.name for each in _checkouts)
_insert = upsert(_table).values({name: bindparam(f"new_{name}") for name in _NAMES})
_KEEP = _insert.on_conflict_do_update(
    index_elements=[_checkouts.machine_id, _checkouts.path_hash],
    set_={
        name: _insert.excluded[name]
        for name in _NAMES
        if name not in {"id", "machine_id", "path_hash", "path"}
    },
)
_REMOVE = delete(_table).where(_checkouts.id == ENTITY_ID)
_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    _checkouts[name] for name in StoredCheckout._fields if name != "machine_id"
)
_IS_OF_USER = _machines.user_profile_id == OWNER_ID
_REPORTS = select(
    _machines.id, _machines.name, _machines.last_report_at, _machines.report_sequence
).where(_IS_OF_USER, _machines.last_report_at.is_not(None))
_OF_REPORTS = (
    select(_machines.id, _machines.report_sequence, _machines.last_report_at, *_COLUMNS)
    .join_from(MACHINES.table, _table, isouter=True)
    .where(_IS_OF_USER, _machines.id.in_(ids_in("machine_ids")))
)
_OF_MACHINE = (
    select(*_COLUMNS)
    .join_from(_table, MACHINES.table)
    .where(_IS_OF_USER, _machines.id == ENTITY_ID)
)
# A join would be quick on one database only: SQLite reads all ids for each checkout.
_OF_IDS = (
    select(_checkouts.id, _checkouts.heads, _checkouts.detail, _machines.last_report_at)
    .join_from(_table, MACHINES.table)
    .where(_IS_OF_USER, _checkouts.id.in_(ids_in("checkout_ids")))
)
_HEADS = _OF_IDS.with_only_columns(_checkouts.id, _checkouts.heads)
_DETAILS = _OF_IDS.with_only_columns(_checkouts.id, _checkouts.detail, _machines.last_report_at)
_READ = (RepoState.CLEAN.value, RepoState.DIRTY.value)
# An observation of another path does not describe the repo.
_IS_OF_REPO = and_(_inspections.repo_id == _repos.id, _inspections.path == _repos.path)
_REPOS = without_reach(
    select(
        _repos.id,
        _repos.path,
        _repos.remote_url,
        _inspections.facts["state"].as_string(),
        _repos.name,
    )
    .join_from(WORKSPACES.table, REPOS.table)
    .outerjoin(_inspections.repo_id.table, _IS_OF_REPO)
    .where(_workspaces.user_profile_id == OWNER_ID),
    Because.RECOGNIZES_CHECKOUTS,
)

_remembered = RememberedCheckouts()
# One after the other: threads that compute share Python's lock, so several would all be late.
_converting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkouts")


class _Change(NamedTuple):
    """A checkout to be stored; `stored_id` is the id of its row, None without one."""

    path_hash: bytes
    stored_id: UUID | None
    checkout: ReceivedCheckout
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Changes(CheckoutChanges):
    """The ids of the rows that are gone, and the parameters that write a row each."""

    gone: Sequence[UUID]
    written: Sequence[dict[str, Any]]


class SqlAlchemyCheckouts(CheckoutRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def compare(
        self, machine_id: UUID, report: ReceivedReport, received_at: datetime
    ) -> CheckoutChanges:
        rows = await self._connection.fetch(_STORED, {"entity_id": machine_id})
        stored = {path: (checkout_id, digest) for path, checkout_id, digest in rows}
        difference = clock_difference(report, received_at)
        gone, changed = _compared(stored, report, difference)
        if not changed:
            return _Changes(gone, ())
        known = [each.stored_id for each in changed if each.stored_id is not None]
        parameters = {"entity_id": machine_id, "checkout_ids": json_ids(known)}
        previous: Rows = await self._connection.fetch(_PREVIOUS, parameters) if known else ()

        def written() -> list[dict[str, Any]]:
            before = _previous(previous)
            return [_row(machine_id, each, received_at, difference, before) for each in changed]

        # It takes up to a second for the largest reports.
        loop = asyncio.get_running_loop()
        return _Changes(gone, await loop.run_in_executor(_converting, written))

    async def apply(self, changes: CheckoutChanges) -> None:
        gone, written = cast("_Changes", changes).gone, cast("_Changes", changes).written
        if gone:
            await self._connection.execute_many(
                _REMOVE, [{"entity_id": checkout_id} for checkout_id in gone]
            )
        if written:
            await self._connection.execute_many(_KEEP, written)

    async def repos(self, reach: Reach) -> Sequence[RepoIdentity]:
        return _identities(await self._connection.fetch(_REPOS, {"owner_id": reach.user_id}))

    async def of_user(self, reach: Reach) -> UserCheckouts:
        rows = await self._connection.fetch(_REPORTS, {"owner_id": reach.user_id})
        machines: dict[UUID, ReportingMachine] = {}
        reports: dict[UUID, Sequence[StoredCheckout]] = {}
        to_read: list[UUID] = []
        for machine_id, name, last_report_at, sequence in rows:
            machines[machine_id] = ReportingMachine(machine_id, name, last_report_at)
            kept = _remembered.get(ReportKey(machine_id, sequence, last_report_at))
            if kept is None:
                to_read.append(machine_id)
            else:
                reports[machine_id] = kept
        for key, checkouts in (await self._read(reach, to_read)).items():
            _remembered.keep(key, checkouts)
            machine = machines[key.machine_id]
            machines[key.machine_id] = replace(machine, last_report_at=key.received_at)
            reports[key.machine_id] = checkouts
        if not any(reports.values()):
            return UserCheckouts((), machines, [])
        rows, convert = await self._connection.fetch_unconverted(
            _REPOS, {"owner_id": reach.user_id}
        )
        inputs = UserInputs(list(map(tuple, rows)), machines, reports)
        found = _remembered.of_user(reach.user_id, inputs)
        if found is None:
            checkouts = [each for report in reports.values() for each in report]
            found = UserCheckouts(_identities(convert(inputs.repos)), machines, checkouts)
            _remembered.keep_of_user(reach.user_id, inputs, found)
        return found

    async def _read(
        self, reach: Reach, machine_ids: Sequence[UUID]
    ) -> Mapping[ReportKey, Sequence[StoredCheckout]]:
        """Read the checkouts of machines, of whatever report is the last one by now."""
        if not machine_ids:
            return {}
        parameters = {"owner_id": reach.user_id, "machine_ids": json_ids(machine_ids)}
        reports: dict[ReportKey, list[StoredCheckout]] = {}
        for machine_id, sequence, last_report_at, *columns in await self._connection.fetch(
            _OF_REPORTS, parameters
        ):
            key = ReportKey(machine_id, sequence, last_report_at)
            report = reports.setdefault(key, [])
            if columns[0] is not None:
                # All with one object as the id of their machine: each is kept.
                same_id = report[0].machine_id if report else machine_id
                report.append(_stored(same_id, columns))
        return reports

    async def of_machine(self, reach: Reach, machine_id: UUID) -> Sequence[StoredCheckout]:
        parameters = {"owner_id": reach.user_id, "entity_id": machine_id}
        rows = await self._connection.fetch(_OF_MACHINE, parameters)
        return [_stored(machine_id, row) for row in rows]

    async def heads_among(
        self, reach: Reach, checkout_ids: Collection[UUID], wanted: AbstractSet[str]
    ) -> Mapping[UUID, AbstractSet[str]]:
        if not checkout_ids or not wanted:
            return {}
        parameters = {"owner_id": reach.user_id, "checkout_ids": json_ids(checkout_ids)}
        rows = await self._connection.fetch(_HEADS, parameters)
        sought = by_first_bytes(wanted)
        return {checkout_id: found_in(heads, sought) for checkout_id, heads in rows}

    async def details(
        self, reach: Reach, checkout_ids: Collection[UUID]
    ) -> Mapping[UUID, Checkout]:
        if not checkout_ids:
            return {}
        parameters = {"owner_id": reach.user_id, "checkout_ids": json_ids(checkout_ids)}
        rows = await self._connection.fetch(_DETAILS, parameters)
        return {checkout_id: checkout_in(detail, at) for checkout_id, detail, at in rows}


def _compared(
    stored: Mapping[bytes, tuple[UUID, bytes]], report: ReceivedReport, difference: timedelta
) -> tuple[Sequence[UUID], Sequence[_Change]]:
    """Return the ids of the rows that are gone, and the checkouts that are new or changed."""
    received = {path_hash(each.path): each for each in report.checkouts}
    gone = [checkout_id for path, (checkout_id, _) in stored.items() if path not in received]
    changed = list[_Change]()
    for path, checkout in received.items():
        stored_id, before = stored.get(path, (None, None))
        digest = digest_of(checkout, difference)
        if digest != before:
            changed.append(_Change(path, stored_id, checkout, digest))
    return gone, changed


def _previous(rows: Rows) -> Mapping[bytes, Previous]:
    """Return what is known of the previous reports; not of one that another version wrote."""
    read = ((path, CheckoutFacts.read(text), received_at) for path, text, received_at in rows)
    return {path: Previous(facts, at) for path, facts, at in read if facts is not None}


def _row(
    machine_id: UUID,
    change: _Change,
    received_at: datetime,
    difference: timedelta,
    previous: Mapping[bytes, Previous],
) -> dict[str, Any]:
    """Return the parameters of the statement that stores a checkout."""
    checkout = change.checkout.read()
    facts = checkout_facts(checkout, received_at, difference, previous.get(change.path_hash))
    row_id = change.stored_id or new_id()
    row = row_of(row_id, machine_id, change.path_hash, checkout, change.digest, facts)
    return {f"new_{name}": value for name, value in row.items()}


def _identities(rows: Rows) -> list[RepoIdentity]:
    return [
        RepoIdentity(repo_id, path, url and normalized_remote(url), state in _READ, name)
        for repo_id, path, url, state, name in rows
    ]


def _stored(machine_id: UUID, columns: Sequence[Any]) -> StoredCheckout:
    checkout_id, path, remotes, roots, *others = columns
    return StoredCheckout(
        checkout_id, machine_id, path, values_in(remotes), values_in(roots), *others
    )
