"""Limits and uniqueness hold under any number of parallel requests."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.support.api import User, code


async def _all_at_once(user: User, path: str, bodies: list[dict[str, Any]]) -> Counter[str]:
    answers = await asyncio.gather(*(user.post(path, body) for body in bodies))
    return Counter("201" if each.status_code == 201 else code(each) for each in answers)


@pytest.mark.long
async def test_500_parallel_creations_against_a_limit_of_50_create_50_workspaces(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    counted = await _all_at_once(ada, path, [{"name": f"w{number}"} for number in range(500)])
    assert counted == {"201": 50, "409 workspace-limit-reached": 450}
    assert len((await ada.get(path, params={"limit": 200})).json()["items"]) == 50


@pytest.mark.long
async def test_parallel_creations_against_a_limit_of_100_create_100_repos(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/repos"
    bodies = [{"name": f"r{number}", "path": "/r"} for number in range(300)]
    counted = await _all_at_once(ada, path, bodies)
    assert counted == {"201": 100, "409 repo-limit-reached": 200}


async def test_parallel_creations_against_a_limit_of_20_create_20_vaults(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    bodies = [{"name": f"v{number}", "path": "/v"} for number in range(100)]
    counted = await _all_at_once(ada, path, bodies)
    assert counted == {"201": 20, "409 vault-limit-reached": 80}


async def test_20_parallel_creations_of_one_name_create_one_workspace(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    counted = await _all_at_once(ada, path, [{"name": "Thesis"}] * 10 + [{"name": "THESIS"}] * 10)
    assert counted == {"201": 1, "409 workspace-name-taken": 19}
