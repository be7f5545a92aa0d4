"""Finding the user whom a command is about, and workspaces of this user."""

from uuid import UUID

from symphony.application.app import Application
from symphony.application.user_profiles import FindUserByLogin, find_user_by_login
from symphony.application.workspaces import ListWorkspaces, list_workspaces
from symphony.cli.execution import Refused
from symphony.domain.base import PageRequest
from symphony.domain.errors import RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import storable_text
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import UserProfile

_PAGE = 200  # workspaces that are read at once


async def find_user(login: str, application: Application) -> UserProfile:
    """Find a user by user name or e-mail address. Raises: Refused."""
    try:
        user = await application.ask(find_user_by_login, FindUserByLogin(storable_text(login)))
    except RuleBroken:  # bytes that are not UTF-8
        user = None
    if user is None:
        raise Refused(f"USERNAME: {login!r} is not the name or e-mail address of a user.")
    return user


async def find_workspace(given: str, user: UserProfile, application: Application) -> UUID:
    """Find a workspace of a user by its id or its name. Raises: Refused."""
    key = comparison_key(given.strip())
    request = PageRequest(limit=_PAGE)
    while True:
        query = ListWorkspaces(Reach(user.id), user.id, request)
        page = await application.ask(list_workspaces, query)
        for each in page.items:
            if key in {str(each.id), each.name_key}:
                return each.id
        if page.next is None:
            raise Refused(f"--workspace: {given!r} is not a workspace of {user.username}.")
        request = PageRequest(limit=_PAGE, after=page.next)
