"""User profiles: the accounts of persons, with their credentials and preferences."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain import writes
from symphony.domain.base import Entity, Repository, Rule
from symphony.domain.errors import (
    AlreadyExists,
    FieldError,
    Forbidden,
    InUse,
    Invalid,
    NotFound,
    TokenRefused,
)
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object
from symphony.domain.reach import Reach

FIRST_GENERATION = 1
CURRENT_PASSWORD_FOR_PASSWORD = ("missing", "Must be given to update the password.")
_CURRENT_PASSWORD_FOR_LOGIN = (
    "missing",
    "Must be given to update the user name or the e-mail address, unless the access token is from"
    " the last 5 minutes.",
)


@dataclass(frozen=True, kw_only=True)
class UserProfile(Entity):
    """A person's account. User names and e-mail addresses are unique in the service.

    `token_generation` counts the passwords. An access token is valid in the generation that it was
    issued in, so a new password ends all earlier ones.
    """

    noun: ClassVar[str] = "user-profile"
    rules: ClassVar[Mapping[str, Rule]] = {
        "username": rules.username,
        "email": rules.email,
        "password_hash": rules.text,
        "preferences": json_object,
        "token_generation": rules.positive,
    }

    username: str
    email: str
    password_hash: str = field(repr=False)
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])
    token_generation: int = FIRST_GENERATION

    @property
    def username_key(self) -> str:
        return comparison_key(self.username)

    @property
    def email_key(self) -> str:
        return comparison_key(self.email)

    def new_password(self, password_hash: str) -> dict[str, object]:
        """The changes for another password: it begins the next generation of access tokens."""
        return {"password_hash": password_hash, "token_generation": self.token_generation + 1}


class UserProfileChanges(TypedDict, total=False):
    """The fields to update; `preferences` is a merge patch."""

    username: str
    email: str
    preferences: JsonObject


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """A new hash, and the hash against which the current password was verified."""

    old_hash: str = field(repr=False)
    new_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProfileUpdate:
    """An update of a profile, with what allows it.

    - `password_hash`: the hash of a new password.
    - `verified_hash`: the hash against which the current password was verified. A new password
      requires it, and so does another user name or e-mail address unless `is_recent`.
    - `is_recent`: whether the caller has signed in recently.
    - `generation`: the generation of the caller's access token; None for an API token.
    """

    changes: UserProfileChanges
    password_hash: str | None = field(default=None, repr=False)
    verified_hash: str | None = field(default=None, repr=False)
    is_recent: bool = False
    generation: int | None = None

    def require_allowed(self, profile: UserProfile) -> None:
        """Raises: Invalid, TokenRefused."""
        require_generation(profile, self.generation)
        if self.verified_hash is not None:
            if profile.password_hash != self.verified_hash:
                raise wrong_current_password()
        elif self.password_hash is not None:
            raise Invalid([FieldError("current_password", *CURRENT_PASSWORD_FOR_PASSWORD)])
        elif not self.is_recent and self.updates_login(profile):
            raise current_password_required()

    def updates_login(self, profile: UserProfile | None) -> bool:
        """Return whether the user name or the address differs from the profile's."""
        given = {name: self.changes.get(name) for name in ("username", "email")}
        return any(
            value is not None and (profile is None or getattr(profile, name) != value)
            for name, value in given.items()
        )


@dataclass(frozen=True, slots=True)
class UserSummary:
    """What an operator sees of a user in a list of all users."""

    username: str
    email: str
    created_at: datetime
    workspace_count: int


class UserProfileRepository(Repository[UserProfile]):
    @abstractmethod
    async def get_by_username(self, username: str) -> UserProfile | None:
        """The profile with this user name; case makes no difference."""

    @abstractmethod
    async def get_by_email(self, email: str) -> UserProfile | None:
        """The profile with this e-mail address; case makes no difference."""

    @abstractmethod
    async def exist(self) -> bool:
        """Whether there is any profile."""

    @abstractmethod
    async def lock(self) -> None:
        """Until this unit of work is over, no other one creates, changes or deletes a profile.

        The first statement of a unit of work, so that the next ones see what was committed before.
        """

    @abstractmethod
    async def summaries(self, after: str, limit: int) -> Sequence[UserSummary]:
        """Users in the order of their names: the first ones after the user name `after`, or ""."""

    @abstractmethod
    async def token_generation(self, user_id: UUID) -> int | None:
        """The generation of a user's access tokens, without a lock; None for an unknown user."""

    @abstractmethod
    async def workspace_count(self, user_id: UUID) -> int:
        """The number of a user's workspaces, without a lock; 0 for an unknown user."""

    @abstractmethod
    async def count_workspaces(self, owner_id: UUID, user_id: UUID, *, added: int = 0) -> int:
        """Add to the number of a user's workspaces, and return the new number.

        Locks the profile: until this unit of work is over, no other one creates or deletes a
        workspace of this user. Raises: NotFound.
        """

    @abstractmethod
    async def count_machines(self, owner_id: UUID, user_id: UUID, *, added: int = 0) -> int:
        """Add to the number of a user's machines, and return the new number.

        Locks the profile: until this unit of work is over, no other one creates or deletes a
        machine of this user. Raises: NotFound.
        """

    @abstractmethod
    async def replace_password_hash(self, user_id: UUID, change: PasswordChange) -> None:
        """Store another hash of the same password; does nothing when the old one is not stored.

        This is no new version of the profile: nothing that a client can see differs.
        """


