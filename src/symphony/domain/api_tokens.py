"""API tokens: long-lived keys of a user for programs, with a scope, revoked at once."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, PagedRepository, Rule, utc_now
from symphony.domain.errors import DomainError, Forbidden, NotFound, RuleBroken
from symphony.domain.fields import comparison_key

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork


class Scope(StrEnum):
    """What a token allows."""

    READ = "read"
    WRITE = "write"


def scopes(value: object) -> tuple[Scope, ...]:
    """One or both scopes, each once, in a fixed order."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise RuleBroken("list-expected", "A list of scopes.")
    given = list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not given or any(each not in list(Scope) for each in given):  # pyright: ignore[reportUnknownVariableType]
        raise RuleBroken("unknown-value", f"One or more of {', '.join(Scope)}.")
    return tuple(scope for scope in Scope if scope in given)


@dataclass(frozen=True, kw_only=True)
class ApiToken(Entity):
    """What the service keeps of a token: never the token itself, only its hash."""

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
    name: str
    scopes: tuple[Scope, ...]
    token_hash: bytes = field(repr=False)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def name_key(self) -> str:
        return comparison_key(self.name)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= utc_now()


class ApiTokenRepository(PagedRepository[ApiToken]):
    @abstractmethod
    async def get_by_hash(self, token_hash: bytes) -> ApiToken | None:
        """The token of whoever shows it: the one look-up that finds out the owner."""

    @abstractmethod
    async def mark_used(self, token_id: UUID, moment: datetime) -> None:
        """Notes when the token was last used; a token that is gone is none of its business."""


class TokenRevoked(DomainError):
    """The caller was known when the request came."""

    def __init__(self) -> None:
        super().__init__("unauthenticated", "The token has been revoked.")


class ApiTokenService:
    """The rules across tokens: whose they are, and that nobody hands out more than they have."""

    def __init__(self, uow: "UnitOfWork") -> None:
        self._uow = uow

    async def create(self, user_id: UUID, caller_scopes: frozenset[Scope], token: ApiToken) -> None:
        """Raises: Forbidden for a scope that the caller lacks, NotFound for the user."""
        if not caller_scopes.issuperset(token.scopes):
            raise Forbidden(
                "insufficient-scope", "A token cannot have a scope that its maker lacks."
            )
        await self._uow.user_profiles.get_for_update(user_id, user_id)
        await self._uow.api_tokens.add(token)

    async def require(self, user_id: UUID, token_id: UUID) -> None:
        """Raises: TokenRevoked when it has ended while somebody worked with it."""
        try:
            await self._uow.api_tokens.get(user_id, token_id)
        except NotFound:
            raise TokenRevoked from None

    async def mark_used(self, token: ApiToken) -> None:
        """Notes that the token was shown just now."""
        await self._uow.api_tokens.mark_used(token.id, utc_now())

    async def remove(self, user_id: UUID, token_id: UUID) -> None:
        """Revokes it at once. Raises: NotFound."""
        await self._uow.api_tokens.remove(
            await self._uow.api_tokens.get_for_update(user_id, token_id)
        )
