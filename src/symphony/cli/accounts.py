"""Finding the user whom a command is about, and workspaces and machines of this user."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from symphony.application.app import Application
from symphony.application.machines import ListMachines, list_machines
from symphony.application.user_profiles import FindUserByLogin, find_user_by_login
from symphony.application.workspaces import ListWorkspaces, list_workspaces
from symphony.cli.execution import Refused
from symphony.domain.base import NamedEntity, Page, PageRequest
from symphony.domain.errors import RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import storable_text
from symphony.domain.machines.machines import Machine
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import UserProfile
from symphony.domain.workspaces import Workspace

NamedT = TypeVar("NamedT", bound=NamedEntity)

_PAGE = 200  # how many are read at once


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

    def get_page(request: PageRequest) -> Awaitable[Page[Workspace]]:
        return application.ask(list_workspaces, ListWorkspaces(Reach(user.id), user.id, request))

    found = await _find(given, get_page)
    if found is None:
        raise Refused(f"--workspace: {given!r} is not a workspace of {user.username}.")
    return found


async def find_machine(given: str, user: UserProfile, application: Application) -> UUID:
    """Find a machine of a user by its id or its name. Raises: Refused."""

    def get_page(request: PageRequest) -> Awaitable[Page[Machine]]:
        return application.ask(list_machines, ListMachines(Reach(user.id), request))

    found = await _find(given, get_page)
    if found is None:
        raise Refused(f"--machine: {given!r} is not a machine of {user.username}.")
    return found


async def _find(
    given: str, get_page: Callable[[PageRequest], Awaitable[Page[NamedT]]]
) -> UUID | None:
    """Find the id of what has this id or this name in a list, or None."""
    key = comparison_key(given.strip())
    request = PageRequest(limit=_PAGE)
    while True:
        page = await get_page(request)
        for each in page.items:
            if key in {str(each.id), each.name_key}:
                return each.id
        if page.next is None:
            return None
        request = PageRequest(limit=_PAGE, after=page.next)
