"""The repositories: what each noun asks of the database that the others do not."""

from collections.abc import Sequence
from datetime import datetime
from itertools import starmap
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    not_,
    or_,
    select,
    update,
)

from symphony.domain.api_tokens import ApiToken, ApiTokenRepository
from symphony.domain.base import utc_now
from symphony.domain.errors import NotFound
from symphony.domain.fields import comparison_key
from symphony.domain.repos import RegisteredRepo, Repo, RepoRepository
from symphony.domain.user_profiles import UserProfile, UserProfileRepository
from symphony.domain.vaults.vaults import Protection, Vault, VaultRepository
from symphony.domain.workspaces import Workspace, WorkspaceRepository, WorkspaceStats
from symphony.infrastructure.database.base_repository import (
    PARENT_ID,
    SqlAlchemyPagedRepository,
    SqlAlchemyRepository,
)
from symphony.infrastructure.database.connection import Connection, Statement
from symphony.infrastructure.database.mapping import ENTITY_ID, OWNER_ID, Mapping
from symphony.infrastructure.database.models import (
    ApiTokenModel,
    RepoModel,
    UserProfileModel,
    UtcDateTime,
    VaultModel,
    VaultSessionModel,
    WorkspaceModel,
)

# When a statement runs, by the service's clock.
NOW = bindparam("now", type_=UtcDateTime(), callable_=lambda: utc_now())  # noqa: PLW0108 - tests set the clock
_vaults = VaultModel.__table__
_sessions = VaultSessionModel.__table__.alias("live")


