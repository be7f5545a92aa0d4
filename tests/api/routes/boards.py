"""The attention board of a user, and a repository that is on it."""

from typing import Any

from scripts.support.git_repository import Repository
from tests.support.api import User


async def board(user: User, query: str = "") -> dict[str, Any]:
    answer = await user.get(f"/user-profiles/{user.id}/attention{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reasons(user: User, query: str = "") -> dict[str, list[str]]:
    """The reasons of each item, by name."""
    return {each["name"]: each["reasons"] for each in (await board(user, query))["items"]}


def dirty(clone: Repository) -> None:
    clone.write("new")
