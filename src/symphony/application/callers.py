"""The caller of a use case, identified by a token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from symphony.domain.api_tokens import Scope
from symphony.domain.base import utc_now
from symphony.domain.reach import Reach

RECENT = timedelta(minutes=5)
"""How long a sign-in counts as recent."""
CLOCK_DIFFERENCE = timedelta(minutes=1)
"""How far the clocks of the processes may differ. A sign-in that is further in the future took
place before the clock was set back: how long ago is unknown."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user, with the scopes and the confinement of the token."""

    user_id: UUID
    scopes: frozenset[Scope]
    token_hash: bytes = field(repr=False)
    token_expires_at: datetime | None
    api_token_id: UUID | None = None
    signed_in_at: datetime | None = None
    """The time at which an access token was issued."""
    generation: int | None = None
    """The generation of an access token."""
    is_confined: bool = False
    """Whether the API token is confined to workspaces."""
    machine_id: UUID | None = None
    """The machine of an API token with the scope `report`, which concerns this machine only."""

    @property
    def reach(self) -> Reach:
        return Reach(self.user_id, self.api_token_id if self.is_confined else None)

    @property
    def has_signed_in_recently(self) -> bool:
        """Whether the token is an access token that was issued recently."""
        return self.signed_in_at is not None and (
            -CLOCK_DIFFERENCE <= utc_now() - self.signed_in_at < RECENT
        )
