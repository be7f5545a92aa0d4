"""What is out of reach is answered byte for byte like an unknown id, whatever else is sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.isolation import contract
from tests.api.isolation.cases import Case, cases
from tests.api.isolation.contract import ACCESS
from tests.api.isolation.kinds import KINDS, Kind, expected
from tests.api.isolation.tokens import hold
from tests.api.isolation.world import Held, World, create_world
from tests.support.api import API, code

_SAME = {"X-Request-ID": "the-same"}
_HEADERS: tuple[dict[str, str], ...] = (
    {"If-Match": "*"},
    {"If-Match": '"stale"'},
    {"If-None-Match": "*"},
    {"Idempotency-Key": "some-key"},
)
_QUERIES = ("?force=true", "?limit=0", "?cursor=x", "?colour=1")
_WITH_ALL_SCOPES = {
    each.name: each
    for each in (*KINDS["unconfined"], *KINDS["confined"])
    if each.is_access or (each.is_confined and each.scopes == ACCESS)
}

Answer = tuple[int, str, dict[str, str]]
_NAMES = [
    name if kind.is_confined else pytest.param(name, marks=pytest.mark.long)
    for name, kind in _WITH_ALL_SCOPES.items()
]


@pytest.fixture
async def world(client: httpx.AsyncClient, git_root: Path) -> World:
    client.event_hooks["response"] = []
    return await create_world(client, git_root)


def _hidden(kind: Kind) -> Iterator[tuple[Case, str]]:
    """The operations and places of which a token must not learn whether they exist."""
    for case in cases():
        for place in case.places:
            if place != "unknown" and expected(kind, case, place).startswith("404 "):
                yield case, place


@pytest.mark.long
@pytest.mark.parametrize("name", _NAMES)
async def test_conditions_keys_and_queries_do_not_tell_what_exists(world: World, name: str) -> None:
    kind = _WITH_ALL_SCOPES[name]
    held = await hold(world, kind)
    before = await world.state()
    hidden = list(_hidden(kind))
    assert len(hidden) > 20
    for case, place in hidden:
        body = case.body(world.name(kind.owner, "own"), world.git_root) if case.body else None
        variants: list[tuple[str, dict[str, str]]] = [
            *(("", each) for each in _HEADERS),
            *((each, {}) for each in _QUERIES),
        ]
        for query, headers in variants:
            answers = [
                await _answer(held, case, target, query, headers=headers, json=body)
                for target in (world.target(held, case, place), world.target(held, case, "unknown"))
            ]
            assert answers[0][0] in {400, 404, 422}, (*case.key, place)
            assert answers[0] == answers[1], (*case.key, place, query, headers)
    assert await world.state() == before


@pytest.mark.long
@pytest.mark.parametrize("name", _NAMES)
async def test_invalid_bodies_do_not_tell_what_exists(world: World, name: str) -> None:
    kind = _WITH_ALL_SCOPES[name]
    held = await hold(world, kind)
    before = await world.state()
    for case, place in _hidden(kind):
        if case.body is None:
            continue
        good = case.body(world.name(kind.owner, "own"), world.git_root)
        bodies: tuple[Any, ...] = (
            {"colour": 1},
            dict.fromkeys(good),
            [],
            good | {"id": held.user.id},
        )
        for bad in bodies:
            answers = [
                await _answer(held, case, target, json=bad)
                for target in (world.target(held, case, place), world.target(held, case, "unknown"))
            ]
            assert answers[0] == answers[1], (*case.key, place, bad)
    assert await world.state() == before


async def test_without_a_token_nothing_tells_what_exists(world: World) -> None:
    (none,) = (each for each in KINDS["refused"] if each.name == "none")
    held = await hold(world, none)
    for case in cases():
        targets = {
            place: world.target(held, case, place) for place in case.places if place != "own"
        }
        answers = {
            await _raw_answer(world, case, target) for target in [*targets.values(), "not-a-uuid"]
        }
        assert len(answers) == 1, case.key


async def _raw_answer(world: World, case: Case, target: str) -> tuple[str, str]:
    client = world.people["ada"].client
    path = API + case.at(target)
    answer = await client.request(case.method, path, headers=_SAME, content=b"{")
    if case.method != "HEAD":
        assert code(answer) == "401 unauthenticated"
    return answer.headers["www-authenticate"], answer.text.replace(target, "{id}")


async def _answer(held: Held, case: Case, target: str, query: str = "", **options: Any) -> Answer:
    headers = _SAME | options.pop("headers", {})
    path = case.at(target) + query
    answer = await held.user.request(case.method, path, headers=headers, **options)
    shown = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.text.replace(target, "{id}"), shown


@pytest.mark.long
async def test_a_scope_is_missing_whatever_else_is_wrong(world: World) -> None:
    for kind in (*KINDS["unconfined"], *KINDS["confined"]):
        held = await hold(world, kind)
        for case in cases():
            if contract.is_of_token_itself(*case.key) and case.is_allowed(kind.scopes):
                continue  # whether it is allowed depends on the id
            if expected(kind, case, case.places[-1]) != "403 insufficient-scope":
                continue
            target = world.target(held, case, case.places[-1])
            body = {} if case.body is None else {"json": {"colour": 1}}
            answer = await _answer(held, case, target, "?colour=1", **body)
            assert answer[0] == 403, (kind.name, *case.key)
