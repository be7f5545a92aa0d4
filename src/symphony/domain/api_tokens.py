"""API tokens: a user's long-lived tokens for programs, with scopes; revoked immediately."""

import hashlib
import secrets
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import NamedEntity, PagedRepository, Rule, utc_now
from symphony.domain.errors import Forbidden, NotFound, RuleBroken, TokenRefused
from symphony.domain.user_profiles import UserProfileRepository

TOKEN_PREFIX = "sym_"  # noqa: S105 - the start of every token, by which scanners find leaked ones


class Scope(StrEnum):
    """A permission of an API token: to read, or to write."""

    READ = "read"
    WRITE = "write"


def new_api_token() -> str:
    """A token with 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """The stored form of a token. A token is long and random, so a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def scopes(value: object) -> tuple[Scope, ...]:
    """One or both scopes, each once, in a fixed order."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise RuleBroken("list-expected", "Must be a list of scopes.")
    given = list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not given or any(each not in list(Scope) for each in given):  # pyright: ignore[reportUnknownVariableType]
        raise RuleBroken("unknown-value", f"Must have at least one of: {', '.join(Scope)}.")
    return tuple(scope for scope in Scope if scope in given)


@dataclass(frozen=True, kw_only=True)
class ApiToken(NamedEntity):
    """The record of a token: it has the hash of the token, never the token itself."""

    noun: ClassVar[str] = "api-token"
    rules: ClassVar[Mapping[str, Rule]] = {
        "user_profile_id": rules.identity,
        "name": rules.name,
        "scopes": scopes,
        "token_hash": rules.digest,
        "expires_at": rules.optional_utc_time,
        "last_used_at": rules.optional_utc_time,
    }

    user_profile_id: UUID
    scopes: tuple[Scope, ...]
    token_hash: bytes = field(repr=False)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= utc_now()


class ApiTokenRepository(PagedRepository[ApiToken]):
    @abstractmethod
    async def get_by_hash(self, token_hash: bytes) -> ApiToken | None:
        """The token with this hash, without an owner, because the token identifies the owner."""

    @abstractmethod
    async def owner(self, token_id: UUID) -> UUID | None:
        """The id of the token's owner, for operators; users name their own tokens only."""

    @abstractmethod
    async def remove_all(self, user_id: UUID) -> None:
        """Remove all tokens of a user."""

    @abstractmethod
    async def mark_used(self, token_id: UUID, moment: datetime) -> None:
        """Store the time of the last use; does nothing when the token no longer exists."""


class InsufficientScope(Forbidden):
    """The caller's token lacks a scope that the request needs; `needed` are all that it needs."""

    def __init__(self, detail: str, needed: Iterable[Scope]) -> None:
        super().__init__("insufficient-scope", detail)
        self.needed = tuple(needed)


class TokenRevoked(TokenRefused):
    """The caller's token was revoked while the request was running."""

    def __init__(self) -> None:
        super().__init__("The token has been revoked; use another one.")


class ApiTokenService:
    """The rules across tokens: the owner, and no scope that the creator's own token lacks."""

    def __init__(
        self, api_tokens: ApiTokenRepository, user_profiles: UserProfileRepository
    ) -> None:
        self._api_tokens = api_tokens
        self._user_profiles = user_profiles

    async def create(self, user_id: UUID, caller_scopes: frozenset[Scope], token: ApiToken) -> None:
        """Raises: InsufficientScope, NotFound for the user profile."""
        if not caller_scopes.issuperset(token.scopes):
            raise InsufficientScope(
                "A token cannot have a scope that its creator lacks.", token.scopes
            )
        await self._user_profiles.get_for_update(user_id, user_id)
        await self._api_tokens.add(token)

    async def require(self, user_id: UUID, token_id: UUID) -> None:
        """Raises: TokenRevoked when the token no longer exists."""
        try:
            await self._api_tokens.get(user_id, token_id)
        except NotFound:
            raise TokenRevoked from None

    async def mark_used(self, token_id: UUID) -> None:
        """Store that the token was used now."""
        await self._api_tokens.mark_used(token_id, utc_now())

    async def remove(self, user_id: UUID, token_id: UUID) -> None:
        """Revoke a token; takes effect immediately. Raises: NotFound."""
        await self._api_tokens.remove(await self._api_tokens.get_for_update(user_id, token_id))

    async def remove_all(self, user_id: UUID) -> None:
        """Revoke all tokens of a user, whose profile is locked."""
        await self._api_tokens.remove_all(user_id)