class UserProfileService:
    """The rules across profiles: unique names and addresses, and no deletion with workspaces."""

    def __init__(self, user_profiles: UserProfileRepository) -> None:
        self._user_profiles = user_profiles

    async def create(self, profile: UserProfile, *, only_first: bool = False) -> None:
        """With `only_first`, refuse it if a profile exists. Raises: AlreadyExists, Forbidden."""
        if only_first:
            await self._user_profiles.lock()
            if await self._user_profiles.exist():
                raise registration_closed()
        await require_unique(profile, self._user_profiles)
        await self._user_profiles.add(profile)

    async def update(
        self,
        user_id: UUID,
        profile_id: UUID,
        update: ProfileUpdate,
        expected_tags: frozenset[str] | None = None,
    ) -> UserProfile:
        """Raises: NotFound, PreconditionFailed, Invalid, TokenRefused, AlreadyExists."""
        profile = await writes.get_expected(
            self._user_profiles, Reach(user_id), profile_id, expected_tags
        )
        update.require_allowed(profile)
        values: dict[str, object] = {**update.changes}
        if update.password_hash is not None:
            values |= profile.new_password(update.password_hash)
        updated = profile.updated(values)
        if updated is not profile:
            await require_unique(updated, self._user_profiles)
        return await writes.save_if_changed(self._user_profiles, profile, updated)

    async def require_generation(self, user_id: UUID, generation: int | None) -> None:
        """Lock the profile, and require that the caller's access token is still valid.

        None is the generation of a caller with another kind of token. Raises: TokenRefused.
        """
        if generation is not None:
            try:
                profile = await self._user_profiles.get_for_update(Reach(user_id), user_id)
            except NotFound:
                raise access_token_outdated() from None
            require_generation(profile, generation)

    async def replace_password_hash(self, user_id: UUID, change: PasswordChange) -> None:
        """Store another hash of the same password, unless the password was updated meanwhile."""
        await self._user_profiles.replace_password_hash(user_id, change)

    async def reset_password(self, user_id: UUID, new_hash: str) -> None:
        """Replace the hash of a password that need not be known. Raises: NotFound."""
        profile = await self._user_profiles.get_for_update(Reach(user_id), user_id)
        await self._user_profiles.save(profile.updated(profile.new_password(new_hash)))

    async def remove(
        self,
        user_id: UUID,
        profile_id: UUID,
        expected_tags: frozenset[str] | None = None,
        *,
        force: bool = False,
        generation: int | None = None,
    ) -> None:
        """Remove a profile with its API tokens and machines; with `force` also its workspaces.

        `generation` is that of the caller's access token, if it has one.

        Raises: NotFound, TokenRefused, PreconditionFailed, InUse.
        """
        profile = await writes.get_expected(
            self._user_profiles, Reach(user_id), profile_id, expected_tags
        )
        require_generation(profile, generation)
        # This locks the profile, so that no workspace is created meanwhile.
        if await self._user_profiles.count_workspaces(user_id, profile.id) and not force:
            raise InUse("user-has-workspaces", "Delete the workspaces of this user first.")
        await self._user_profiles.remove(profile)


async def require_unique(profile: UserProfile, user_profiles: UserProfileRepository) -> None:
    """Require that no other profile has the user name or the e-mail address.

    The lookups show which of the two is taken. If another profile takes one of them after the
    lookup, the database refuses this one, and the command runs again and finds it here.

    Raises: AlreadyExists.
    """
    by_username = await user_profiles.get_by_username(profile.username)
    if by_username and by_username.id != profile.id:
        raise AlreadyExists("username", "This user name is taken; choose another one.")
    by_email = await user_profiles.get_by_email(profile.email)
    if by_email and by_email.id != profile.id:
        raise AlreadyExists("email", "A user profile with this e-mail address exists.")


def require_generation(profile: UserProfile, generation: int | None) -> None:
    """Require an access token of the current generation; None is another kind of token.

    Raises: TokenRefused.
    """
    if generation is not None and generation != profile.token_generation:
        raise access_token_outdated()


def access_token_outdated() -> TokenRefused:
    return TokenRefused(
        "The access token is no longer valid, because the password was changed or the user profile"
        " deleted; sign in again."
    )


def registration_closed() -> Forbidden:
    return Forbidden("registration-closed", "This service does not accept sign-ups.")


def current_password_required() -> Invalid:
    """The error of an update of the user name or the e-mail address."""
    return Invalid([FieldError("current_password", *_CURRENT_PASSWORD_FOR_LOGIN)])


def wrong_current_password() -> Invalid:
    return Invalid(
        [FieldError("current_password", "wrong-password", "Must be the current password.")]
    )


@dataclass(frozen=True, slots=True)
class LastWrite:
    """The last write of a user, as a server knows it.

    `mark` is None if none was marked. `server` is the start of that server, which tells one primary
    from the next: after a failover, a replica may have writes that the new primary does not know.
    """

    mark: UUID | None = None
    server: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserState:
    """What the primary says about a user before a replica is asked."""

    token_generation: int
    last_write: LastWrite


class LastWriteRepository(ABC):
    """The marks of last writes, by which a replica shows that it has them.

    Each is unique, so equal marks are the same write, whatever failed over since."""

    @abstractmethod
    async def find(self, user_id: UUID) -> UserState | None:
        """Return the state of a user; None if there is no such user."""

    @abstractmethod
    async def record(self, user_id: UUID, mark: UUID) -> None:
        """Mark the unit of work as the last write of a user, unless it has deleted the user.

        The last statement before the commit: until then, it keeps other writes of the user waiting.
        """
