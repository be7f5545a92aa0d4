"""The rows of the databases: users with workspaces full of repos."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks.databases import Database, Row
from symphony.domain.base import new_id
from symphony.domain.fields import comparison_key

_USER_COLUMNS = (
    *("id", "version", "created_at", "updated_at", "username", "username_key"),
    *("email", "email_key", "password_hash", "preferences", "workspace_count"),
)
_WORKSPACE_COLUMNS = (
    *("id", "version", "created_at", "updated_at", "user_profile_id", "name", "name_key"),
    *("description", "workspace_type", "settings", "repo_count", "vault_count"),
)
_REPO_COLUMNS = (
    *("id", "version", "created_at", "updated_at", "workspace_id", "name", "name_key", "path"),
    *("remote_url", "metadata", "last_synced"),
)
_VAULT_COLUMNS = (
    *("id", "version", "created_at", "updated_at", "workspace_id", "name", "name_key", "path"),
    *("metadata", "is_locked"),
)
_TOKEN_COLUMNS = (
    *("id", "version", "created_at", "updated_at", "user_profile_id", "name", "name_key"),
    *("scopes", "token_hash"),
)
_OBSERVATION_COLUMNS = (
    *("repo_id", "path", "observed_at", "state", "has_remote", "lacks_upstream"),
    *("is_unfinished", "ahead", "behind", "stashes"),
)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_METADATA = json.dumps({"language": "python"})
_WORDS = ("engine", "compiler", "Notes", "étude", "loom", "Overture", "atlas", "fugue")


@dataclass(frozen=True, slots=True)
class Workspace:
    id: UUID
    owner: UUID
    repos: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Workspaces by purpose; `caller` owns all but `others`."""

    caller: UUID
    full: list[Workspace]
    """With `repos` repos each."""
    empty: list[Workspace]
    """For the repos that are created during the measurement."""
    large: Workspace | None
    others: list[Workspace]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many rows there are of each kind."""

    users: int
    workspaces: int = 10
    """Of each user."""
    repos: int = 100
    """In each workspace."""
    empty: int = 0
    """Empty workspaces of the caller."""
    large: int = 0
    """The repos in one more workspace of the caller."""
    vaults: int = 0
    """In each workspace that has repos."""
    tokens: int = 0
    """API tokens of each user."""
    observed: bool = False
    """Whether the repos have stored observations."""


async def fill(database: Database, shape: Shape) -> Content:
    """Fill a migrated database, with right counters and statistics for the query planner."""
    users = [new_id() for _ in range(shape.users)]
    full = [_workspace(user, shape.repos) for user in users for _ in range(shape.workspaces)]
    empty = [_workspace(users[0], 0) for _ in range(shape.empty)]
    large = _workspace(users[0], shape.large) if shape.large else None
    everywhere = [*full, *empty, *([large] if large else [])]
    await database.fill("user_profiles", _USER_COLUMNS, _users(users, everywhere))
    await database.fill("workspaces", _WORKSPACE_COLUMNS, _workspaces(everywhere, shape.vaults))
    await database.fill("repos", _REPO_COLUMNS, _repos(everywhere))
    if shape.observed:
        await database.fill("repo_observations", _OBSERVATION_COLUMNS, _observations(everywhere))
    await database.fill("vaults", _VAULT_COLUMNS, _vaults(everywhere, shape.vaults))
    await database.fill("api_tokens", _TOKEN_COLUMNS, _tokens(users, shape.tokens))
    await database.execute("ANALYZE")
    return Content(
        caller=users[0],
        full=[each for each in full if each.owner == users[0]],
        empty=empty,
        large=large,
        others=[each for each in full if each.owner != users[0]],
    )


async def tidy(database: Database) -> None:
    """Remove rows created since, so that the tables are the same before each measurement."""
    await database.execute(
        f"DELETE FROM repos WHERE created_at > '{_START + timedelta(days=200):%Y-%m-%d}'",
        "UPDATE workspaces SET repo_count = (SELECT count(*) FROM repos"
        " WHERE repos.workspace_id = workspaces.id) WHERE name LIKE 'Empty%'",
        *(["VACUUM (ANALYZE) repos, workspaces"] if database.kind == "PostgreSQL" else []),
    )


def _workspace(owner: UUID, repos: int) -> Workspace:
    return Workspace(new_id(), owner, tuple(new_id() for _ in range(repos)))


def _users(users: list[UUID], workspaces: list[Workspace]) -> Iterator[Row]:
    counts = dict.fromkeys(users, 0)
    for each in workspaces:
        counts[each.owner] += 1
    for number, user in enumerate(users):
        name = f"user_{number}"
        email = f"{name}@example.org"
        common = (user, 1, _START, _START)
        yield (*common, name, name, email, email, "-", "{}", counts[user])


def _workspaces(workspaces: list[Workspace], vaults: int) -> Iterator[Row]:
    for number, each in enumerate(workspaces):
        created = _START + timedelta(seconds=number)
        name = f"{'Work' if each.repos else 'Empty'} {number}"
        common = (each.id, 1, created, created, each.owner, name, comparison_key(name))
        counts = (len(each.repos), vaults if each.repos else 0)
        yield (*common, "Where the work is.", "general", "{}", *counts)


def _repos(workspaces: list[Workspace]) -> Iterator[Row]:
    for number, workspace, repo, name in _named(workspaces):
        created = _START + timedelta(seconds=number)
        remote = f"https://git.example.org/ada/{number}.git"
        common = (repo, 1, created, created, workspace.id, name, comparison_key(name))
        yield (*common, f"~/dev/{name}", remote, _METADATA, None)


def _observations(workspaces: list[Workspace]) -> Iterator[Row]:
    for number, _, repo, name in _named(workspaces):
        observed = _START + timedelta(seconds=number)
        facts = ("clean", True, False, False, 0, 0, number % 3)
        yield (repo, f"~/dev/{name}", observed, *facts)


def _named(workspaces: list[Workspace]) -> Iterator[tuple[int, Workspace, UUID, str]]:
    """Each repo with its number, its workspace and its name."""
    number = 0
    for workspace in workspaces:
        for repo in workspace.repos:
            number += 1
            yield number, workspace, repo, f"{_WORDS[number % len(_WORDS)]}-{number:07}"


def _vaults(workspaces: list[Workspace], each: int) -> Iterator[Row]:
    for workspace in workspaces:
        for number in range(each if workspace.repos else 0):
            created = _START + timedelta(seconds=number)
            name = f"keys-{number}"
            common = (new_id(), 1, created, created, workspace.id, name, name)
            yield (*common, f"~/vaults/{name}", "{}", number % 2 == 0)


def _tokens(users: list[UUID], each: int) -> Iterator[Row]:
    for user in users:
        for number in range(each):
            created = _START + timedelta(seconds=number)
            name = f"script {number}"
            common = (new_id(), 1, created, created, user, name, name)
            yield (*common, "read write", secrets.token_bytes(32))
