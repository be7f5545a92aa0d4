"""The list of a user's repos over all workspaces."""

from typing import Any

import pytest

from symphony.domain.base import new_id
from tests.support.api import API, User, code, faults

URL = "https://git.example.org/ada/engine.git"


@pytest.fixture
async def repos(ada: User, eve: User) -> dict[str, Any]:
    """Ada's repos by name, in two workspaces; eve has a repo with the same remote."""
    one, two = (await ada.workspace("one"))["id"], (await ada.workspace("two"))["id"]
    await eve.repo((await eve.workspace("one"))["id"], "hers", remote_url=URL)
    made = [
        await ada.repo(one, "engine", remote_url=URL),
        await ada.repo(two, "loom"),
        await ada.repo(two, "Engine-2", remote_url="git@GIT.example.org:ada/engine.git"),
        await ada.repo(one, "other", remote_url="https://git.example.org/ada/engine-2"),
        await ada.repo(one, "encoded", remote_url="ssh://git.example.org:22/ada/%65ngine/"),
        await ada.repo(one, "mirror", remote_url="https://mirror.example.org/ada/engine.git"),
        await ada.repo(one, "case", remote_url="https://git.example.org/ada/Engine"),
    ]
    return {each["name"]: each for each in made}


async def listed(user: User, **query: Any) -> list[Any]:
    answer = await user.get(f"/user-profiles/{user.id}/repos", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def names(user: User, **query: Any) -> list[str]:
    return [each["name"] for each in await listed(user, **query)]


async def test_the_list_has_the_repos_of_all_workspaces_as_they_are(
    ada: User, repos: dict[str, Any]
) -> None:
    assert await listed(ada) == list(repos.values())
    by_name = ["case", "encoded", "engine", "Engine-2", "loom", "mirror", "other"]
    assert await names(ada, sort="name") == by_name
    assert await names(ada, sort="-name") == by_name[::-1]
    assert await names(ada, sort="-created_at") == list(repos)[::-1]


async def test_the_list_is_filtered_by_workspace_and_name(ada: User, repos: dict[str, Any]) -> None:
    two = repos["loom"]["workspace_id"]
    assert await names(ada, workspace_id=two) == ["loom", "Engine-2"]
    assert await names(ada, workspace_id=two, q="ENG") == ["Engine-2"]
    assert await names(ada, workspace_id=two, q="nothing") == []
    assert await names(ada, q="engine") == ["engine", "Engine-2"]


@pytest.mark.parametrize(
    "remote",
    [
        URL,
        "git@git.example.org:ada/engine",
        "ssh://git@git.example.org:22/ada/engine.git",
        "git://git.example.org/ada/engine/",
        "https://ada:token@Git.Example.Org/ada/engine",
        "git.example.org:ada/engine.git",
    ],
)
async def test_the_list_is_filtered_by_remote_over_any_protocol(
    ada: User, repos: dict[str, Any], remote: str
) -> None:
    assert await names(ada, remote=remote) == ["engine", "Engine-2", "encoded"]
    one = repos["engine"]["workspace_id"]
    assert await names(ada, remote=remote, workspace_id=one) == ["engine", "encoded"]
    assert await names(ada, remote=remote, q="2") == ["Engine-2"]


async def test_a_remote_that_no_repo_has_gives_an_empty_list(
    ada: User, repos: dict[str, Any]
) -> None:
    assert repos
    for remote in ("https://git.example.org/ada", "https://git.example.org:8443/ada/engine"):
        assert await names(ada, remote=remote) == []


@pytest.mark.parametrize(
    "remote", ["", "engine", "/srv/engine", "file:///x", "ext::sh", "https://"]
)
async def test_what_is_no_remote_is_refused(ada: User, remote: str) -> None:
    answer = await ada.get(f"/user-profiles/{ada.id}/repos", params={"remote": remote})
    assert faults(answer) == [("remote", "not-a-remote")]


async def test_the_filters_have_bounds(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/repos"
    for query, fault in (
        ({"remote": "https://h/" + "x" * 2048}, ("remote", "too-long")),
        ({"remote": "https://h/\0"}, ("remote", "nul-character")),
        ({"workspace_id": "x"}, ("workspace_id", "uuid-expected")),
        ({"workspace_id": ""}, ("workspace_id", "uuid-expected")),
        ({"limit": 201}, ("limit", "too-large")),
        ({"type": "client"}, ("type", "unknown-parameter")),
    ):
        assert faults(await ada.get(path, params=query)) == [fault]


@pytest.mark.parametrize(
    ("sort", "query"), [("-updated_at", {}), ("name", {"remote": URL}), ("-name", {"q": "n"})]
)
async def test_pages_add_up_to_the_list_and_link_to_the_next(
    ada: User, repos: dict[str, Any], query: dict[str, str], sort: str
) -> None:
    # The same name in another workspace: the order by name needs a second key.
    await ada.repo(repos["loom"]["workspace_id"], "engine", remote_url=URL)
    whole = await listed(ada, sort=sort, **query)
    walked: list[Any] = []
    answer = await ada.get(
        f"/user-profiles/{ada.id}/repos", params={"limit": 1, "sort": sort, **query}
    )
    while True:
        page = answer.json()
        walked += page["items"]
        assert len(page["items"]) == 1
        if page["next_cursor"] is None:
            assert "link" not in answer.headers
            break
        target = answer.headers["link"].partition(";")[0].strip("<>")
        answer = await ada.get(target.removeprefix(API))
    assert walked == whole


async def test_a_cursor_is_bound_to_the_filters(ada: User, repos: dict[str, Any]) -> None:
    path = f"/user-profiles/{ada.id}/repos"
    query = {"limit": 1, "remote": URL}
    cursor = (await ada.get(path, params=query)).json()["next_cursor"]
    for other in (
        {},
        {"remote": "git@git.example.org:ada/engine"},
        query | {"workspace_id": repos["loom"]["workspace_id"]},
        query | {"updated_since": "2020-01-01T00:00:00Z"},
    ):
        answer = await ada.get(path, params={**other, "cursor": cursor})
        assert code(answer) == "400 invalid-cursor"
    workspace = f"/workspaces/{repos['engine']['workspace_id']}/repos"
    answer = await ada.get(workspace, params={"limit": 1, "cursor": cursor})
    assert code(answer) == "400 invalid-cursor"


async def test_another_users_workspace_has_the_answer_of_an_unknown_one(
    ada: User, eve: User, repos: dict[str, Any]
) -> None:
    path = f"/user-profiles/{eve.id}/repos"
    texts = set[str]()
    for asked in (repos["engine"]["workspace_id"], str(new_id())):
        for more in ({}, {"remote": URL}, {"q": "engine"}):
            answer = await eve.get(
                path,
                params={"workspace_id": asked, **more},
                headers={"X-Request-ID": "the-same"},
            )
            assert code(answer) == "404 workspace-not-found"
            texts.add(answer.text.replace(asked, "{id}"))
    assert len(texts) == 1
    assert code(await eve.get(f"/user-profiles/{ada.id}/repos")) == "404 user-profile-not-found"
    assert await names(eve) == ["hers"]


async def test_a_user_without_workspaces_has_an_empty_list(ada: User) -> None:
    assert await listed(ada) == []
    assert await listed(ada, remote=URL) == []


@pytest.mark.long
async def test_many_similar_remotes_do_not_hide_the_wanted_ones(ada: User) -> None:
    for number in range(3):
        workspace = (await ada.workspace(f"w{number}"))["id"]
        items = [
            {"name": f"x{each}", "path": "/x", "remote_url": f"https://h/ada/engine-{each}"}
            for each in range(99)
        ]
        items.append({"name": f"wanted{number}", "path": "/x", "remote_url": "git@h:ada/engine"})
        await ada.post(f"/workspaces/{workspace}/repos/import", {"items": items})
    wanted = [f"wanted{number}" for number in range(3)]
    assert await names(ada, remote="https://h/ada/engine", limit=200) == wanted
    answer = await ada.get(
        f"/user-profiles/{ada.id}/repos", params={"remote": "https://h/ada/engine", "limit": 2}
    )
    assert [each["name"] for each in answer.json()["items"]] == wanted[:2]
    assert answer.json()["next_cursor"] is not None
