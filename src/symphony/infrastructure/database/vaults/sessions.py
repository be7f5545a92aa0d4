"""The sessions of vaults, and the records that decide about access to a vault."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import BindParameter, Table, and_, bindparam, delete, exists, insert, select

from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.vaults.sessions import (
    MAX_SESSIONS,
    SessionRecord,
    VaultAccess,
    VaultSessionRepository,
)
from symphony.domain.vaults.vaults import Vault
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import VAULTS, WORKSPACES
from symphony.infrastructure.database.reach import Because, reach_parameters, without_reach
from symphony.infrastructure.database.vaults import keys
from symphony.infrastructure.database.vaults.lock_state import IS_LOCKED
from symphony.infrastructure.database.vaults.models import VaultEntryModel, VaultSessionModel

_table = cast("Table", VaultSessionModel.__table__)
_sessions = _table.c
_vaults = VAULTS.table.c
_SESSION_HASH = bindparam("session_hash", type_=_sessions.session_hash.type)
_HAS_ENTRIES = exists().where(VaultEntryModel.__table__.c.vault_id == _vaults.id)
_ACCESS = (
    select(_vaults.protection, IS_LOCKED, _HAS_ENTRIES, *keys.COLUMNS, *_sessions)
    .select_from(VAULTS.table)
    .join(WORKSPACES.table)
    .outerjoin(keys.TABLE, keys.TABLE.c.vault_id == _vaults.id)
    .outerjoin(
        _table, and_(_sessions.session_hash == _SESSION_HASH, _sessions.vault_id == _vaults.id)
    )
    .where(_vaults.id == ENTITY_ID, VAULTS.is_reached)
)
_VALUES: dict[str, BindParameter[Any]] = {
    column.key: bindparam(f"new_{column.key}") for column in _sessions
}
_ADD = without_reach(insert(_table).values(_VALUES), Because.VAULT_IS_LOCKED)
_IS_OF_VAULT = _sessions.vault_id == ENTITY_ID
_REMOVE_ALL = without_reach(delete(_table).where(_IS_OF_VAULT), Because.VAULT_IS_LOCKED)
# No index is needed: sessions are few, since each costs an Argon2 hash and lasts an hour at most.
_REMOVE_EXPIRED = without_reach(
    delete(_table).where(
        _sessions.session_hash.in_(
            select(_sessions.session_hash)
            .where(_sessions.expires_at <= NOW)
            .with_for_update(skip_locked=True)
        )
    ),
    Because.HAS_EXPIRED,
)
_OF_ACCESS_TOKENS = _sessions.api_token_id.is_(None)
# Like every other write of sessions, it locks the vaults first; several in the order of their ids.
_LOCK_VAULTS = (
    select(_vaults.id)
    .select_from(VAULTS.table)
    .join(WORKSPACES.table)
    .where(
        VAULTS.is_reached,
        exists().where(_sessions.vault_id == _vaults.id, _OF_ACCESS_TOKENS).correlate(VAULTS.table),
    )
    .order_by(_vaults.id)
    .with_for_update(of=VAULTS.table, key_share=True)
)
_REMOVE_OF_ACCESS_TOKENS = without_reach(
    delete(_table).where(_IS_OF_VAULT, _OF_ACCESS_TOKENS), Because.VAULT_IS_LOCKED
)
_REMOVE_EXCESS = without_reach(
    delete(_table).where(
        _sessions.session_hash.in_(
            select(_sessions.session_hash)
            .where(_IS_OF_VAULT)
            .order_by(_sessions.expires_at.desc(), _sessions.session_hash)
            .offset(MAX_SESSIONS - 1)
        )
    ),
    Because.VAULT_IS_LOCKED,
)


class SqlAlchemyVaultSessions(VaultSessionRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def access(self, reach: Reach, vault_id: UUID, session_hash: bytes | None) -> VaultAccess:
        parameters = reach_parameters(reach)
        parameters |= {"entity_id": vault_id, "session_hash": session_hash}
        rows = await self._connection.fetch(_ACCESS, parameters)
        if not rows:
            raise NotFound(Vault.noun, vault_id)
        protection, is_locked, has_entries, *columns = rows[0]
        key = columns[: len(keys.COLUMNS)]
        session = columns[len(keys.COLUMNS) :]
        return VaultAccess(
            protection,
            is_locked,
            keys.to_record(key) if key[0] is not None else None,
            has_entries,
            SessionRecord(*session) if session[0] is not None else None,
        )

    async def add(self, session: SessionRecord) -> None:
        await self._connection.fetch(_REMOVE_EXCESS, {"entity_id": session.vault_id})
        await self._connection.fetch(
            _ADD, {f"new_{column.key}": getattr(session, column.key) for column in _sessions}
        )

    async def remove_expired(self) -> None:
        await self._connection.fetch(_REMOVE_EXPIRED, {})

    async def remove_all(self, vault_id: UUID) -> None:
        await self._connection.fetch(_REMOVE_ALL, {"entity_id": vault_id})

    async def remove_of_access_tokens(self, user_id: UUID) -> None:
        vaults = await self._connection.fetch(_LOCK_VAULTS, reach_parameters(Reach(user_id)))
        for (vault_id,) in vaults:
            await self._connection.fetch(_REMOVE_OF_ACCESS_TOKENS, {"entity_id": vault_id})
