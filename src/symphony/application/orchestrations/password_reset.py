"""The reset of a password by the operator: Argon2 runs before the unit of work starts."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application import user_profiles as commands
from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.throttling import account_subject, login_subject
from symphony.domain import fields as rules
from symphony.domain.passwords.passwords import new_password


@dataclass(frozen=True, slots=True)
class SetPassword:
    """Set a user's password without the current one, and forget the failed sign-ins."""

    user_id: UUID
    password: str = field(repr=False)
    revoke_api_tokens: bool = False


async def set_password(command: SetPassword, app: Application) -> None:
    """Raises: Invalid, NotFound, Overloaded."""
    user = await app.ask(
        commands.get_user_profile, commands.GetUserProfile(command.user_id, command.user_id)
    )
    rule = new_password(user.username, user.email)
    password = rules.checked("password", rule, command.password)
    password_hash = await app.passwords.hash(password, Requester.account(user.id))
    logins = (login_subject(each, app) for each in (user.username, user.email))
    reset = commands.ResetPassword(
        user.id,
        password_hash,
        (account_subject(str(user.id), app), *logins),
        command.revoke_api_tokens,
    )
    await app.run(commands.reset_password, reset)
