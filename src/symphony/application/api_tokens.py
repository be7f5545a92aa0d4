"""Use cases of API tokens."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from symphony.application.app import Services
from symphony.application.authentication import hash_token
from symphony.domain.api_tokens import ApiToken, Scope
from symphony.domain.base import Page, PageRequest
from symphony.domain.unit_of_work import Repositories


@dataclass(frozen=True, slots=True)
class CreateApiToken:
    """`token` is what the user will show; only its hash is kept."""

    actor: UUID
    actor_scopes: frozenset[Scope]
    token: str = field(repr=False)
    name: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevokeApiToken:
    actor: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class ListApiTokens:
    actor: UUID
    page: PageRequest


async def create_api_token(command: CreateApiToken, services: Services) -> ApiToken:
    """Raises: Invalid, Forbidden, NotFound."""
    token = ApiToken(
        user_profile_id=command.actor,
        name=command.name,
        scopes=command.scopes,
        token_hash=hash_token(command.token),
        expires_at=command.expires_at,
    )
    await services.api_tokens.create(command.actor, command.actor_scopes, token)
    return token


async def revoke_api_token(command: RevokeApiToken, services: Services) -> None:
    """Raises: NotFound."""
    await services.api_tokens.remove(command.actor, command.token_id)


async def list_api_tokens(query: ListApiTokens, repositories: Repositories) -> Page[ApiToken]:
    """Raises: NotFound for the user profile."""
    return await repositories.api_tokens.page(query.actor, query.actor, query.page)
