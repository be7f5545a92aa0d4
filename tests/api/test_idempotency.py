"""Retried creations: the same key, path and body create one resource."""

import asyncio

from tests.support.api import User, code, created

BODY = {"name": "engine", "path": "~/dev/engine", "metadata": {"a": 1, "b": [1.0, None]}}


async def test_a_retry_returns_the_first_response_and_creates_nothing(ada: User) -> None:
    key = {"Idempotency-Key": "first"}
    workspaces = f"/user-profiles/{ada.id}/workspaces"
    workspace = created(await ada.post(workspaces, {"name": "Thesis"}, headers=key))
    for collection, body in (
        (workspaces, {"name": "Other", "workspace_type": "research", "description": "x"}),
        (f"/workspaces/{workspace['id']}/repos", BODY),
        (f"/workspaces/{workspace['id']}/vaults", BODY),
        ("/machines", {"name": "laptop"}),
    ):
        headers = {"Idempotency-Key": f"key for {collection[-6:]}".replace(" ", "-")}
        first = await ada.post(collection, body, headers=headers)
        again = await ada.post(collection, body, headers=headers)
        assert first.status_code == again.status_code == 201
        assert first.content == again.content
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        for name in ("location", "etag"):
            assert first.headers[name] == again.headers[name]


async def test_a_retry_returns_the_first_response_even_after_an_update_or_deletion(
    ada: User,
) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/repos"
    key = {"Idempotency-Key": "k"}
    first = await ada.post(path, BODY, headers=key)
    repo = f"/repos/{first.json()['id']}"
    assert (await ada.patch(repo, {"name": "renamed"})).status_code == 200
    assert (await ada.post(path, BODY, headers=key)).content == first.content
    assert (await ada.delete(repo)).status_code == 204
    assert (await ada.post(path, BODY, headers=key)).content == first.content
    assert (await ada.get(path)).json()["items"] == []


async def test_20_parallel_retries_create_one_resource_and_all_return_it(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/repos"
    key = {"Idempotency-Key": "same"}
    answers = await asyncio.gather(*(ada.post(path, BODY, headers=key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 19
    assert len((await ada.get(path)).json()["items"]) == 1


async def test_a_key_is_valid_for_one_request_only(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"/workspaces/{workspace['id']}/repos"
    key = {"Idempotency-Key": "k"}
    created(await ada.post(path, BODY, headers=key))
    other_body = await ada.post(path, BODY | {"metadata": {"a": 1.0}}, headers=key)
    assert code(other_body) == "422 idempotency-key-reused"
    other_path = await ada.post(f"/workspaces/{workspace['id']}/vaults", BODY, headers=key)
    assert code(other_path) == "422 idempotency-key-reused"


async def test_the_same_key_of_another_user_is_independent(ada: User, eve: User) -> None:
    for user in (ada, eve):
        path = f"/user-profiles/{user.id}/workspaces"
        answer = await user.post(path, {"name": "Thesis"}, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers


async def test_refusals_are_not_stored(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/repos"
    existing = await ada.repo(path.split("/")[2])
    key = {"Idempotency-Key": "k"}
    assert code(await ada.post(path, BODY, headers=key)) == "409 repo-name-taken"
    await ada.delete(f"/repos/{existing['id']}")
    again = await ada.post(path, BODY, headers=key)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


async def test_a_key_is_1_to_255_visible_ascii_characters(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    for bad in ("", "k" * 256, "with space", "tab\tinside", b"\xe9"):
        answer = await ada.post(path, {"name": "x"}, headers={"Idempotency-Key": bad})
        assert code(answer) == "422 validation-error", bad
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
    longest = await ada.post(path, {"name": "x"}, headers={"Idempotency-Key": "!" * 254 + "~"})
    assert longest.status_code == 201
