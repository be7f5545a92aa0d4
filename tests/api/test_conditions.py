"""ETags and conditional requests: If-None-Match and If-Match."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.api import User, code, faults

_REQUESTS: tuple[tuple[str, Any], ...] = (("GET", None), ("PATCH", {}), ("DELETE", None))
Change = Callable[[dict[str, str]], Awaitable[httpx.Response]]


@pytest.fixture
async def paths(ada: User) -> list[str]:
    """The paths of all single resources of a user."""
    workspace_id = (await ada.workspace())["id"]
    return [
        f"/repos/{(await ada.repo(workspace_id))['id']}",
        f"/vaults/{(await ada.vault(workspace_id))['id']}",
        f"/workspaces/{workspace_id}",
        f"/workspaces/{workspace_id}/stats",
        f"/user-profiles/{ada.id}",
        "/user-profiles/me",
    ]


async def test_every_single_resource_has_a_strong_etag(ada: User, paths: list[str]) -> None:
    for path in paths:
        etag = (await ada.get(path)).headers["etag"]
        assert etag.startswith('"')
        assert etag.endswith('"')
        assert (await ada.get(path)).headers["etag"] == etag
    workspace = await ada.workspace("other")
    for path in (paths[2], paths[3]):
        other = await ada.get(path.replace(paths[2].rpartition("/")[2], workspace["id"]))
        assert other.headers["etag"] != (await ada.get(path)).headers["etag"]


@pytest.mark.long
async def test_the_etag_changes_with_the_representation(ada: User, paths: list[str]) -> None:
    repo, vault, workspace, stats, profile, me = paths
    steps: list[tuple[list[str], Awaitable[httpx.Response]]] = [
        ([repo], ada.patch(repo, {"metadata": {"a": 1}})),
        ([repo], ada.patch(repo, {"metadata": {"a": 1.0}})),
        ([vault], ada.patch(vault, {"path": "/elsewhere"})),
        ([vault], ada.post(f"{vault}/lock")),
        ([vault], ada.post(f"{vault}/unlock")),
        ([workspace], ada.patch(workspace, {"description": "new"})),
        ([stats], ada.post(f"{workspace}/repos", {"name": "b", "path": "/b"})),
        ([stats], ada.post(f"{workspace}/vaults", {"name": "b", "path": "/b"})),
        ([stats], ada.delete(vault)),
        ([profile, me], ada.patch(profile, {"preferences": {"a": 1}})),
    ]
    gone: list[str] = []
    for changing, step in steps:
        before = await _etags(ada, paths, gone)
        assert (await step).is_success
        if not (await ada.get(vault)).is_success:
            gone = [vault]
        after = await _etags(ada, paths, gone)
        assert {path for path in after if after[path] != before[path]} == set(changing)


async def _etags(ada: User, paths: list[str], gone: list[str]) -> dict[str, str]:
    return {path: (await ada.get(path)).headers["etag"] for path in paths if path not in gone}


async def test_if_none_match_with_the_current_etag_is_a_304_without_a_body(
    ada: User, paths: list[str]
) -> None:
    for path in paths:
        full = await ada.get(path)
        etag = full.headers["etag"]
        for known in (etag, "*", f'"other", {etag}', f'{etag},"other"', f"W/{etag}", f" {etag} "):
            answer = await ada.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b""), known
            assert answer.headers["etag"] == etag
            assert answer.headers["cache-control"] == full.headers["cache-control"]
            assert "content-type" not in answer.headers
            head = await ada.request("HEAD", path, headers={"If-None-Match": known})
            assert head.status_code == 304
        for other in ('"other"', 'W/"other"', '""', '"one", "two"', etag.upper() + ', "x"'):
            answer = await ada.get(path, headers={"If-None-Match": other})
            assert answer.status_code == 200, other
            assert answer.json() == full.json()


async def test_several_lines_of_if_none_match_are_one_list(ada: User) -> None:
    etag = (await ada.get("/user-profiles/me")).headers["etag"]
    lines = [("If-None-Match", '"a"'), ("If-None-Match", etag), *ada.headers.items()]
    answer = await ada.client.get("/api/v1/user-profiles/me", headers=lines)
    assert answer.status_code == 304


@pytest.fixture
async def changes(ada: User, paths: list[str]) -> dict[str, Change]:
    """All changes that accept a condition; each can be repeated except DELETE."""
    repo, vault, workspace, _, profile, _ = paths

    def request(method: str, path: str, json: Any = None) -> Change:
        return lambda headers: ada.request(method, path, json=json, headers=headers)

    return {
        f"PATCH {repo}": request("PATCH", repo, {"path": "/new"}),
        f"PATCH {vault}": request("PATCH", vault, {"path": "/new"}),
        f"POST {vault}/lock": request("POST", f"{vault}/lock"),
        f"POST {vault}/unlock": request("POST", f"{vault}/unlock"),
        f"PATCH {workspace}": request("PATCH", workspace, {"description": "new"}),
        f"PATCH {profile}": request("PATCH", profile, {"preferences": {"new": True}}),
        f"DELETE {repo}": request("DELETE", repo),
        f"DELETE {vault}": request("DELETE", vault),
        f"DELETE {workspace}": request("DELETE", workspace),
        f"DELETE {profile}": request("DELETE", profile),
    }


def _resource(name: str) -> str:
    """The path of the changed resource: the path of the change without its verb."""
    return name.partition(" ")[2].removesuffix("/lock").removesuffix("/unlock")


@pytest.mark.long
async def test_a_stale_if_match_changes_nothing_and_reports_the_current_version(
    ada: User, changes: dict[str, Change]
) -> None:
    for name, change in changes.items():
        path = _resource(name)
        before = await ada.get(path)
        etag = before.headers["etag"]
        for stale in ('"stale"', '"one", "two"', f"W/{etag}", '""', f'"x{etag[1:]}'):
            refused = await change({"If-Match": stale})
            assert code(refused) == "412 precondition-failed", (name, stale)
            assert refused.json()["current_version"] == before.json()["version"]
        assert (await ada.get(path)).json() == before.json()


async def test_an_earlier_state_is_stale(ada: User, paths: list[str]) -> None:
    for path, patch in zip(paths[:3], ("path", "path", "description"), strict=True):
        old = (await ada.get(path)).headers["etag"]
        changed = await ada.patch(path, {patch: "/first"}, headers={"If-Match": old})
        assert changed.status_code == 200
        late = await ada.patch(path, {patch: "/second"}, headers={"If-Match": old})
        assert code(late) == "412 precondition-failed"
        assert late.json()["current_version"] == 2
        new = {"If-Match": changed.headers["etag"]}
        assert (await ada.patch(path, {patch: "/second"}, headers=new)).status_code == 200


@pytest.mark.long
async def test_the_current_etag_among_several_in_if_match_permits_the_change(
    ada: User, changes: dict[str, Change]
) -> None:
    forms = ("{etag}", '"other", {etag}', '{etag},"other"', "*", ' {etag} , W/"other"')
    for name, change in changes.items():
        if name.startswith("DELETE"):
            etag = (await ada.get(_resource(name))).headers["etag"]
            assert (await change({"If-Match": etag})).status_code == 204, name
            continue
        for form in forms:
            etag = (await ada.get(_resource(name))).headers["etag"]
            assert (await change({"If-Match": form.format(etag=etag)})).status_code == 200, name


async def test_an_unknown_id_is_a_404_whatever_the_condition(ada: User) -> None:
    for path in (f"/repos/{ada.id}", f"/vaults/{ada.id}", f"/workspaces/{ada.id}"):
        for method, body in _REQUESTS:
            for value in ("*", '"x"'):
                conditions = {"If-Match": value, "If-None-Match": value}
                answer = await ada.request(method, path, json=body, headers=conditions)
                assert answer.status_code == 404


async def test_a_header_that_is_no_list_of_etags_is_refused(ada: User, paths: list[str]) -> None:
    workspace = paths[2]
    for rubbish in ("", " ", ",", "abc", '"abc', 'abc"', "1", "'abc'", "W/abc", '"a" "b'):
        changed = await ada.patch(workspace, {"name": "x"}, headers={"If-Match": rubbish})
        assert faults(changed) == [("If-Match", "not-an-etag")], rubbish
        read = await ada.get(workspace, headers={"If-None-Match": rubbish})
        assert faults(read) == [("If-None-Match", "not-an-etag")], rubbish


async def test_a_stale_condition_is_reported_before_a_lock(ada: User, paths: list[str]) -> None:
    vault = paths[1]
    locked = await ada.post(f"{vault}/lock")
    stale, fresh = {"If-Match": '"stale"'}, {"If-Match": locked.headers["etag"]}
    assert code(await ada.patch(vault, {}, headers=stale)) == "412 precondition-failed"
    assert code(await ada.patch(vault, {}, headers=fresh)) == "423 vault-locked"
    assert code(await ada.delete(vault, headers=stale)) == "412 precondition-failed"
    assert code(await ada.delete(vault, headers=fresh)) == "423 vault-locked"
    workspace = paths[2]
    assert code(await ada.delete(workspace, headers=stale)) == "412 precondition-failed"
    assert code(await ada.delete(workspace)) == "409 workspace-not-empty"
