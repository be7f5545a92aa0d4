"""The reset of a password by the operator: Argon2 runs before the unit of work starts."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application import user_profiles as commands
from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.throttling import account_key
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
    password_hash = await app.passwords.hash(password, Requester.account(command.user_id))
    account = account_key(str(command.user_id), app)
    await app.run(
        commands.reset_password, commands.ResetPassword(command.user_id, password_hash, account)
    )
