"""Machines of a user: created, listed, updated and deleted; unique names; the limit."""

import asyncio

import pytest

from symphony.domain.base import new_id
from symphony.domain.machines.machines import MAX_MACHINES
from tests.support.api import User, code, created, created_resource, faults


async def test_a_machine_is_created_listed_updated_and_deleted(ada: User) -> None:
    answer = await ada.post("/machines", {"name": "  laptop "})
    machine = await created_resource(ada, answer, "/machines")
    assert machine["name"] == "laptop"
    assert machine["user_profile_id"] == ada.id
    assert (machine["last_report_at"], machine["checkout_count"]) == (None, 0)
    assert (await ada.get("/machines")).json() == {"items": [machine], "next_cursor": None}

    path = f"/machines/{machine['id']}"
    changed = await ada.patch(path, {"name": "desktop"})
    assert (changed.json()["name"], changed.json()["version"]) == ("desktop", 2)
    same = await ada.patch(path, {"name": "desktop"})
    assert same.json() == changed.json()

    assert (await ada.delete(path)).status_code == 204
    assert code(await ada.get(path)) == "404 machine-not-found"
    assert (await ada.get("/machines")).json()["items"] == []


async def test_the_states_of_a_machine_have_etags(ada: User) -> None:
    answer = await ada.post("/machines", {"name": "laptop"})
    path, etag = f"/machines/{answer.json()['id']}", answer.headers["ETag"]
    assert (await ada.get(path, headers={"If-None-Match": etag})).status_code == 304
    changed = await ada.patch(path, {"name": "desktop"}, headers={"If-Match": etag})
    assert changed.headers["ETag"] != etag
    for stale in (
        await ada.patch(path, {"name": "tower"}, headers={"If-Match": etag}),
        await ada.delete(path, headers={"If-Match": etag}),
    ):
        assert code(stale) == "412 precondition-failed"
        assert stale.json()["current_version"] == 2


async def test_a_machine_is_created_once_under_an_idempotency_key(ada: User) -> None:
    key = {"Idempotency-Key": "once"}
    first = await ada.post("/machines", {"name": "laptop"}, headers=key)
    again = await ada.post("/machines", {"name": "laptop"}, headers=key)
    assert again.json() == created(first)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await ada.post("/machines", {"name": "desktop"}, headers=key)
    assert code(other) == "422 idempotency-key-reused"


async def test_machines_are_listed_by_name_text_and_page(ada: User) -> None:
    for name in ("Tower", "laptop", "lab"):
        await ada.machine(name)

    async def names(query: str) -> list[str]:
        return [each["name"] for each in (await ada.get(f"/machines?{query}")).json()["items"]]

    assert await names("sort=name") == ["lab", "laptop", "Tower"]
    assert await names("sort=-created_at") == ["lab", "laptop", "Tower"]
    assert await names("q=LA&sort=name") == ["lab", "laptop"]
    page = (await ada.get("/machines?sort=name&limit=2")).json()
    assert await names(f"sort=name&limit=2&cursor={page['next_cursor']}") == ["Tower"]


async def test_names_are_unique_among_the_machines_of_a_user(ada: User, eve: User) -> None:
    await ada.machine("laptop")
    assert code(await ada.post("/machines", {"name": "LAPTOP"})) == "409 machine-name-taken"
    await eve.machine("laptop")
    other = await ada.machine("desktop")
    renamed = await ada.patch(f"/machines/{other['id']}", {"name": "Laptop"})
    assert code(renamed) == "409 machine-name-taken"


@pytest.mark.parametrize("field", ["last_report_at", "checkout_count", "id", "user_profile_id"])
async def test_the_server_sets_all_fields_but_the_name(ada: User, field: str) -> None:
    machine = await ada.machine("laptop")
    answers = (
        await ada.post("/machines", {"name": "desktop", field: None}),
        await ada.patch(f"/machines/{machine['id']}", {field: None}),
    )
    for answer in answers:
        assert faults(answer) == [(f"/{field}", "unknown-field")]
    for name in ("", "a\nb", "x" * 256, None, 7):
        refused = await ada.post("/machines", {"name": name})
        assert [place for place, _ in faults(refused)] == ["/name"]


async def test_a_user_has_at_most_50_machines_also_under_parallel_requests(ada: User) -> None:
    answers = await asyncio.gather(
        *(ada.post("/machines", {"name": f"m{number}"}) for number in range(MAX_MACHINES + 5))
    )
    refused = [answer for answer in answers if answer.status_code != 201]
    assert [code(answer) for answer in refused] == ["409 machine-limit-reached"] * 5
    assert {(each.json()["limit"], each.json()["used"]) for each in refused} == {(50, 50)}
    first = (await ada.get("/machines?limit=1")).json()["items"][0]
    assert (await ada.delete(f"/machines/{first['id']}")).status_code == 204
    await ada.machine("another")
    assert code(await ada.post("/machines", {"name": "last"})) == "409 machine-limit-reached"


async def test_a_machine_of_another_user_does_not_exist(ada: User, eve: User) -> None:
    machine = (await ada.machine("laptop"))["id"]
    fixed = {"X-Request-ID": "the-same"}
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        texts = set[str]()
        for each in (machine, str(new_id())):
            answer = await eve.request(method, f"/machines/{each}", json=body, headers=fixed)
            assert code(answer) == "404 machine-not-found"
            texts.add(answer.text.replace(each, "{id}"))
        assert len(texts) == 1
    assert (await eve.get("/machines")).json()["items"] == []


async def test_a_profile_with_machines_can_be_deleted(ada: User) -> None:
    machine = await ada.machine("laptop")
    await ada.api_token("report", machine_id=machine["id"])
    assert (await ada.delete(f"/user-profiles/{ada.id}")).status_code == 204


async def test_a_confined_token_has_no_machines(ada: User) -> None:
    machine = (await ada.machine("laptop"))["id"]
    workspace = await ada.workspace()
    token = await ada.api_token("read", "write", workspace_ids=[workspace["id"]])
    confined = ada.using(token["token"])
    for path in (f"/machines/{machine}", f"/machines/{new_id()}"):
        assert code(await confined.get(path)) == "403 insufficient-scope"
        assert code(await confined.patch(path, {"name": "x"})) == "403 insufficient-scope"
        assert code(await confined.delete(path)) == "403 insufficient-scope"
    assert code(await confined.get("/machines")) == "403 insufficient-scope"
    assert code(await confined.post("/machines", {"name": "x"})) == "403 insufficient-scope"
