"""The update of a profile, with its password: Argon2 runs before the unit of work starts."""

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
from symphony.domain.errors import FieldError, Invalid, NotFound, RuleBroken
from symphony.domain.passwords.passwords import new_password, password
from symphony.domain.user_profiles import (
    CURRENT_PASSWORD_FOR_PASSWORD,
    UserProfile,
    current_password_required,
    wrong_current_password,
)


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Update a profile, with a new password if one is given.

    A new password requires the current one. Another user name or e-mail address requires it as
    well, unless the caller has signed in recently; if it is given then, it must be right.
    """

    profile: UpdateUserProfile
    password: str | None = field(default=None, repr=False)
    current_password: str | None = field(default=None, repr=False)


async def update_profile(command: UpdateProfile, app: Application) -> UserProfile:
    """Raises: NotFound, PreconditionFailed, Invalid, TooManyAttempts, TokenRefused, AlreadyExists,
    Overloaded.
    """
    new = _new_password(command)
    update = command.profile.update
    if new is None and not update.updates_login(None):
        return await app.run(update_user_profile, command.profile)
    profile = await _find(command, app)
    requester = Requester.account(profile.id)
    if new is not None:
        username = update.changes.get("username", profile.username)
        email = update.changes.get("email", profile.email)
        rules.checked("password", new_password(username, email), new)
    if command.current_password is not None:
        current, verified_hash = command.current_password, profile.password_hash
        if not await check_password(str(profile.id), current, verified_hash, requester, app):
            raise wrong_current_password()
        update = replace(update, verified_hash=verified_hash)
    if new is not None:
        update = replace(update, password_hash=await app.passwords.hash(new, requester))
    return await app.run(update_user_profile, replace(command.profile, update=update))


def _new_password(command: UpdateProfile) -> str | None:
    """Return the new password in the form to hash, if one is given. Raises: Invalid."""
    if command.password is None:
        return None
    new, errors = None, list[FieldError]()
    try:
        new = password(command.password)
    except RuleBroken as broken:
        errors.append(FieldError("password", broken.code, broken.detail))
    if command.current_password is None:
        errors.append(FieldError("current_password", *CURRENT_PASSWORD_FOR_PASSWORD))
    if errors:
        raise Invalid(errors)
    return new


async def _find(command: UpdateProfile, app: Application) -> UserProfile:
    """Return the profile, if the current password is given or not required.

    Without it, a profile that does not exist gets the same error as any other one.

    Raises: NotFound, Invalid.
    """
    wanted, update = command.profile, command.profile.update
    is_confirmed = command.current_password is not None or update.is_recent
    try:
        profile = await app.ask(get_user_profile, GetUserProfile(wanted.actor, wanted.profile_id))
    except NotFound:
        if is_confirmed:
            raise
        raise current_password_required() from None
    if not is_confirmed and update.updates_login(profile):
        raise current_password_required()
    return profile
