"""API tokens: a user's long-lived tokens for programs, with scopes; revoked immediately."""

import hashlib
import secrets
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain import writes
from symphony.domain.base import (
    NamedEntity,
    Page,
    PagedRepository,
    PageRequest,
    Rule,
    utc_now,
)
from symphony.domain.errors import Forbidden, NotFound, RuleBroken, TokenRefused
from symphony.domain.user_profiles import UserProfileRepository

MAX_TOKENS = 100
"""Per user, expired ones included. It also bounds the depth at which tokens create tokens, which
SQLite revokes down to 1,000 levels.
"""
USE_RESOLUTION = timedelta(minutes=1)
"""How exact the time of the last use is, so that few requests write it."""
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


def expiry(value: object) -> datetime | None:
    """The end of a new token: a time in the future, or None."""
    given = rules.optional_utc_time(value)
    if given is not None and given <= utc_now():
        raise RuleBroken("in-the-past", "Must be in the future.")
    return given


@dataclass(frozen=True, kw_only=True)
class ApiToken(NamedEntity):
    """The record of a token: it has the hash of the token, never the token itself.

    `creator_id` is the API token that created it; None when the user or the operator did.
    `is_rotated` is true while it is valid beside its successor.
    """

    noun: ClassVar[str] = "api-token"
    rules: ClassVar[Mapping[str, Rule]] = {
        "user_profile_id": rules.identity,
        "name": rules.name,
        "scopes": scopes,
        "token_hash": rules.digest,
        "expires_at": rules.optional_utc_time,
        "last_used_at": rules.optional_utc_time,
        "creator_id": rules.optional_identity,
        "is_rotated": rules.boolean,
    }

    user_profile_id: UUID
    scopes: tuple[Scope, ...]
    token_hash: bytes = field(repr=False)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    creator_id: UUID | None = None
    is_rotated: bool = False

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= utc_now()

    def require_unexpired(self) -> None:
        """Raises: TokenRefused."""
        if self.is_expired:
            raise TokenRefused("The API token has expired; use another one.")


class ApiTokenRepository(PagedRepository[ApiToken]):
    """The tokens of all users. What a token created, at any depth, is removed with it."""

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
    async def count(self, owner_id: UUID) -> int:
        """The number of a user's tokens, those that have expired included."""

    @abstractmethod
    async def mark_used(self, token_id: UUID, moment: datetime) -> None:
        """Store the time of the last use, unless one within `USE_RESOLUTION` of it is stored.

        Does nothing when the token no longer exists.
        """

    @abstractmethod
    async def expiring(self, owner_id: UUID, until: datetime) -> Sequence[ApiToken]:
        """List the tokens that are valid now, expire until a time, and have no successor."""

    @abstractmethod
    async def page_of_expiring(
        self, owner_id: UUID, until: datetime, request: PageRequest
    ) -> Page[ApiToken]:
        """Return one part of the list of a user's tokens that are valid now and expire until a
        time, also those that have a successor. Raises: NotFound for the user profile.
        """

    @abstractmethod
    async def get_to_rotate(self, owner_id: UUID, token_id: UUID) -> ApiToken:
        """Get a token, and lock it with all that its rotation depends on. Raises: NotFound.

        The locks are taken in the order in which a revocation takes them: first its creator's, then
        its own, then those of the tokens that it created.
        """

    @abstractmethod
    async def is_created_by(self, token_id: UUID, creator_id: UUID) -> bool:
        """Whether a token created another one, or one that created that one, at any depth."""

    @abstractmethod
    async def pass_creations(self, token_id: UUID, successor_id: UUID) -> None:
        """Make a successor the creator of what a token created."""

    @abstractmethod
    async def end(self, token: ApiToken) -> None:
        """Store a token that is locked, with an earlier expiry, at which its sessions end too."""


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
    """The rules across tokens: the owner, the limit, and no token beyond its creator's rights."""

    def __init__(
        self, api_tokens: ApiTokenRepository, user_profiles: UserProfileRepository
    ) -> None:
        self._api_tokens = api_tokens
        self._user_profiles = user_profiles

    async def create(self, user_id: UUID, token: ApiToken) -> ApiToken:
        """Create a token. One that another token creates expires with that one at the latest.

        Raises: Invalid for an expiry in the past, NotFound for the user profile, TokenRefused when
            its creator is no longer valid, InsufficientScope, LimitReached.
        """
        rules.checked("expires_at", expiry, token.expires_at)
        await self._user_profiles.get_for_update(user_id, user_id)
        if token.creator_id is not None:
            token = _within(await self.require(user_id, token.creator_id), token)
        used = await self._api_tokens.count(user_id)
        writes.require_within(MAX_TOKENS, ApiToken.noun, used + 1)
        # A creator that is revoked before the commit takes this one with it, or the database
        # refuses this one, and the command runs again and finds no creator.
        await self._api_tokens.add(token)
        return token

    async def require(self, user_id: UUID, token_id: UUID) -> ApiToken:
        """Get the token of a request. Raises: TokenRefused when it was revoked or has expired."""
        try:
            token = await self._api_tokens.get(user_id, token_id)
        except NotFound:
            raise TokenRevoked from None
        token.require_unexpired()
        return token

    async def mark_used(self, token_id: UUID) -> None:
        """Store that the token was used now."""
        await self._api_tokens.mark_used(token_id, utc_now())

    async def remove(self, user_id: UUID, token_id: UUID) -> None:
        """Revoke a token and all that it created; takes effect immediately. Raises: NotFound."""
        await self._api_tokens.remove(await self._api_tokens.get_for_update(user_id, token_id))

    async def remove_all(self, user_id: UUID) -> None:
        """Revoke all tokens of a user, whose profile is locked."""
        await self._api_tokens.remove_all(user_id)


def _within(creator: ApiToken, token: ApiToken) -> ApiToken:
    """Return a token that its creator may create, with the creator's expiry if it has none.

    Raises: InsufficientScope.
    """
    if not set(creator.scopes).issuperset(token.scopes):
        raise InsufficientScope("A token cannot have a scope that its creator lacks.", token.scopes)
    if creator.expires_at is None:
        return token
    if token.expires_at is None:
        return replace(token, expires_at=creator.expires_at)
    if token.expires_at > creator.expires_at:
        raise InsufficientScope("A token cannot expire later than its creator.", token.scopes)
    return token
