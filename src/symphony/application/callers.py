"""The caller of a use case, identified by a token."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from symphony.domain.api_tokens import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user, with the scopes of the token."""

    user_id: UUID
    scopes: frozenset[Scope]
    token_hash: bytes = field(repr=False)
    token_expires_at: datetime | None
    api_token_id: UUID | None = None
