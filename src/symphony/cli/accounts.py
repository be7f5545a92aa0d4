"""Finding the user whom a command is about."""

from symphony.application.app import Application
from symphony.application.user_profiles import FindUserByLogin, find_user_by_login
from symphony.cli.execution import Refused
from symphony.domain.errors import RuleBroken
from symphony.domain.json_objects import storable_text
from symphony.domain.user_profiles import UserProfile


async def find_user(login: str, application: Application) -> UserProfile:
    """Find a user by user name or e-mail address. Raises: Refused."""
    try:
        user = await application.ask(find_user_by_login, FindUserByLogin(storable_text(login)))
    except RuleBroken:  # bytes that are not UTF-8
        user = None
    if user is None:
        raise Refused(f"USERNAME: {login!r} is not the name or e-mail address of a user.")
    return user
