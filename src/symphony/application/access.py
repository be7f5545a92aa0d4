"""The access token of a request: whether it is still current."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.ports import AccessToken
from symphony.domain.user_profiles import (
    LastWriteRepository,
    UserProfileRepository,
    access_token_outdated,
)


@dataclass(slots=True)
class AccessCheck:
    """The access token of a request, and whether its generation was found to be current."""

    token: AccessToken
    has_passed: bool = False

    async def require_current(self, user_profiles: UserProfileRepository) -> None:
        """Raises: TokenRefused."""
        self._require(await user_profiles.token_generation(self.token.user_id))

    async def require_current_user(self, last_writes: LastWriteRepository) -> UUID | None:
        """Require the same, and return the mark of the user's last write. Raises: TokenRefused."""
        found = await last_writes.find(self.token.user_id)
        self._require(found and found.token_generation)
        return found and found.last_write

    def _require(self, generation: int | None) -> None:
        self.has_passed = generation == self.token.generation
        if not self.has_passed:
            raise access_token_outdated()