def _lives(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a session of a vault in the same statement has not ended."""
    of_vault = (_sessions.c.vault_id == _vaults.c.id, _sessions.c.expires_at > NOW)
    return exists().where(*of_vault, *conditions).correlate(_vaults)


def lives_under(session_hash: BindParameter[Any]) -> ColumnElement[bool]:
    """Whether the session of this hash has not."""
    return _lives(_sessions.c.session_hash == session_hash)


# With a passphrase, the switch alone opens nothing: it takes a session that lives.
IS_LOCKED = or_(
    _vaults.c.is_locked, and_(_vaults.c.protection == Protection.PASSPHRASE, not_(_lives()))
)

# A profile belongs to itself. Its two unique keys are told apart by its service, which looks first.
USER_PROFILES = Mapping(UserProfile, UserProfileModel, owner="id", unique_names=False)
WORKSPACES = Mapping(
    Workspace,
    WorkspaceModel,
    owner="user_profile_id",
    parent="user_profile_id",
    container=USER_PROFILES,
)
REPOS = Mapping(Repo, RepoModel, parent="workspace_id", container=WORKSPACES)
VAULTS = Mapping(
    Vault,
    VaultModel,
    parent="workspace_id",
    container=WORKSPACES,
    computed={"is_locked": IS_LOCKED},
)
API_TOKENS = Mapping(
    ApiToken,
    ApiTokenModel,
    owner="user_profile_id",
    parent="user_profile_id",
    container=USER_PROFILES,
    unique_names=False,
)

_repos = REPOS.table.c
_profiles = USER_PROFILES.table.c
_workspaces = WORKSPACES.table.c
_tokens = API_TOKENS.table.c

_ADDED: BindParameter[int] = bindparam("added")
_REPOS_ADDED: BindParameter[int] = bindparam("repos_added")
_VAULTS_ADDED: BindParameter[int] = bindparam("vaults_added")

_BY_USERNAME = USER_PROFILES.select_all.where(_profiles.username_key == bindparam("key"))
_BY_EMAIL = USER_PROFILES.select_all.where(_profiles.email_key == bindparam("key"))
_BY_HASH = API_TOKENS.select_all.where(_tokens.token_hash == bindparam("token_hash"))
_REGISTERED = (
    select(_repos.name, _repos.path)
    .join_from(REPOS.table, WORKSPACES.table)
    .where(_workspaces.user_profile_id == OWNER_ID, _repos.workspace_id == PARENT_ID)
    .order_by(_repos.name_key)
)
_MARK_USED = (
    update(API_TOKENS.table).where(_tokens.id == ENTITY_ID).values(last_used_at=bindparam("moment"))
)
_COUNT_WORKSPACES = (
    update(USER_PROFILES.table)
    .where(_profiles.id == ENTITY_ID, _profiles.id == OWNER_ID)
    .values(workspace_count=_profiles.workspace_count + _ADDED)
    .returning(_profiles.workspace_count)
)
_COUNTS = (_workspaces.id, _workspaces.repo_count, _workspaces.vault_count)
_STATS = select(*_COUNTS).where(
    _workspaces.id == ENTITY_ID, _workspaces.user_profile_id == OWNER_ID
)
_COUNT_CONTENTS = (
    update(WORKSPACES.table)
    .where(_workspaces.id == ENTITY_ID, _workspaces.user_profile_id == OWNER_ID)
    .values(
        repo_count=_workspaces.repo_count + _REPOS_ADDED,
        vault_count=_workspaces.vault_count + _VAULTS_ADDED,
    )
    .returning(*_COUNTS)
)


class SqlAlchemyUserProfiles(SqlAlchemyRepository[UserProfile], UserProfileRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, USER_PROFILES)

    async def get_by_username(self, username: str) -> UserProfile | None:
        return await self._one(_BY_USERNAME, key=comparison_key(username))

    async def get_by_email(self, email: str) -> UserProfile | None:
        return await self._one(_BY_EMAIL, key=comparison_key(email))

    async def count_workspaces(self, owner_id: UUID, user_id: UUID, *, added: int = 0) -> int:
        parameters = {"owner_id": owner_id, "entity_id": user_id, "added": added}
        counted = await self._connection.rows(_COUNT_WORKSPACES, parameters)
        if not counted:
            raise NotFound(UserProfile.noun, user_id)
        return counted[0][0]


class SqlAlchemyWorkspaces(SqlAlchemyPagedRepository[Workspace], WorkspaceRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, WORKSPACES)

    async def stats(self, owner_id: UUID, workspace_id: UUID) -> WorkspaceStats:
        return await self._stats(_STATS, owner_id=owner_id, entity_id=workspace_id)

    async def count_contents(
        self, owner_id: UUID, workspace_id: UUID, *, repos: int = 0, vaults: int = 0
    ) -> WorkspaceStats:
        added = {"repos_added": repos, "vaults_added": vaults}
        return await self._stats(
            _COUNT_CONTENTS, owner_id=owner_id, entity_id=workspace_id, **added
        )

    async def _stats(
        self, statement: Statement, *, entity_id: UUID, **parameters: object
    ) -> WorkspaceStats:
        rows = await self._connection.rows(statement, {"entity_id": entity_id, **parameters})
        if not rows:
            raise NotFound(Workspace.noun, entity_id)
        return WorkspaceStats(*rows[0])


class SqlAlchemyRepos(SqlAlchemyPagedRepository[Repo], RepoRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, REPOS)

    async def registered(self, owner_id: UUID, workspace_id: UUID) -> Sequence[RegisteredRepo]:
        parameters = {"owner_id": owner_id, "parent_id": workspace_id}
        rows = await self._connection.rows(_REGISTERED, parameters)
        if not rows:
            await self._require_parent(owner_id, workspace_id)
        return list(starmap(RegisteredRepo, rows))

    async def add_all(self, repos: Sequence[Repo]) -> None:
        for repo in repos:
            await self._connection.rows(self._mapping.insert, self._mapping.to_values(repo))


class SqlAlchemyVaults(SqlAlchemyPagedRepository[Vault], VaultRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, VAULTS)

    async def get_for_update(self, owner_id: UUID, entity_id: UUID) -> Vault:
        vault = await super().get_for_update(owner_id, entity_id)
        if vault.protection is Protection.NONE:
            return vault
        # PostgreSQL reads the row that it has waited for anew, but not the sessions beside it.
        return await self.get(owner_id, entity_id)


class SqlAlchemyApiTokens(SqlAlchemyPagedRepository[ApiToken], ApiTokenRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, API_TOKENS)

    async def get_by_hash(self, token_hash: bytes) -> ApiToken | None:
        return await self._one(_BY_HASH, token_hash=token_hash)

    async def mark_used(self, token_id: UUID, moment: datetime) -> None:
        await self._connection.rows(_MARK_USED, {"entity_id": token_id, "moment": moment})
