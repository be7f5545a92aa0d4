"""Use cases of API tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from symphony.application.app import EndsTokens, Queries, Services
from symphony.domain.api_tokens import ApiToken, Scope, TokenRevoked, hash_token
from symphony.domain.base import Page, PageRequest, utc_now
from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.tokens.rotation import Rotation
from symphony.domain.user_profiles import LastWrite


@dataclass(frozen=True, slots=True)
class CreateApiToken:
    """Create `token` for a user; only its hash is stored.

    `creator_id` is the caller's own API token; None when the caller has none.
    """

    actor: UUID
    token: str = field(repr=False)
    name: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None
    actor_generation: int | None = None
    """The generation of the actor's access token."""
    creator_id: UUID | None = None
    workspace_ids: Sequence[UUID] | None = None
    """The workspaces to which it is confined; None for all."""
    machine_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RevokeApiToken(EndsTokens):
    """Revoke a token and all tokens that it created."""

    actor: Reach
    token_id: UUID


@dataclass(frozen=True, slots=True)
class RotateApiToken(EndsTokens):
    """Replace a token by its successor `token`, of which only the hash is stored."""

    actor: Reach
    token_id: UUID
    token: str = field(repr=False)
    overlap: timedelta
    expires_at: datetime | None = None
    actor_generation: int | None = None
    """The generation of the actor's access token."""
    caller_id: UUID | None = None
    """The caller's own API token; None when the caller has none."""


@dataclass(frozen=True, slots=True)
class MarkApiTokenUsed:
    token_id: UUID


@dataclass(frozen=True, slots=True)
class ListApiTokens:
    """List a user's tokens; with `expiring_within` only those that expire within this time."""

    actor: UUID
    page: PageRequest
    expiring_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GetCurrentApiToken:
    """Get the caller's own token."""

    actor: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class FindApiToken:
    """Find a token by its hash. There is no actor, because the token identifies the user."""

    token_hash: bytes = field(repr=False)
    with_last_write: bool = False
    """Also find its owner's last write."""


@dataclass(frozen=True, slots=True)
class FindApiTokenById:
    """Find any user's token, for the operator."""

    token_id: UUID


async def create_api_token(command: CreateApiToken, services: Services) -> ApiToken:
    """Raises: Invalid, InsufficientScope, TokenRefused, LimitReached, NotFound."""
    await services.user_profiles.require_generation(command.actor, command.actor_generation)
    token = ApiToken(
        user_profile_id=command.actor,
        name=command.name,
        scopes=command.scopes,
        token_hash=hash_token(command.token),
        expires_at=command.expires_at,
        creator_id=command.creator_id,
        machine_id=command.machine_id,
    )
    return await services.api_tokens.create(command.actor, token, command.workspace_ids)


async def revoke_api_token(command: RevokeApiToken, services: Services) -> None:
    """Raises: InsufficientScope, NotFound."""
    await services.api_tokens.remove(command.actor, command.token_id)


async def rotate_api_token(command: RotateApiToken, services: Services) -> ApiToken:
    """Raises: NotFound, Invalid, InsufficientScope, TokenRefused, TokenRotated, LimitReached."""
    rotation = Rotation(
        token_id=command.token_id,
        successor_hash=hash_token(command.token),
        overlap=command.overlap,
        expires_at=command.expires_at,
        caller_id=command.caller_id,
        generation=command.actor_generation,
    )
    return await services.token_rotation.rotate(command.actor, rotation)


async def mark_api_token_used(command: MarkApiTokenUsed, services: Services) -> None:
    await services.api_tokens.mark_used(command.token_id)


async def list_api_tokens(query: ListApiTokens, queries: Queries) -> Page[ApiToken]:
    """Raises: NotFound for the user profile."""
    tokens = queries.repositories.api_tokens
    if query.expiring_within is None:
        return await tokens.page(Reach(query.actor), query.actor, query.page)
    until = utc_now() + query.expiring_within
    return await tokens.page_of_expiring(Reach(query.actor), until, query.page)


async def get_current_api_token(query: GetCurrentApiToken, queries: Queries) -> ApiToken:
    """Raises: TokenRefused when it was revoked meanwhile."""
    try:
        return await queries.repositories.api_tokens.get(Reach(query.actor), query.token_id)
    except NotFound:
        raise TokenRevoked from None


async def find_api_token(
    query: FindApiToken, queries: Queries
) -> tuple[ApiToken | None, LastWrite]:
    tokens = queries.repositories.api_tokens
    if query.with_last_write:
        return await tokens.get_with_last_write(query.token_hash) or (None, LastWrite())
    return await tokens.get_by_hash(query.token_hash), LastWrite()


async def find_api_token_by_id(query: FindApiTokenById, queries: Queries) -> ApiToken | None:
    tokens = queries.repositories.api_tokens
    owner_id = await tokens.owner(query.token_id)
    return None if owner_id is None else await tokens.get(Reach(owner_id), query.token_id)
