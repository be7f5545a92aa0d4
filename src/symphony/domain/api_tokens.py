"""API tokens: a user's long-lived tokens for programs, with scopes; revoked immediately."""

import hashlib
import secrets
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar, cast
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
from symphony.domain.errors import FieldError, Invalid, NotFound, RuleBroken, TokenRefused
from symphony.domain.machines.machines import Machine
from symphony.domain.reach import InsufficientScope, Reach, Scope, confined
from symphony.domain.user_profiles import LastWrite, UserProfileRepository
from symphony.domain.workspaces import WorkspaceRepository

MAX_TOKENS = 100
"""Per user, expired ones included. It also bounds the depth at which tokens create tokens, which
SQLite revokes down to 1,000 levels.
"""
USE_RESOLUTION = timedelta(minutes=1)
"""How exact the time of the last use is, so that few requests write it."""
MAX_TOKEN_WORKSPACES = 50
"""How many workspaces a confined token can have."""
TOKEN_PREFIX = "sym_"  # noqa: S105 - the start of every token, by which scanners find leaked ones


SCOPES_OF_ACCESS_TOKENS = frozenset({Scope.READ, Scope.WRITE, Scope.SECRETS})


def new_api_token() -> str:
    """A token with 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """The stored form of a token. A token is long and random, so a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def scopes(value: object) -> tuple[Scope, ...]:
    """The scopes of a token, each once, in a fixed order."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise RuleBroken("list-expected", "Must be a list of scopes.")
    given = list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not given or any(each not in list(Scope) for each in given):  # pyright: ignore[reportUnknownVariableType]
        raise RuleBroken("unknown-value", f"Must have at least one of: {', '.join(Scope)}.")
    found = tuple(scope for scope in Scope if scope in given)
    if found == (Scope.SECRETS,):
        raise RuleBroken("secrets-alone", "Must have `read` or `write` beside `secrets`.")
    if Scope.REPORT in found and len(found) > 1:
        raise RuleBroken("report-not-alone", "Must have no other scope beside `report`.")
    return found


def workspace_ids(value: object) -> tuple[UUID, ...] | None:
    """The workspaces of a confined token, each once, in the order of their ids; or None.

    They are none after all of them were deleted.
    """
    if value is None:
        return None
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise RuleBroken("list-expected", "Must be a list of ids of workspaces, or null.")
    return tuple(sorted(map(rules.identity, set(value))))  # pyright: ignore[reportUnknownArgumentType]


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
    `workspace_ids` are the workspaces to which it is confined, without those that were deleted
    since; None when it is not confined. `machine_id` is the machine whose state it may report.
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
        "workspace_ids": workspace_ids,
        "machine_id": rules.optional_identity,
        "is_rotated": rules.boolean,
    }

    user_profile_id: UUID
    scopes: tuple[Scope, ...]
    token_hash: bytes = field(repr=False)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    creator_id: UUID | None = None
    workspace_ids: tuple[UUID, ...] | None = None
    machine_id: UUID | None = None
    is_rotated: bool = False

    @property
    def is_confined(self) -> bool:
        return self.workspace_ids is not None

    @property
    def reach(self) -> Reach:
        """What the token reaches."""
        return Reach(self.user_profile_id, self.id if self.is_confined else None)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= utc_now()

    def require_unexpired(self) -> None:
        """Raises: TokenRefused."""
        require_unexpired(self.expires_at)


class TokenRevoked(TokenRefused):
    """The caller's token was revoked while the request was running."""

    def __init__(self) -> None:
        super().__init__("The token has been revoked; use another one.")


class ApiTokenRepository(PagedRepository[ApiToken]):
    """The tokens of all users. What a token created, at any depth, is removed with it."""

    @abstractmethod
    async def get_by_hash(self, token_hash: bytes) -> ApiToken | None:
        """The token with this hash, without an owner, because the token identifies the owner."""

    @abstractmethod
    async def get_with_last_write(self, token_hash: bytes) -> tuple[ApiToken, LastWrite] | None:
        """The same token, and its owner's last write."""

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
    async def expiring(self, reach: Reach, until: datetime) -> Sequence[ApiToken]:
        """List the tokens that are valid now, expire until a time, and have no successor."""

    @abstractmethod
    async def page_of_expiring(
        self, reach: Reach, until: datetime, request: PageRequest
    ) -> Page[ApiToken]:
        """Return one part of the list of a user's tokens that are valid now and expire until a
        time, also those that have a successor. Raises: NotFound for the user profile.
        """

    @abstractmethod
    async def get_to_rotate(self, reach: Reach, token_id: UUID) -> ApiToken:
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
    async def expiry(self, token_id: UUID) -> datetime | None:
        """Return when the caller's token expires. Raises: TokenRevoked."""

    @abstractmethod
    async def hold(self, token_id: UUID, *, to_end: bool) -> datetime | None:
        """Let no other unit of work end the caller's token until this one is over; return when it
        expires.

        `to_end` is for a unit of work that may end it itself, so that two of these do not wait for
        each other. Raises: TokenRevoked.
        """


