"""Each operation, with each kind of token, for each place: the answer is what the contract says.

The operations come from the OpenAPI document, so that a new one is covered by existing.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.isolation import contract
from tests.api.isolation.cases import Case, cases, gaps
from tests.api.isolation.kinds import KINDS, Kind, expected
from tests.api.isolation.tokens import hold, hold_for
from tests.api.isolation.world import Held, World, create_world
from tests.conftest import STORES
from tests.support.api import code
from tests.support.openapi import check

_SAME = {"X-Request-ID": "the-same"}


@pytest.fixture
async def world(client: httpx.AsyncClient, git_root: Path) -> World:
    client.event_hooks["response"] = []  # of thousands of answers, only the different ones
    return await create_world(client, git_root)


def test_every_operation_has_its_places_and_a_body() -> None:
    assert gaps(cases()) == []


def test_the_document_names_the_scopes_that_the_contract_requires() -> None:
    for case in cases():
        security = case.operation.described["security"]
        documented = {frozenset(each["bearer"]) for each in security if "bearer" in each}
        assert documented == contract.needed(*case.key), case.key
        of_access = {each for each in documented if each <= contract.ACCESS}
        signed_in = {frozenset(each["password"]) for each in security if "password" in each}
        assert signed_in == of_access, case.key


@pytest.mark.long
@pytest.mark.parametrize("group", KINDS)
async def test_every_answer_is_what_the_contract_says(
    world: World, group: str, store_kind: str
) -> None:
    """All that is refused comes first, and changes nothing."""
    kinds = KINDS[group]
    held = [await hold(world, each) for each in kinds]
    asked = {each.name: list(_asked(each, is_full=store_kind != STORES[0])) for each in kinds}
    faults: list[str] = []
    before = await world.state()
    for each in held:
        faults += await _refused(world, each, asked[each.kind.name])
        after = await world.state()
        assert after == before, f"what was refused to a token ({each.kind.name}) changed something"
    for each in held:
        faults += await _allowed(world, each, asked[each.kind.name])
    assert faults == []


def _asked(kind: Kind, *, is_full: bool) -> Iterator[tuple[Case, list[str]]]:
    """The operations and places that a token of a kind asks for.

    The whole product takes a minute; what it leaves out is a repetition for the service: HEAD with
    fewer scopes, and further ids of requests that are refused before any id is looked at.
    """
    for case in cases():
        if case.method == "HEAD" and kind.scopes != contract.ACCESS and not is_full:
            continue
        # Only an API token is a place of its own.
        has_own = case.parameter != "api_token_id" or kind.is_api_token
        places = [each for each in case.places if each != "own" or has_own]
        sees_id = kind.is_valid and case.is_allowed(kind.scopes)
        yield case, places if is_full or sees_id else [places[0], places[-1]]


async def _refused(world: World, held: Held, asked: list[tuple[Case, list[str]]]) -> list[str]:
    """What differs from the contract in the requests that are refused."""
    faults: list[str] = []
    for case, places in asked:
        answers: dict[str, dict[str, tuple[str, dict[str, str]]]] = {}
        for place in places:
            wanted = expected(held.kind, case, place)
            if wanted == "success":
                continue
            target = world.target(held, case, place)
            answer = await _ask(world, held, case, target)
            if fault := _difference(world, held, case, answer, wanted):
                faults.append(f"{held.kind.name}: {place}: {fault}")
            headers = {name: value for name, value in answer.headers.items() if name != "date"}
            text = answer.text.replace(target, "{id}")
            answers.setdefault(wanted, {})[place] = (text, headers)
        faults += [
            f"{held.kind.name}: {case.method} {case.path}: tells {place} from unknown:"
            f" {answer} {by_place['unknown']}"
            for by_place in answers.values()
            if "unknown" in by_place
            for place, answer in by_place.items()
            if answer != by_place["unknown"]
        ]
    return faults


async def _allowed(world: World, held: Held, asked: list[tuple[Case, list[str]]]) -> list[str]:
    """What differs from the contract in the requests that succeed."""
    faults: list[str] = []
    for case, places in asked:
        for place in places:
            if expected(held.kind, case, place) != "success":
                continue
            user, target = await _fresh(world, held, case, place)
            answer = await _ask(world, user, case, target)
            await check(answer)
            if fault := _difference(world, user, case, answer, "success"):
                faults.append(f"{held.kind.name}: {place}: {fault}")
    return faults


async def _fresh(world: World, held: Held, case: Case, place: str) -> tuple[Held, str]:
    """The token and the id for a request, which nothing else needs if it is used up."""
    if not case.uses_up_target or case.parameter is None:
        return held, world.target(held, case, place)
    if case.parameter == "api_token_id" and place == "own":
        held = await hold(world, held.kind)
        return held, world.target(held, case, place)
    protected = case.path.endswith("/passphrase")
    owner = held.kind.owner
    target = await world.fresh(owner, place, case.parameter, protected=protected)
    if case.parameter == "workspace_id":
        held = await hold_for(world, held.kind, target)
    return held, target


async def _ask(world: World, held: Held, case: Case, target: str) -> httpx.Response:
    name = world.name(held.kind.owner, "own")
    options = {} if case.body is None else {"json": case.body(name, world.git_root)}
    return await held.user.request(case.method, case.at(target), headers=_SAME, **options)


def _difference(
    world: World, held: Held, case: Case, answer: httpx.Response, wanted: str
) -> str | None:
    """What an answer has that the contract forbids."""
    asked = f"{case.method} {case.path}"
    if wanted == "success":
        if answer.status_code not in case.operation.successes:
            return f"{asked}: {answer.status_code} {answer.text}"
    elif case.method == "HEAD":
        if not wanted.startswith(str(answer.status_code)):
            return f"{asked}: {answer.status_code} instead of {wanted}"
    elif answer.is_success or code(answer) != wanted:
        return f"{asked}: {answer.status_code} {answer.text} instead of {wanted}"
    elif answer.json()["code"] not in case.operation.codes(answer.status_code):
        return f"{asked}: {wanted} is not documented"
    path = answer.request.url.path
    told = [each for each in world.hidden(held.kind).findall(answer.text) if each not in path]
    return f"{asked}: tells of {told}: {answer.text}" if told else None
