"""The creation of a user profile: Argon2 hashes the password before the unit of work starts."""

from dataclasses import dataclass, field

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.user_profiles import CreateUserProfile, create_user_profile
from symphony.domain import fields as rules
from symphony.domain import user_profiles as domain
from symphony.domain.errors import Forbidden
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.user_profiles import UserProfile


@dataclass(frozen=True, slots=True)
class SignUp:
    """Create a profile; `client_address` is empty for the operator, who is no client."""

    username: str
    email: str
    password: str = field(repr=False)
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])
    client_address: str = ""


async def sign_up(command: SignUp, app: Application) -> UserProfile:
    """Create a profile for a caller without a token.

    Raises: Forbidden, Invalid, AlreadyExists, Overloaded.
    """
    if not app.policy.registration_open:
        raise Forbidden("registration-closed", "This service does not accept sign-ups.")
    return await create_user(command, app)


async def create_user(command: SignUp, app: Application) -> UserProfile:
    """Create a profile for the operator, even if registration is closed.

    Raises: Invalid, AlreadyExists, Overloaded.
    """
    password = rules.checked("password", domain.password, command.password)
    requester = Requester.address(command.client_address)
    password_hash = await app.passwords.hash(password, requester)
    create = CreateUserProfile(command.username, command.email, password_hash, command.preferences)
    return await app.run(create_user_profile, create)
