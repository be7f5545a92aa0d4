"""The deletion of a profile by its user, who must have signed in recently."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.application.user_profiles import DeleteUserProfile, delete_user_profile
from symphony.domain.errors import Forbidden


class RecentSignInRequired(Forbidden):
    """The caller has an API token, or signed in too long ago."""

    def __init__(self) -> None:
        super().__init__(
            "recent-sign-in-required",
            "Sign in again: this requires an access token from the last 5 minutes.",
        )


@dataclass(frozen=True, slots=True)
class DeleteProfile:
    actor: Caller
    profile_id: UUID
    expected_tags: frozenset[str] | None = None


async def delete_profile(command: DeleteProfile, app: Application) -> None:
    """Raises: RecentSignInRequired, NotFound, TokenRefused, PreconditionFailed, InUse."""
    caller = command.actor
    if not caller.has_signed_in_recently:
        raise RecentSignInRequired
    delete = DeleteUserProfile(
        caller.user_id, command.profile_id, command.expected_tags, generation=caller.generation
    )
    await app.run(delete_user_profile, delete)
