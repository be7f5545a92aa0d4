"""The creation of a user profile: Argon2 hashes the password before the unit of work starts."""

from dataclasses import dataclass, field

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.user_profiles import (
    CreateUserProfile,
    UserProfilesExist,
    create_user_profile,
    user_profiles_exist,
)
from symphony.domain import fields as rules
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.passwords.passwords import new_password
from symphony.domain.user_profiles import UserProfile, registration_closed


@dataclass(frozen=True, slots=True)
class SignUp:
    """Create a profile; `client_address` is empty for the operator, who is no client."""

    username: str
    email: str
    password: str = field(repr=False)
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])
    client_address: str = ""


@dataclass(frozen=True, slots=True)
class GetRegistration:
    """Get whether a sign-up is accepted now."""


async def sign_up(command: SignUp, app: Application) -> UserProfile:
    """Create a profile for a caller without a token.

    Raises: Forbidden, Invalid, AlreadyExists, Overloaded.
    """
    # Checked before the password is hashed: a sign-up that is refused costs next to nothing.
    if not await is_registration_open(GetRegistration(), app):
        raise registration_closed()
    only_first = app.policy.registration == "first"
    return await _create(command, app, only_first=only_first)


async def is_registration_open(_query: GetRegistration, app: Application) -> bool:
    """Return whether a sign-up is accepted now."""
    if app.policy.registration == "first":
        return not await app.ask(user_profiles_exist, UserProfilesExist())
    return app.policy.registration == "open"


async def create_user(command: SignUp, app: Application) -> UserProfile:
    """Create a profile for the operator, even if registration is closed.

    Raises: Invalid, AlreadyExists, Overloaded.
    """
    return await _create(command, app, only_first=False)


async def _create(command: SignUp, app: Application, *, only_first: bool) -> UserProfile:
    rule = new_password(command.username, command.email)
    password = rules.checked("password", rule, command.password)
    requester = Requester.address(command.client_address)
    create = CreateUserProfile(
        command.username,
        command.email,
        await app.passwords.hash(password, requester),
        command.preferences,
        only_first=only_first,
    )
    return await app.run(create_user_profile, create)
