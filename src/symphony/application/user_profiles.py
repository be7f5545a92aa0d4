"""Use cases of user profiles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import EndsTokens, Queries, Services
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import (
    PasswordChange,
    ProfileUpdate,
    UserProfile,
    UserSummary,
    require_unique,
)


@dataclass(frozen=True, slots=True)
class CreateUserProfile:
    """Create a user for `orchestrations.sign_up`. There is no actor yet."""

    username: str
    email: str
    password_hash: str = field(repr=False)
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])
    only_first: bool = False
    """Refuse it if a profile exists."""


@dataclass(frozen=True, slots=True)
class UpdateUserProfile(EndsTokens):
    """Update a profile, as `orchestrations.profile_update` has prepared it."""

    actor: UUID
    profile_id: UUID
    update: ProfileUpdate
    expected_tags: frozenset[str] | None = None
    revoke_api_tokens: bool = False
    """Only together with a new password."""


@dataclass(frozen=True, slots=True)
class ReplacePasswordHash:
    """Store another hash of the same password, for `orchestrations.sign_in`."""

    actor: UUID
    change: PasswordChange


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Set a password for `orchestrations.password_reset`, without the current one.

    The failed attempts with each of `subjects` are forgotten.
    """

    user_id: UUID
    password_hash: str = field(repr=False)
    subjects: tuple[bytes, ...] = field(repr=False)
    revoke_api_tokens: bool = False


@dataclass(frozen=True, slots=True)
class DeleteUserProfile(EndsTokens):
    """Delete a profile; `force`, which only the operator has, deletes its workspaces as well.

    `generation` is that of the access token of a caller other than the operator.
    """

    actor: UUID
    profile_id: UUID
    expected_tags: frozenset[str] | None = None
    force: bool = False
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class GetUserProfile:
    actor: UUID
    profile_id: UUID


@dataclass(frozen=True, slots=True)
class CheckUserProfileCreation:
    """Check the user name and the e-mail address of a profile before its password is known."""

    username: str
    email: str


@dataclass(frozen=True, slots=True)
class UserProfilesExist:
    """Check whether there is any user profile, for `orchestrations.sign_up`. There is no actor."""


@dataclass(frozen=True, slots=True)
class ListUsers:
    """List users in the order of their names, for the operator: those after `after`, or ""."""

    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class CountWorkspaces:
    """Count the workspaces of a user."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class FindUserByLogin:
    """Find a user by `login`: an e-mail address, which contains an @, or a user name."""

    login: str


async def create_user_profile(command: CreateUserProfile, services: Services) -> UserProfile:
    """Raises: Invalid, AlreadyExists, Forbidden."""
    profile = UserProfile(
        username=command.username,
        email=command.email,
        password_hash=command.password_hash,
        preferences=command.preferences,
    )
    await services.user_profiles.create(profile, only_first=command.only_first)
    return profile


async def update_user_profile(command: UpdateUserProfile, services: Services) -> UserProfile:
    """Raises: NotFound, PreconditionFailed, Invalid, TokenRefused, AlreadyExists."""
    updated = await services.user_profiles.update(
        command.actor, command.profile_id, command.update, command.expected_tags
    )
    if command.update.password_hash is not None:
        await services.vaults.revoke_sessions_of_access_tokens(updated.id)
        if command.revoke_api_tokens:
            await services.api_tokens.remove_all(updated.id)
    return updated


async def replace_password_hash(command: ReplacePasswordHash, services: Services) -> None:
    await services.user_profiles.replace_password_hash(command.actor, command.change)


async def reset_password(command: ResetPassword, services: Services) -> None:
    """Raises: NotFound."""
    await services.user_profiles.reset_password(command.user_id, command.password_hash)
    await services.vaults.revoke_sessions_of_access_tokens(command.user_id)
    if command.revoke_api_tokens:
        await services.api_tokens.remove_all(command.user_id)
    for subject in command.subjects:
        await services.attempts.clear(subject)


async def delete_user_profile(command: DeleteUserProfile, services: Services) -> None:
    """Raises: NotFound, TokenRefused, PreconditionFailed, InUse."""
    await services.user_profiles.remove(
        command.actor,
        command.profile_id,
        command.expected_tags,
        force=command.force,
        generation=command.generation,
    )


async def get_user_profile(query: GetUserProfile, queries: Queries) -> UserProfile:
    """Raises: NotFound."""
    return await queries.repositories.user_profiles.get(Reach(query.actor), query.profile_id)


async def check_user_profile_creation(query: CheckUserProfileCreation, queries: Queries) -> None:
    """Raises: Invalid, AlreadyExists."""
    profile = UserProfile(username=query.username, email=query.email, password_hash="")
    await require_unique(profile, queries.repositories.user_profiles)


async def user_profiles_exist(_query: UserProfilesExist, queries: Queries) -> bool:
    return await queries.repositories.user_profiles.exist()


async def list_users(query: ListUsers, queries: Queries) -> Sequence[UserSummary]:
    return await queries.repositories.user_profiles.summaries(query.after, query.limit)


async def count_workspaces(query: CountWorkspaces, queries: Queries) -> int:
    return await queries.repositories.user_profiles.workspace_count(query.user_id)


async def find_user_by_login(query: FindUserByLogin, queries: Queries) -> UserProfile | None:
    profiles = queries.repositories.user_profiles
    if "@" in comparison_key(query.login):
        return await profiles.get_by_email(query.login)
    return await profiles.get_by_username(query.login)