class ApiTokenService:
    """The rules across tokens: the owner, the limit, and no token beyond its creator's rights."""

    def __init__(
        self,
        api_tokens: ApiTokenRepository,
        user_profiles: UserProfileRepository,
        workspaces: WorkspaceRepository,
        machines: PagedRepository[Machine],
    ) -> None:
        self._api_tokens = api_tokens
        self._user_profiles = user_profiles
        self._workspaces = workspaces
        self._machines = machines

    async def create(
        self, user_id: UUID, token: ApiToken, confined_to: Sequence[UUID] | None = None
    ) -> ApiToken:
        """Create a token, confined to 1 to 50 workspaces of the user unless `confined_to` is None.

        One that another token creates expires with that one at the latest.

        Raises: Invalid for an expiry in the past, a missing or unexpected machine, or workspaces
            that the user does not have; NotFound for the user profile, TokenRefused when its
            creator is no longer valid, InsufficientScope, LimitReached.
        """
        rules.checked("expires_at", expiry, token.expires_at)
        _require_machine_for_reports(token)
        if confined_to is not None:
            _require_no_reports(token)
            rules.checked("workspace_ids", _number_of_workspaces, confined_to)
            token = replace(token, workspace_ids=tuple(confined_to))
        await self._user_profiles.get_for_update(Reach(user_id), user_id)
        if token.creator_id is not None:
            creator = await get_valid(self._api_tokens, Reach(user_id), token.creator_id)
            token = _within(creator, token)
        if confined_to is not None:
            known = await self._workspaces.ids(Reach(user_id))
            _require_known(confined_to, known)
        if token.machine_id is not None:
            await self._require_own_machine(user_id, token.machine_id)
        used = await self._api_tokens.count(user_id)
        writes.require_within(MAX_TOKENS, ApiToken.noun, used + 1)
        # A creator that is revoked before the commit takes this one with it, or the database
        # refuses this one, and the command runs again and finds no creator.
        await self._api_tokens.add(token)
        return token

    async def _require_own_machine(self, user_id: UUID, machine_id: UUID) -> None:
        """Raises: Invalid; when the machine is deleted before the commit, the database refuses the
        token, and the command runs again.
        """
        try:
            await self._machines.get(Reach(user_id), machine_id)
        except NotFound:
            error = ("machine-not-found", "Must be the id of one of your machines.")
            raise Invalid([FieldError("machine_id", *error)]) from None

    async def mark_used(self, token_id: UUID) -> None:
        """Store that the token was used now."""
        await self._api_tokens.mark_used(token_id, utc_now())

    async def remove(self, reach: Reach, token_id: UUID) -> None:
        """Revoke a token and all that it created; takes effect immediately.

        A confined token revokes only itself. Raises: InsufficientScope, NotFound.
        """
        if reach.confined_by != token_id:
            reach.require_unconfined()
        await self._api_tokens.remove(await self._api_tokens.get_for_update(reach, token_id))

    async def remove_all(self, user_id: UUID) -> None:
        """Revoke all tokens of a user, whose profile is locked."""
        await self._api_tokens.remove_all(user_id)


async def get_valid(api_tokens: ApiTokenRepository, reach: Reach, token_id: UUID) -> ApiToken:
    """Get the token of a request. Raises: TokenRefused when it was revoked or has expired."""
    try:
        token = await api_tokens.get(reach, token_id)
    except NotFound:
        raise TokenRevoked from None
    token.require_unexpired()
    return token


def require_unexpired(expires_at: datetime | None) -> None:
    """Require the token of a request not to have expired. Raises: TokenRefused."""
    if expires_at is not None and expires_at <= utc_now():
        raise _expired()


def _require_machine_for_reports(token: ApiToken) -> None:
    """Raises: Invalid."""
    if (Scope.REPORT in token.scopes) is (token.machine_id is None):
        missing = ("missing", "Must be given with the scope `report`.")
        unexpected = ("unknown-field", "Must be omitted without the scope `report`.")
        error = unexpected if token.machine_id else missing
        raise Invalid([FieldError("machine_id", *error)])


def _require_no_reports(token: ApiToken) -> None:
    """Require a token that can be confined: machines are the user's. Raises: Invalid."""
    if Scope.REPORT in token.scopes:
        detail = "Must be null with the scope `report`."
        raise Invalid([FieldError("workspace_ids", "unknown-field", detail)])


def _number_of_workspaces(value: object) -> object:
    if not 1 <= len(cast("Sequence[UUID]", value)) <= MAX_TOKEN_WORKSPACES:
        raise RuleBroken(
            "list-length", f"Must have 1 to {MAX_TOKEN_WORKSPACES} ids, or be null for all."
        )
    return value


def _require_known(given: Sequence[UUID], known: frozenset[UUID]) -> None:
    """Require that ids are those of the user's workspaces. Raises: Invalid."""
    detail = "Must be the id of one of your workspaces."
    errors = [
        FieldError(f"workspace_ids/{index}", "workspace-not-found", detail)
        for index, each in enumerate(given)
        if each not in known
    ]
    if errors:
        raise Invalid(errors)


def _within(creator: ApiToken, token: ApiToken) -> ApiToken:
    """Return a token that its creator may create, with the creator's expiry if it has none.

    Raises: InsufficientScope.
    """
    if creator.is_confined:
        raise confined([Scope.WRITE])
    if not set(creator.scopes).issuperset(token.scopes):
        raise InsufficientScope("A token cannot have a scope that its creator lacks.", token.scopes)
    if creator.expires_at is None:
        return token
    if token.expires_at is None:
        return replace(token, expires_at=creator.expires_at)
    if token.expires_at > creator.expires_at:
        raise InsufficientScope("A token cannot expire later than its creator.", token.scopes)
    return token


def _expired() -> TokenRefused:
    return TokenRefused("The API token has expired; use another one.")
