"""Who sends a request."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from symphony.domain.api_tokens import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """A known user, and what the user's token allows."""

    user_id: UUID
    scopes: frozenset[Scope]
    token_hash: bytes = field(repr=False)
    token_expires_at: datetime | None
    api_token_id: UUID | None = None
