"""A merge patch of `workspace_id` moves a repo or a vault."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from symphony.config.settings import Settings
from symphony.domain.base import new_id
from tests.support.api import User, code, faults, running_api, sign_up

NOUNS = ("repo", "vault")
noun = pytest.mark.parametrize("noun", NOUNS)
PASSPHRASE = "a horse, a battery and a staple"


async def two_workspaces(user: User) -> tuple[str, str]:
    return (await user.workspace("one"))["id"], (await user.workspace("two"))["id"]


async def create(user: User, noun: str, workspace_id: str, name: str = "engine") -> dict[str, Any]:
    return await (user.repo if noun == "repo" else user.vault)(workspace_id, name)


async def count(user: User, noun: str, workspace_id: str) -> int:
    return (await user.get(f"/workspaces/{workspace_id}/stats")).json()[f"{noun}_count"]


async def names(user: User, noun: str, workspace_id: str) -> list[str]:
    listed = await user.get(f"/workspaces/{workspace_id}/{noun}s")
    return [each["name"] for each in listed.json()["items"]]


@noun
async def test_a_moved_resource_is_in_the_new_workspace_with_a_new_version(
    ada: User, noun: str
) -> None:
    one, two = await two_workspaces(ada)
    before = await create(ada, noun, one)
    path = f"/{noun}s/{before['id']}"
    etag = (await ada.get(path)).headers["etag"]
    workspaces = [(await ada.get(f"/workspaces/{each}")).headers["etag"] for each in (one, two)]
    stats = (await ada.get(f"/workspaces/{two}/stats")).headers["etag"]
    answer = await ada.patch(path, {"workspace_id": two})
    assert answer.status_code == 200
    moved = answer.json()
    expected = {"workspace_id": two, "version": 2, "updated_at": moved["updated_at"]}
    assert moved == before | expected
    assert moved["updated_at"] > before["updated_at"]
    assert answer.headers["etag"] != etag
    assert (await ada.get(path)).json() == moved
    assert [await names(ada, noun, each) for each in (one, two)] == [[], ["engine"]]
    assert [await count(ada, noun, each) for each in (one, two)] == [0, 1]
    # The workspaces themselves are unchanged; their stats are not.
    assert workspaces == [
        (await ada.get(f"/workspaces/{each}")).headers["etag"] for each in (one, two)
    ]
    assert (await ada.get(f"/workspaces/{two}/stats")).headers["etag"] != stats
    assert (await ada.delete(f"/workspaces/{one}")).status_code == 204
    assert (await ada.get(path)).json() == moved


@noun
async def test_a_move_and_other_fields_are_one_change(ada: User, noun: str) -> None:
    one, two = await two_workspaces(ada)
    before = await create(ada, noun, one)
    await create(ada, noun, two)
    path = f"/{noun}s/{before['id']}"
    refused = await ada.patch(path, {"workspace_id": two, "path": "/moved"})
    assert code(refused) == f"409 {noun}-name-taken"
    assert (await ada.get(path)).json() == before
    patch = {"workspace_id": two, "name": "other", "metadata": {"a": 1}}
    after = (await ada.patch(path, patch)).json()
    assert after == before | patch | {"version": 2, "updated_at": after["updated_at"]}
    assert [await count(ada, noun, each) for each in (one, two)] == [0, 2]
    invalid = {"workspace_id": one, "name": "a/b"}
    assert faults(await ada.patch(path, invalid)) == [("/name", "not-a-folder-name")]
    assert [await count(ada, noun, each) for each in (one, two)] == [0, 2]


@noun
async def test_a_move_into_its_own_workspace_changes_nothing(ada: User, noun: str) -> None:
    one, _ = await two_workspaces(ada)
    before = await create(ada, noun, one)
    answer = await ada.patch(f"/{noun}s/{before['id']}", {"workspace_id": one})
    assert answer.json() == before
    assert await count(ada, noun, one) == 1


@noun
async def test_the_name_must_be_free_in_the_target_in_any_case(ada: User, noun: str) -> None:
    one, two = await two_workspaces(ada)
    moved = await create(ada, noun, one, "Straße")
    await create(ada, noun, two, "STRASSE")
    path = f"/{noun}s/{moved['id']}"
    assert code(await ada.patch(path, {"workspace_id": two})) == f"409 {noun}-name-taken"
    assert [await count(ada, noun, each) for each in (one, two)] == [1, 1]


async def test_a_full_target_refuses_a_move(settings: Settings) -> None:
    limits = {"max_repos_per_workspace": 1, "max_vaults_per_workspace": 1}
    async with running_api(settings.model_copy(update=limits)) as client:
        ada = await sign_up(client, "ada")
        one, two = await two_workspaces(ada)
        for noun in NOUNS:
            moved = await create(ada, noun, one)
            there = await create(ada, noun, two, "there")
            path = f"/{noun}s/{moved['id']}"
            refused = await ada.patch(path, {"workspace_id": two})
            assert code(refused) == f"409 {noun}-limit-reached"
            assert (refused.json()["limit"], refused.json()["used"]) == (1, 1)
            # A full workspace does not refuse changes of what is in it already.
            same = {"workspace_id": two, "path": "/changed"}
            assert (await ada.patch(f"/{noun}s/{there['id']}", same)).status_code == 200
            await ada.delete(f"/{noun}s/{there['id']}")
            assert (await ada.patch(path, {"workspace_id": two})).status_code == 200


@noun
async def test_an_unknown_and_another_users_workspace_have_the_same_answer(
    ada: User, eve: User, noun: str
) -> None:
    one, _ = await two_workspaces(ada)
    moved = await create(ada, noun, one)
    path = f"/{noun}s/{moved['id']}"
    texts = set[str]()
    for target in ((await eve.workspace())["id"], str(new_id())):
        answer = await ada.patch(
            path, {"workspace_id": target}, headers={"X-Request-ID": "the-same"}
        )
        assert faults(answer) == [("/workspace_id", "workspace-not-found")]
        texts.add(answer.text)
    assert len(texts) == 1
    assert await names(ada, noun, one) == ["engine"]


@noun
@pytest.mark.parametrize("target", [None, "", "x", 1, True, [], {}])
async def test_the_workspace_is_a_uuid_and_not_null(ada: User, noun: str, target: object) -> None:
    moved = await create(ada, noun, (await ada.workspace())["id"])
    answer = await ada.patch(f"/{noun}s/{moved['id']}", {"workspace_id": target})
    assert faults(answer) == [("/workspace_id", "uuid-expected")]


@noun
async def test_only_a_patch_takes_a_workspace(ada: User, noun: str) -> None:
    one, two = await two_workspaces(ada)
    body = {"name": "engine", "path": "/x", "workspace_id": two}
    answer = await ada.post(f"/workspaces/{one}/{noun}s", body)
    assert faults(answer) == [("/workspace_id", "unknown-field")]


@noun
async def test_a_move_follows_the_order_of_checks(ada: User, eve: User, noun: str) -> None:
    one, two = await two_workspaces(ada)
    moved = await create(ada, noun, one)
    await create(ada, noun, two)
    path = f"/{noun}s/{moved['id']}"
    stale = {"If-Match": '"stale"'}
    nowhere = {"workspace_id": str(new_id())}
    # content, existence, condition, conflict
    for asked in (path, f"/{noun}s/{new_id()}"):
        answer = await ada.patch(asked, nowhere, headers=stale)
        assert faults(answer) == [("/workspace_id", "workspace-not-found")]
    hers = {"workspace_id": (await eve.workspace())["id"]}
    assert code(await eve.patch(path, hers, headers=stale)) == f"404 {noun}-not-found"
    answer = await ada.patch(path, {"workspace_id": two}, headers=stale)
    assert code(answer) == "412 precondition-failed"
    assert answer.json()["current_version"] == 1
    etag = {"If-Match": (await ada.get(path)).headers["etag"]}
    answer = await ada.patch(path, {"workspace_id": two, "name": "x"}, headers=etag)
    assert answer.status_code == 200


async def test_a_locked_vault_is_not_moved(ada: User) -> None:
    one, two = await two_workspaces(ada)
    vault = await ada.vault(one, "engine")
    await ada.vault(two, "engine")
    path = f"/vaults/{vault['id']}"
    await ada.post(f"{path}/lock")
    for target in (one, two):
        assert code(await ada.patch(path, {"workspace_id": target})) == "423 vault-locked"
    nowhere = await ada.patch(path, {"workspace_id": str(new_id())})
    assert faults(nowhere) == [("/workspace_id", "workspace-not-found")]
    assert [await count(ada, "vault", each) for each in (one, two)] == [1, 1]


@pytest.mark.parametrize("protection", [{}, {"protection": "passphrase", "passphrase": PASSPHRASE}])
async def test_entries_and_sessions_stay_readable_after_a_move(
    ada: User, protection: dict[str, str]
) -> None:
    one, two = await two_workspaces(ada)
    vault = f"/vaults/{(await ada.vault(one, **protection))['id']}"
    unlock = {"passphrase": PASSPHRASE} if protection else None
    session = (await ada.post(f"{vault}/unlock", unlock)).json()["session"]
    headers = {"Vault-Session": session} if session else {}
    await ada.put(f"{vault}/entries/a/b", {"content": "kept"}, headers=headers)
    assert (await ada.patch(vault, {"workspace_id": two})).status_code == 200
    read = await ada.get(f"{vault}/entries/a/b", headers=headers)
    assert read.json()["content"] == "kept"
    await ada.post(f"{vault}/lock")
    again = (await ada.post(f"{vault}/unlock", unlock)).json()["session"]
    headers = {"Vault-Session": again} if again else {}
    await ada.put(f"{vault}/entries/a/b", {"content": "new"}, headers=headers)
    restored = await ada.post(f"{vault}/restore/a/b", {"version": 1}, headers=headers)
    assert restored.status_code == 200
    assert (await ada.get(f"{vault}/entries/a/b", headers=headers)).json()["content"] == "kept"


@pytest.mark.usefixtures("git_root")
async def test_the_board_shows_a_moved_repo_in_its_new_workspace(ada: User) -> None:
    one, two = await two_workspaces(ada)
    repo = await ada.repo(one, path="/nowhere")
    board = f"/user-profiles/{ada.id}/attention"
    fresh = (await ada.get(board)).json()["items"]
    assert [each["workspace_id"] for each in fresh] == [one]
    await ada.patch(f"/repos/{repo['id']}", {"workspace_id": two})
    stored = (await ada.get(board, params={"fresh": "false"})).json()["items"]
    assert stored == [fresh[0] | {"workspace_id": two}]
    of_one = await ada.get(board, params={"fresh": "false", "workspace_id": one})
    assert of_one.json()["items"] == []


async def test_a_retried_creation_returns_the_resource_as_it_was_created(ada: User) -> None:
    one, two = await two_workspaces(ada)
    body, key = {"name": "engine", "path": "/x"}, {"Idempotency-Key": "k"}
    first = await ada.post(f"/workspaces/{one}/repos", body, headers=key)
    await ada.patch(f"/repos/{first.json()['id']}", {"workspace_id": two})
    again = await ada.post(f"/workspaces/{one}/repos", body, headers=key)
    assert again.content == first.content
    assert await count(ada, "repo", one) == 0


@pytest.mark.long
@noun
async def test_parallel_moves_fill_the_target_exactly_to_its_limit(
    settings: Settings, noun: str
) -> None:
    limits = {"max_repos_per_workspace": 10, "max_vaults_per_workspace": 10}
    async with running_api(settings.model_copy(update=limits)) as client:
        ada = await sign_up(client, "ada")
        one, two = await two_workspaces(ada)
        three = (await ada.workspace("three"))["id"]
        moved = [
            await create(ada, noun, source, f"{source[-4:]}{number}")
            for source in (one, two)
            for number in range(8)
        ]
        answers = await asyncio.gather(
            *(ada.patch(f"/{noun}s/{each['id']}", {"workspace_id": three}) for each in moved)
        )
        counted = Counter("200" if each.status_code == 200 else code(each) for each in answers)
        assert counted == {"200": 10, f"409 {noun}-limit-reached": 6}
        assert await count(ada, noun, three) == len(await names(ada, noun, three)) == 10
        counts = [await count(ada, noun, each) for each in (one, two)]
        assert counts == [len(await names(ada, noun, each)) for each in (one, two)]
        assert sum(counts) == 6
