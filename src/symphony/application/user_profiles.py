"""Use cases of user profiles."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.application.authentication import check_password
from symphony.domain import fields as rules
from symphony.domain import user_profiles as domain
from symphony.domain.errors import Forbidden
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.unit_of_work import Repositories
from symphony.domain.user_profiles import (
    PasswordChange,
    UserProfile,
    UserProfileChanges,
    wrong_current_password,
)


@dataclass(frozen=True, slots=True)
class CreateUserProfile:
    """There is no actor: it makes the one who will act."""

    username: str
    email: str
    password: str = field(repr=False)
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class UpdateUserProfile:
    """A new `password` needs the present one."""

    actor: UUID
    profile_id: UUID
    changes: UserProfileChanges
    password: str | None = field(default=None, repr=False)
    current_password: str | None = field(default=None, repr=False)
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteUserProfile:
    actor: UUID
    profile_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetUserProfile:
    actor: UUID
    profile_id: UUID


async def sign_up(command: CreateUserProfile, app: Application) -> UserProfile:
    """Makes a profile for a stranger. Raises: Forbidden, Invalid, AlreadyExists."""
    if not app.policy.registration_open:
        raise Forbidden("registration-closed", "This service takes no new users by itself.")
    return await create_user_profile(command, app)


async def create_user_profile(command: CreateUserProfile, app: Application) -> UserProfile:
    """Raises: Invalid, AlreadyExists."""
    # Hashing takes tens of milliseconds, so it is done before the unit of work opens.
    password_hash = await app.passwords.hash(
        rules.checked("password", domain.password, command.password)
    )
    profile = UserProfile(
        username=command.username,
        email=command.email,
        password_hash=password_hash,
        preferences=command.preferences,
    )
    await app.run(_add_user_profile, profile)
    return profile


async def update_user_profile(command: UpdateUserProfile, app: Application) -> UserProfile:
    """Raises: NotFound, PreconditionFailed, Invalid, TooManyAttempts, AlreadyExists."""
    password_change = await _password_change(command, app) if command.password is not None else None
    return await app.run(_update_user_profile, (command, password_change))


async def delete_user_profile(command: DeleteUserProfile, services: Services) -> None:
    """Raises: NotFound, PreconditionFailed, InUse."""
    await services.user_profiles.remove(command.actor, command.profile_id, command.expected_tags)


async def get_user_profile(query: GetUserProfile, repositories: Repositories) -> UserProfile:
    """Raises: NotFound."""
    return await repositories.user_profiles.get(query.actor, query.profile_id)


async def _add_user_profile(profile: UserProfile, services: Services) -> None:
    await services.user_profiles.create(profile)


async def _update_user_profile(
    work: tuple[UpdateUserProfile, PasswordChange | None], services: Services
) -> UserProfile:
    command, password_change = work
    return await services.user_profiles.change(
        command.actor,
        command.profile_id,
        command.changes,
        password_change,
        command.expected_tags,
    )


async def _password_change(command: UpdateUserProfile, app: Application) -> PasswordChange:
    new = rules.checked("password", domain.password, command.password)
    profile = await app.ask(get_user_profile, GetUserProfile(command.actor, command.profile_id))
    present = command.current_password or ""
    if not await check_password(str(profile.id), present, profile.password_hash, app):
        raise wrong_current_password()
    return PasswordChange(profile.password_hash, await app.passwords.hash(new))
