"""The reset of a password by the operator: Argon2 runs before the unit of work starts."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application import user_profiles as commands
from symphony.application.app import Application
from symphony.application.throttling import account_subject, login_subject
from symphony.domain import fields as rules
from symphony.domain import user_profiles as domain


@dataclass(frozen=True, slots=True)
class SetPassword:
    """Set a user's password without the current one, and end a lock-out after failed sign-ins."""

    user_id: UUID
    password: str = field(repr=False)


async def set_password(command: SetPassword, app: Application) -> None:
    """Raises: Invalid, NotFound, Overloaded."""
    password = rules.checked("password", domain.password, command.password)
    password_hash = await app.passwords.hash(password)
    user_id = command.user_id
    profile = await app.ask(commands.get_user_profile, commands.GetUserProfile(user_id, user_id))
    logins = (login_subject(each, app) for each in (profile.username, profile.email))
    reset = commands.ResetPassword(
        user_id, password_hash, subjects=(account_subject(str(user_id), app), *logins)
    )
    await app.run(commands.reset_password, reset)
