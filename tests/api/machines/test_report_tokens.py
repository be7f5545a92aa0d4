"""API tokens with the scope `report`: for one machine, and for nothing else."""

import asyncio
import re
from typing import Any

import pytest

from symphony.domain.base import new_id
from tests.support.api import API, User, code, faults
from tests.support.openapi import operations

ALWAYS = {"X-Request-ID": "the-same"}


@pytest.fixture
async def machine(ada: User) -> dict[str, Any]:
    return await ada.machine("laptop")


@pytest.fixture
async def reporter(ada: User, machine: dict[str, Any]) -> User:
    token = await ada.api_token("report", machine_id=machine["id"])
    assert (token["scopes"], token["machine_id"]) == (["report"], machine["id"])
    return ada.using(token["token"])


async def test_the_answers_about_tokens_have_their_machine(
    ada: User, reporter: User, machine: dict[str, Any]
) -> None:
    other = await ada.api_token("read", name="other")
    assert other["machine_id"] is None
    items = (await ada.get("/api-tokens")).json()["items"]
    assert [each["machine_id"] for each in items] == [machine["id"], None]
    assert (await reporter.get(f"/machines/{machine['id']}")).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "has_machine", "expected"),
    [
        (["report"], False, [("/machine_id", "missing")]),
        (["read"], True, [("/machine_id", "unknown-field")]),
        (["report", "read"], True, [("/scopes", "report-not-alone")]),
        (["report", "read", "write", "secrets"], True, [("/scopes", "report-not-alone")]),
    ],
)
async def test_the_scope_and_the_machine_of_a_token_go_together(
    ada: User,
    machine: dict[str, Any],
    scopes: list[str],
    has_machine: bool,  # noqa: FBT001 - a case
    expected: list[tuple[str, str]],
) -> None:
    body = {"name": "reporter", "scopes": scopes}
    refused = await ada.post(
        "/api-tokens", body | ({"machine_id": machine["id"]} if has_machine else {})
    )
    assert faults(refused) == expected


async def test_a_foreign_and_an_unknown_machine_are_refused_with_the_same_answer(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    answers = [
        await eve.post(
            "/api-tokens",
            {"name": "reporter", "scopes": ["report"], "machine_id": each},
            headers=ALWAYS,
        )
        for each in (machine["id"], str(new_id()))
    ]
    assert faults(answers[0]) == [("/machine_id", "machine-not-found")]
    assert answers[0].text == answers[1].text
    assert (await ada.get("/api-tokens")).json()["items"] == []
    malformed = {"name": "reporter", "scopes": ["report"], "machine_id": "laptop"}
    assert [place for place, _ in faults(await ada.post("/api-tokens", malformed))] == [
        "/machine_id"
    ]


async def test_a_token_for_reports_gets_its_own_machine_and_no_other(
    ada: User, eve: User, reporter: User, machine: dict[str, Any]
) -> None:
    own = f"/machines/{machine['id']}"
    assert (await reporter.get(own)).json() == machine
    other = (await ada.machine("desktop"))["id"]
    foreign = (await eve.machine("desktop"))["id"]
    answers = [
        await reporter.get(f"/machines/{each}", headers=ALWAYS)
        for each in (other, foreign, str(new_id()), "no-id")
    ]
    assert {code(answer) for answer in answers} == {"403 insufficient-scope"}
    texts = {
        answer.text.replace(str(answer.request.url.path).removeprefix(API), "{path}")
        for answer in answers
    }
    assert len(texts) == 1


@pytest.mark.long
async def test_a_token_for_reports_can_do_nothing_else(
    reporter: User, machine: dict[str, Any]
) -> None:
    ids = {"machine_id": machine["id"], "key": "a"}
    allowed = {
        ("GET", f"{API}/machines/{{machine_id}}"),
        ("PUT", f"{API}/machines/{{machine_id}}/report"),
        ("GET", f"{API}/api-tokens/current"),
    }
    refused = [
        each
        for each in operations().values()
        if each.needs_token and (each.method, each.path) not in allowed
    ]
    assert len(refused) > 30
    for operation in refused:
        others = {name: str(new_id()) for name in re.findall(r"{(\w+)}", operation.path)}
        path = operation.path.format(**(others | ids)).removeprefix(API)
        answer = await reporter.request(operation.method, path, json={})
        assert (operation.id, code(answer)) == (operation.id, "403 insufficient-scope")


async def test_deleting_a_machine_revokes_its_tokens_and_no_other(
    ada: User, reporter: User, machine: dict[str, Any]
) -> None:
    desktop = await ada.machine("desktop")
    token = await ada.api_token("report", name="desktop", machine_id=desktop["id"])
    script = await ada.api_token("read", name="script")
    assert (await ada.delete(f"/machines/{machine['id']}")).status_code == 204
    assert code(await reporter.get(f"/machines/{machine['id']}")) == "401 unauthenticated"
    kept = ada.using(token["token"])
    assert (await kept.get(f"/machines/{desktop['id']}")).status_code == 200
    names = [each["name"] for each in (await ada.get("/api-tokens")).json()["items"]]
    assert names == ["desktop", script["name"]]


@pytest.mark.long
@pytest.mark.every_store
async def test_no_token_outlives_a_machine_that_is_deleted_while_it_is_created(ada: User) -> None:
    for number in range(5):
        machine = (await ada.machine(f"m{number}"))["id"]
        body = {"name": "reporter", "scopes": ["report"], "machine_id": machine}
        answers = await asyncio.gather(
            *(ada.post("/api-tokens", body) for _ in range(4)),
            ada.delete(f"/machines/{machine}"),
        )
        assert answers[-1].status_code == 204
        for answer in answers[:-1]:
            if answer.status_code == 201:
                late = ada.using(answer.json()["token"])
                assert code(await late.get(f"/machines/{machine}")) == "401 unauthenticated"
            else:
                assert faults(answer) == [("/machine_id", "machine-not-found")]
    assert (await ada.get("/api-tokens")).json()["items"] == []
