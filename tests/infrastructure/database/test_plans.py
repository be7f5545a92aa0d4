"""Every list and every lookup uses indexes: its cost does not grow with the tables."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from symphony.domain.api_tokens import ApiToken
from symphony.domain.base import Entity, PageRequest, Position, new_id, utc_now
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.observations import RepoObservation
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Repositories, Store
from symphony.domain.vaults.sessions import VaultCredentials
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.sqlalchemy_internals import Prepared
from tests.infrastructure.database.kept import Household, paged

SORTS = [(sort, down) for sort in ("created_at", "updated_at", "name") for down in (False, True)]
Statement = tuple[str, Any]


@contextmanager
def recorded() -> Generator[list[Statement]]:
    """Record the statements that are run, as the driver gets them."""
    statements: list[Statement] = []
    arguments = Prepared.arguments

    def record(prepared: Prepared, given: Mapping[str, Any]) -> list[Any]:
        made = arguments(prepared, given)
        statements.append((prepared.sql, tuple(made)))
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Prepared, "arguments", record)
        yield statements


async def plan(engines: Engines, statement: Statement) -> str:
    """Return the plan for tables that are too large to be scanned or sorted."""
    async with engines.read.connect() as connection:
        if connection.dialect.name == "sqlite":
            lines = await connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]
            )
            return "\n".join(row.detail for row in lines)
        for option in ("seqscan", "bitmapscan", "sort"):
            await connection.execute(text(f"SET enable_{option} = off"))
        lines = await connection.exec_driver_sql(f"EXPLAIN {statement[0]}", statement[1])
        explained = "\n".join(row[0] for row in lines)
        await connection.execute(text("RESET ALL"))
        return explained


def assert_indexed(explained: str) -> None:
    for expensive in ("Seq Scan", "Sort", "SCAN", "TEMP B-TREE"):
        assert expensive not in explained, explained


def conditions(explained: str) -> str:
    """Return the conditions on indexes, as both databases show them."""
    lines = [line for line in explained.splitlines() if "Index Cond" in line or "SEARCH" in line]
    return "\n".join(line.partition("(")[2] for line in lines)


@pytest.mark.parametrize("noun", [Workspace, Repo, Vault, ApiToken])
@pytest.mark.parametrize(("sort", "descending"), SORTS)
async def test_a_page_is_read_from_an_index_from_its_first_item_on(
    store: Store,
    engines: Engines,
    ada: Household,
    noun: type[Entity],
    sort: str,
    *,
    descending: bool,
) -> None:
    parent = ada.user.id if noun in {Workspace, ApiToken} else ada.workspace.id
    after = Position("a" if sort == "name" else utc_now(), new_id())
    column = "name_key" if sort == "name" else sort
    for place in (None, after):
        request = PageRequest(limit=50, sort=sort, descending=descending, after=place)
        with recorded() as statements:
            async with store.reading() as repositories:
                await paged(repositories, noun).page(Reach(ada.user.id), parent, request)
        explained = await plan(engines, statements[0])
        assert_indexed(explained)
        # It starts at the position, instead of reading and skipping what precedes it.
        assert (column in conditions(explained)) is (place is not None)


@pytest.mark.parametrize(("noun", "descending"), [(Workspace, False), (Vault, True)])
async def test_a_page_since_a_time_is_read_from_the_index_of_times(
    store: Store, engines: Engines, ada: Household, noun: type[Entity], *, descending: bool
) -> None:
    parent = ada.user.id if noun in {Workspace, ApiToken} else ada.workspace.id
    request = PageRequest(
        limit=50, sort="updated_at", descending=descending, updated_since=utc_now()
    )
    with recorded() as statements:
        async with store.reading() as repositories:
            await paged(repositories, noun).page(Reach(ada.user.id), parent, request)
    explained = await plan(engines, statements[0])
    assert_indexed(explained)
    assert "updated_at" in conditions(explained)


@pytest.mark.parametrize("remote", [None, "h/x"])
@pytest.mark.parametrize(("sort", "descending"), [("created_at", False), ("name", True)])
async def test_the_repos_of_a_user_are_found_by_indexes_of_their_workspaces(
    store: Store,
    engines: Engines,
    ada: Household,
    sort: str,
    remote: str | None,
    *,
    descending: bool,
) -> None:
    after = Position("a" if sort == "name" else utc_now(), new_id())
    for place in (None, after):
        request = PageRequest(limit=50, sort=sort, descending=descending, after=place)
        with recorded() as statements:
            async with store.reading() as repositories:
                user = ada.user.id
                await repositories.repos.page_of_user(Reach(user), user, request, remote=remote)
        explained = await plan(engines, statements[0])
        # The repos of one user are sorted; their number has a limit.
        for whole in ("Seq Scan", "SCAN"):
            assert whole not in explained, explained
        assert "workspace_id" in conditions(explained)


def reach(home: Household) -> Reach:
    return Reach(home.user.id)


def credentials(home: Household) -> VaultCredentials:
    return VaultCredentials(reach(home), home.vault.id, b"t", None)


LOOK_UPS: dict[str, Callable[[Repositories, Household], Awaitable[object]]] = {
    "profile": lambda all_, home: all_.user_profiles.get(reach(home), home.user.id),
    "username": lambda all_, home: all_.user_profiles.get_by_username(home.user.username),
    "email": lambda all_, home: all_.user_profiles.get_by_email(home.user.email),
    "workspace": lambda all_, home: all_.workspaces.get(reach(home), home.workspace.id),
    "stats": lambda all_, home: all_.workspaces.stats(reach(home), home.workspace.id),
    "repo": lambda all_, home: all_.repos.get(reach(home), home.repo.id),
    "registered": lambda all_, home: all_.repos.registered(reach(home), home.workspace.id),
    "vault": lambda all_, home: all_.vaults.get(reach(home), home.vault.id),
    "remote heads": lambda all_, home: all_.remote_heads.of_repo(reach(home), home.repo.id),
    "all remote heads": lambda all_, home: all_.remote_heads.of_user(
        reach(home), home.user.id, None
    ),
    "known": lambda all_, home: all_.observations.board_facts(reach(home), home.user.id, None),
    "known in one": lambda all_, home: all_.observations.board_facts(
        reach(home), home.user.id, home.workspace.id
    ),
    "vault's key": lambda all_, home: all_.vault_keys.find(reach(home), home.vault.id),
    "access": lambda all_, home: all_.vault_sessions.access(reach(home), home.vault.id, b"h"),
    "entry": lambda all_, home: all_.vault_entries.read(credentials(home), b"h", b"l", None),
    "entries": lambda all_, home: all_.vault_entries.all(credentials(home), b"h"),
    "token": lambda all_, home: all_.api_tokens.get_by_hash(home.user.id.bytes),
}


@pytest.mark.parametrize("look_up", LOOK_UPS)
async def test_a_lookup_is_one_statement_that_uses_indexes(
    store: Store, engines: Engines, ada: Household, look_up: str
) -> None:
    with recorded() as statements:
        async with store.reading() as repositories:
            await LOOK_UPS[look_up](repositories, ada)
    assert len(statements) == 1
    assert_indexed(await plan(engines, statements[0]))


async def test_many_observations_are_written_in_one_statement_that_uses_indexes(
    store: Store, engines: Engines, ada: Household
) -> None:
    status = RepoStatus(state=RepoState.MISSING, observed_at=utc_now())
    seen = [
        RepoObservation.of_repo(repo_id, ada.repo.path, status)
        for repo_id in (ada.repo.id, *(new_id() for _ in range(9)))
    ]
    with recorded() as statements:
        async with store.unit_of_work() as uow:
            await uow.observations.save(Reach(ada.user.id), seen)
    assert len(statements) == 1
    explained = await plan(engines, statements[0])
    for whole in ("Seq Scan", "SCAN repos", "SCAN workspaces"):
        assert whole not in explained, explained
