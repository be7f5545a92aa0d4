"""The token of a request: whether it is still valid."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from symphony.application.ports import AccessToken
from symphony.domain.api_tokens import ApiTokenRepository, require_unexpired
from symphony.domain.errors import DomainError
from symphony.domain.user_profiles import (
    LastWrite,
    LastWriteRepository,
    UserProfileRepository,
    access_token_outdated,
)

ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class AccessCheck:
    """The access token of a request, and whether its generation was found to be current."""

    token: AccessToken
    has_passed: bool = False

    async def require_current(self, user_profiles: UserProfileRepository) -> None:
        """Raises: TokenRefused."""
        self._require(await user_profiles.token_generation(self.token.user_id))

    async def require_current_user(self, last_writes: LastWriteRepository) -> LastWrite:
        """Require the same, and return the user's last write. Raises: TokenRefused."""
        found = await last_writes.find(self.token.user_id)
        self._require(found and found.token_generation)
        return found.last_write if found else LastWrite()

    def _require(self, generation: int | None) -> None:
        self.has_passed = generation == self.token.generation
        if not self.has_passed:
            raise access_token_outdated()


async def require_unrevoked(api_token_id: UUID | None, api_tokens: ApiTokenRepository) -> None:
    """Require the API token of a request, if it has one, after a query: a confined token that is
    revoked meanwhile reaches nothing, so the answer would be empty or a 404.

    Raises: TokenRefused.
    """
    if api_token_id is not None:
        require_unexpired(await api_tokens.expiry(api_token_id))


async def checked_after(work: Awaitable[ResultT], check: Callable[[], Awaitable[None]]) -> ResultT:
    """Return the result of `work` after a check, whose error comes before one of the domain."""
    try:
        result = await work
    except DomainError:
        await check()
        raise
    await check()
    return result
