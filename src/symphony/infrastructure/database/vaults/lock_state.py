"""Conditions in SQL: whether a vault is locked, and whether a session of it is still valid."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, exists, not_, or_

from symphony.domain.vaults.vaults import Protection
from symphony.infrastructure.database.connection import NOW
from symphony.infrastructure.database.models import ApiTokenModel
from symphony.infrastructure.database.vaults.models import VaultModel, VaultSessionModel

_vaults = VaultModel.__table__
_sessions = VaultSessionModel.__table__.alias("live")
_tokens = ApiTokenModel.__table__.alias("of_session")
# A rotation can give its token an earlier end; the session, whose time is sealed, keeps its own.
_TOKEN_HAS_EXPIRED = (
    exists()
    .where(_tokens.c.id == _sessions.c.api_token_id, _tokens.c.expires_at <= NOW)
    .correlate(_sessions)
)


def _has_session(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that the vault of the enclosing statement has a valid session."""
    is_valid = (
        _sessions.c.vault_id == _vaults.c.id,
        _sessions.c.expires_at > NOW,
        not_(_TOKEN_HAS_EXPIRED),
    )
    return exists().where(*is_valid, *conditions).correlate(_vaults)


def has_session(session_hash: BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that the session with this hash is valid for the vault."""
    return _has_session(_sessions.c.session_hash == session_hash)


# A vault with a passphrase is unlocked only while it has a valid session, also when the column
# `is_locked` is false.
IS_LOCKED = or_(
    _vaults.c.is_locked, and_(_vaults.c.protection == Protection.PASSPHRASE, not_(_has_session()))
)
