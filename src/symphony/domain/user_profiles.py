"""User profiles: who somebody is, how they sign in, and what they prefer."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, Repository, Rule
from symphony.domain.errors import AlreadyExists, FieldError, InUse, Invalid, RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object, storable_text

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork

MIN_PASSWORD = 8
MAX_PASSWORD = 1024


def password(value: object) -> str:
    """8 to 1,024 characters of any kind (NIST SP 800-63B, section 3.1.1.2)."""
    if not isinstance(value, str):
        raise RuleBroken("string-expected", "This must be a string.")
    if not MIN_PASSWORD <= len(storable_text(value)) <= MAX_PASSWORD:
        raise RuleBroken("password-length", f"{MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    return value


@dataclass(frozen=True, kw_only=True)
class UserProfile(Entity):
    """A person. User names and e-mail addresses are unique across the service."""

    noun: ClassVar[str] = "user-profile"
    rules: ClassVar[Mapping[str, Rule]] = {
        "username": rules.username,
        "email": rules.email,
        "password_hash": rules.text,
        "preferences": json_object,
    }

    username: str
    email: str
    password_hash: str = field(repr=False)
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])

    @property
    def username_key(self) -> str:
        return comparison_key(self.username)

    @property
    def email_key(self) -> str:
        return comparison_key(self.email)


class UserProfileChanges(TypedDict, total=False):
    """The fields to change; `preferences` is a merge patch."""

    username: str
    email: str
    preferences: JsonObject


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """A new password's hash, and the hash against which the old password was checked."""

    old_hash: str = field(repr=False)
    new_hash: str = field(repr=False)


class UserProfileRepository(Repository[UserProfile]):
    @abstractmethod
    async def get_by_username(self, username: str) -> UserProfile | None:
        """The profile with this user name, without regard to case."""

    @abstractmethod
    async def get_by_email(self, email: str) -> UserProfile | None:
        """The profile with this e-mail address, without regard to case."""

    @abstractmethod
    async def count_workspaces(self, owner_id: UUID, user_id: UUID, *, added: int = 0) -> int:
        """Counts `added` workspaces in, and gives the number that the user then has.

        From here to the end of the unit of work nobody else can add or remove a workspace of
        this user. Raises: NotFound.
        """


class UserProfileService:
    """The rules that a profile alone cannot know: uniqueness, and what forbids its end."""

    def __init__(self, uow: "UnitOfWork") -> None:
        self._uow = uow

    async def create(self, profile: UserProfile) -> None:
        """Raises: AlreadyExists."""
        await self._check_unique(profile)
        await self._uow.user_profiles.add(profile)

    async def change(
        self,
        user_id: UUID,
        profile_id: UUID,
        changes: UserProfileChanges,
        password_change: PasswordChange | None = None,
        expected_tags: frozenset[str] | None = None,
    ) -> UserProfile:
        """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
        profile = await self._uow.user_profiles.get_for_update(user_id, profile_id)
        profile.require(expected_tags)
        values: dict[str, object] = {**changes}
        if password_change:
            if profile.password_hash != password_change.old_hash:
                raise wrong_current_password()
            values["password_hash"] = password_change.new_hash
        changed = profile.updated(values)
        if changed is not profile:
            await self._check_unique(changed)
            await self._uow.user_profiles.save(changed)
        return changed

    async def remove(
        self, user_id: UUID, profile_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> None:
        """Ends the profile and its API tokens. Raises: NotFound, PreconditionFailed, InUse."""
        profile = await self._uow.user_profiles.get_for_update(user_id, profile_id)
        profile.require(expected_tags)
        if await self._uow.user_profiles.count_workspaces(user_id, profile.id):
            raise InUse("user-has-workspaces", "Delete the workspaces of this user first.")
        await self._uow.user_profiles.remove(profile)

    async def _check_unique(self, profile: UserProfile) -> None:
        # Looking first tells which of the two is taken. That none of them can be taken in between
        # is the database's job: it refuses, the command runs again, and this sees it.
        by_username = await self._uow.user_profiles.get_by_username(profile.username)
        if by_username and by_username.id != profile.id:
            raise AlreadyExists("username", "This user name is taken; choose another one.")
        by_email = await self._uow.user_profiles.get_by_email(profile.email)
        if by_email and by_email.id != profile.id:
            raise AlreadyExists("email", "This e-mail address has a profile already.")


def wrong_current_password() -> Invalid:
    return Invalid(
        [FieldError("current_password", "wrong-password", "This is not the present password.")]
    )
