"""Check, before anything is timed, that all services give the same answers to the same requests."""

from typing import Any

import httpx

from benchmarks.content import Content, tidy
from benchmarks.databases import Database
from benchmarks.services import Failed, Service

_NEW_EACH_TIME = ("id", "created_at", "updated_at")
_CREATED = {
    "name": "Compared",
    "path": "~/dev/compared",
    "remote_url": "https://git.example.org/ada/compared.git",
    "metadata": {"language": "python", "stars": 1},
}
_CHANGES = {"path": "/srv/compared", "metadata": {"stars": None, "archived": True}}
Answers = dict[str, tuple[int, Any]]
"""By request: the status, and the body where it must be equal."""


async def require_same_answers(
    services: list[Service], content: Content, database: Database
) -> None:
    """Raises: Failed, with the first answers that differ."""
    first = await _answers(services[0], content, database)
    for service in services[1:]:
        for request, answer in (await _answers(service, content, database)).items():
            if answer != first[request]:
                raise Failed(
                    f"{request} differs:\n{services[0].name}: {first[request]}\n"
                    f"{service.name}: {answer}"
                )


async def _answers(service: Service, content: Content, database: Database) -> Answers:
    workspace, foreign = content.full[0], content.others[0]
    repos = f"/workspaces/{content.empty[0].id}/repos"
    async with service.client(content.caller) as client:
        listed = await client.get(f"/workspaces/{workspace.id}/repos", params={"limit": 50})
        created = await client.post(repos, json=_CREATED)
        if created.status_code != 201:
            raise Failed(f"{service.name}: a creation is answered with {created.status_code}")
        address = f"/repos/{created.json()['id']}"
        changed = await client.patch(address, json=_CHANGES)
        unchanged = await client.patch(address, json=_CHANGES)
        read = await client.get(address)
        if changed.json() != read.json():
            raise Failed(f"{service.name}: an update is not stored")
        answers: Answers = {
            "get one": _exact(await client.get(f"/repos/{workspace.repos[0]}")),
            "list 50": _page(listed),
            "list of all": _page(
                await client.get(f"/workspaces/{workspace.id}/repos", params={"limit": 200})
            ),
            "create": _with_stable_fields(created),
            "patch": _with_stable_fields(changed),
            "patch without a change": _with_stable_fields(unchanged),
            "get of another user's repo": _status(await client.get(f"/repos/{foreign.repos[0]}")),
            "patch of another user's repo": _status(
                await client.patch(f"/repos/{foreign.repos[0]}", json=_CHANGES)
            ),
            "list of another user's repos": _status(
                await client.get(f"/workspaces/{foreign.id}/repos")
            ),
            "create in another user's workspace": _status(
                await client.post(f"/workspaces/{foreign.id}/repos", json=_CREATED)
            ),
        }
        del client.headers["Authorization"]
        answers["no token"] = _status(await client.get(f"/repos/{workspace.repos[0]}"))
    await tidy(database)
    return answers


def _exact(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def _page(answer: httpx.Response) -> tuple[int, Any]:
    """Whether there is a cursor is compared, not what it contains."""
    page = answer.json()
    return answer.status_code, {
        "items": page["items"],
        "more": isinstance(page["next_cursor"], str),
        "fields": sorted(page),
    }


def _with_stable_fields(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, _without_new_values(answer.json())


def _status(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, None


def _without_new_values(body: Any) -> Any:
    """The fields of a body; of those with a new value each time only the name."""
    return {name: name if name in _NEW_EACH_TIME else value for name, value in body.items()}
