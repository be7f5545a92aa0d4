"""No statement that ignores the reach of a caller is run."""

import re
from uuid import UUID

import pytest
from sqlalchemy import BindParameter, bindparam, delete, exists, select, update

from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.mappings import API_TOKENS, REPOS, USER_PROFILES, WORKSPACES
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.reach import (
    Because,
    ReachMissing,
    tables_in_workspaces,
    without_reach,
)
from symphony.infrastructure.database.sqlalchemy_internals import Statement
from symphony.infrastructure.database.vaults.models import VaultEntryModel, VaultSessionModel
from tests.support.checkout import TOP

SOURCE = TOP / "src" / "symphony"
OUTSIDE_WORKSPACES = {
    "api_token_workspaces",
    "api_tokens",
    "attempt_counters",
    "checkouts",
    "heartbeats",
    "idempotency_keys",
    "known_addresses",
    "last_writes",
    "machines",
    "sign_in_failures",
    "user_profiles",
}
MAY_CHOOSE_A_REACH = {
    "application/api_tokens.py",
    "application/callers.py",
    "application/user_profiles.py",
    "cli/accounts.py",
    "cli/tokens.py",
    "demo_data.py",
    "domain/api_tokens.py",
    "domain/user_profiles.py",
    "infrastructure/database/vaults/sessions.py",
    "infrastructure/database/vaults/storage_counters.py",
}
"""Modules of what concerns a user as a whole; all others pass on the reach that they are given."""

_repos = REPOS.table.c
_workspaces = WORKSPACES.table.c
_owner: BindParameter[UUID] = bindparam("owner_id")
FORGETFUL: dict[str, Statement] = {
    "without an owner": select(_repos.name),
    "by the owner alone": select(_repos.name)
    .join_from(REPOS.table, WORKSPACES.table)
    .where(_workspaces.user_profile_id == _owner),
    "in a subquery": select(USER_PROFILES.table.c.id).where(
        exists().where(_workspaces.user_profile_id == USER_PROFILES.table.c.id)
    ),
    "in a union": select(USER_PROFILES.table.c.id).union_all(select(_workspaces.id)),  # pyright: ignore[reportAssignmentType] - runs like a Select
    "by an alias": select(WORKSPACES.table.alias("other").c.id),
    "in an update": update(WORKSPACES.table).values(repo_count=0),
    "in a deletion": delete(VaultSessionModel.__table__),  # pyright: ignore[reportArgumentType] - a table
    "of contents": select(VaultEntryModel.__table__.c.id),
}


def connection_to(engines: Engines) -> Connection:
    return Connection(engines.write, engines.begin)


@pytest.mark.parametrize("statement", FORGETFUL.values(), ids=FORGETFUL)
async def test_a_statement_that_ignores_the_reach_is_refused(
    statement: Statement, engines: Engines
) -> None:
    connection = connection_to(engines)
    await connection.open()
    try:
        with pytest.raises(ReachMissing) as refused:
            await connection.fetch(statement, {"owner_id": None})
        assert "ignores what a caller reaches" in str(refused.value)
        with pytest.raises(ReachMissing):
            await connection.execute_many(statement, [])
        assert isinstance(await connection.fetch(select(API_TOKENS.table.c.id), {}), list)
        assert (
            await connection.fetch(without_reach(select(_repos.name), Because.IS_OPERATORS), {})
            == []
        )
    finally:
        await connection.close()


def test_every_table_is_inside_workspaces_or_named_here() -> None:
    assert set(Model.metadata.tables) - tables_in_workspaces() == OUTSIDE_WORKSPACES


def test_only_what_concerns_users_as_a_whole_chooses_a_reach() -> None:
    choosing = {
        str(module.relative_to(SOURCE))
        for module in SOURCE.rglob("*.py")
        if re.search(r"(?<!class )\bReach\(", module.read_text("utf-8"))
    }
    assert choosing == MAY_CHOOSE_A_REACH
