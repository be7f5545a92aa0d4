"""The update of a profile with a new password: Argon2 runs before the unit of work starts."""

from dataclasses import dataclass, field, replace

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.throttling import check_password
from symphony.application.user_profiles import (
    GetUserProfile,
    UpdateUserProfile,
    get_user_profile,
    update_user_profile,
)
from symphony.domain import fields as rules
from symphony.domain import user_profiles as domain
from symphony.domain.user_profiles import PasswordChange, UserProfile, wrong_current_password


@dataclass(frozen=True, slots=True)
class UpdatePassword:
    """Update a profile with its password, which requires the current password."""

    update: UpdateUserProfile
    password: str = field(repr=False)
    current_password: str | None = field(repr=False)


async def update_password(command: UpdatePassword, app: Application) -> UserProfile:
    """Raises: NotFound, PreconditionFailed, Invalid, TooManyAttempts, AlreadyExists, Overloaded."""
    update = command.update
    new = rules.checked("password", domain.password, command.password)
    if command.current_password is None:
        raise domain.current_password_required()
    profile = await app.ask(get_user_profile, GetUserProfile(update.actor, update.profile_id))
    current, current_hash = command.current_password, profile.password_hash
    requester = Requester.account(update.actor)
    if not await check_password(str(profile.id), current, current_hash, requester, app):
        raise wrong_current_password()
    change = PasswordChange(current_hash, await app.passwords.hash(new, requester))
    return await app.run(update_user_profile, replace(update, password_change=change))
