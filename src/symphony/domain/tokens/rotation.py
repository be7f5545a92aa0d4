"""The rotation of API tokens: a successor with the same rights takes the place of a token."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain import writes
from symphony.domain.api_tokens import (
    MAX_TOKENS,
    ApiToken,
    ApiTokenRepository,
    TokenRevoked,
    expiry,
    get_valid,
)
from symphony.domain.base import new_id, utc_now
from symphony.domain.errors import DomainError, NotFound
from symphony.domain.reach import InsufficientScope, Reach
from symphony.domain.user_profiles import UserProfileRepository, require_generation

MAX_OVERLAP = timedelta(days=1)
"""How long a token can stay valid beside its successor."""


class TokenRotated(DomainError):
    """The token has a successor already."""

    def __init__(self) -> None:
        super().__init__(
            "api-token-rotated",
            "The token was rotated before, and has a successor; rotate that one.",
        )


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is to take the place of a token, when, and who asks for it.

    - `overlap`: how long the token stays valid; zero revokes it at once.
    - `expires_at`: of the successor; None gives it the lifetime of its predecessor, from now on.
    - `caller_id`: the caller's own API token; None with an access token, whose `generation` is
      then given.
    """

    token_id: UUID
    successor_hash: bytes = field(repr=False)
    overlap: timedelta
    expires_at: datetime | None = None
    caller_id: UUID | None = None
    generation: int | None = None


class TokenRotationService:
    """The rules of rotations: one successor for each token, and no rights that its caller lacks."""

    def __init__(
        self, api_tokens: ApiTokenRepository, user_profiles: UserProfileRepository
    ) -> None:
        self._api_tokens = api_tokens
        self._user_profiles = user_profiles

    async def rotate(self, reach: Reach, rotation: Rotation) -> ApiToken:
        """Create the successor of a token, to which passes what the token created.

        The successor has the creator of its predecessor, so that it is revoked with that one, and
        not with its predecessor. The predecessor is removed if it expires at once; until then it
        counts towards the limit.

        A confined token rotates only itself.

        Raises: Invalid for an expiry in the past, NotFound, TokenRefused when the caller's token is
            no longer valid, InsufficientScope, TokenRotated, LimitReached.
        """
        rules.checked("expires_at", expiry, rotation.expires_at)
        if reach.confined_by != rotation.token_id:
            reach.require_unconfined()
        try:
            # Before the profile: a request with one of these tokens may hold its token, and wait
            # for the profile.
            token = await self._api_tokens.get_to_rotate(reach, rotation.token_id)
        except NotFound:
            if rotation.token_id == rotation.caller_id:
                raise TokenRevoked from None
            raise
        profile = await self._user_profiles.get_for_update(reach, reach.user_id)
        require_generation(profile, rotation.generation)
        latest = await self._latest_expiry(reach, token, rotation.caller_id)
        if token.is_rotated:
            raise TokenRotated
        now = utc_now()
        successor = replace(
            token,
            id=new_id(),
            version=1,
            created_at=now,
            updated_at=now,
            token_hash=rotation.successor_hash,
            expires_at=_expiry(token, rotation.expires_at, now, latest),
            last_used_at=None,
        )
        end = now + rotation.overlap
        if token.expires_at is not None:
            end = min(end, token.expires_at)
        if end > now:
            used = await self._api_tokens.count(reach.user_id)
            writes.require_within(MAX_TOKENS, ApiToken.noun, used + 1)
        await self._api_tokens.add(successor)
        await self._api_tokens.pass_creations(token.id, successor.id)
        if end > now:
            await self._api_tokens.save(token.updated({"expires_at": end, "is_rotated": True}))
        else:
            await self._api_tokens.remove(token)
        return successor

    async def _latest_expiry(
        self, reach: Reach, token: ApiToken, caller_id: UUID | None
    ) -> datetime | None:
        """Require that the caller may rotate a token; return the latest expiry of the successor.

        Raises: TokenRefused, InsufficientScope.
        """
        if caller_id is None:
            return None
        if caller_id == token.id:
            token.require_unexpired()
            return token.expires_at
        caller = await get_valid(self._api_tokens, reach, caller_id)
        # Otherwise the successor's secret would stay valid when the caller's token is revoked.
        if not await self._api_tokens.is_created_by(token.id, caller_id):
            raise InsufficientScope(
                "An API token can rotate only itself and tokens that it created.", token.scopes
            )
        return caller.expires_at


def _expiry(
    token: ApiToken, wanted: datetime | None, now: datetime, latest: datetime | None
) -> datetime | None:
    """Return the expiry of a successor: the wanted one, or else after the same lifetime.

    Raises: InsufficientScope when the wanted one is later than the latest that is allowed.
    """
    if wanted is not None:
        if latest is not None and wanted > latest:
            raise InsufficientScope(
                "A successor cannot expire later than the token that requests it.", token.scopes
            )
        return wanted
    if token.expires_at is None:
        return latest
    try:
        same_lifetime = now + (token.expires_at - token.created_at)
    except OverflowError:  # beyond the last time that can be stored
        same_lifetime = token.expires_at
    return same_lifetime if latest is None else min(same_lifetime, latest)
