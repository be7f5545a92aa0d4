"""Reports of machines: accepted in growing order, at most one a second, all or nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from symphony.domain.base import new_id
from tests.support.api import User, code, faults, utc
from tests.support.machines.reports import checkout_body, put_report, report_body

LARGEST = 2**63 - 1


async def test_a_report_is_stored_and_counted_on_its_machine(
    ada: User, machine: dict[str, Any]
) -> None:
    before = datetime.now(UTC)
    body = report_body(checkout_body("/a"), checkout_body("/b", remotes=[]), sequence=7)
    answer = await put_report(ada, machine["id"], body)
    assert (answer.status_code, answer.json()) == (
        200,
        {"sequence": 7, "matched": 0, "unmatched": 2},
    )
    shown = (await ada.get(f"/machines/{machine['id']}")).json()
    assert (shown["checkout_count"], shown["version"]) == (2, 2)
    assert before <= utc(shown["last_report_at"]) <= datetime.now(UTC)
    assert "report_sequence" not in shown


@pytest.mark.usefixtures("no_pause")
async def test_checkouts_of_repos_are_counted_as_matched(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    foreign = await eve.workspace()
    await eve.repo(foreign["id"], remote_url="https://git.example.org/eve/only.git")
    workspace = await ada.workspace()
    await ada.repo(workspace["id"], remote_url="git@git.example.org:ada/engine.git")
    of_eve = [{"name": "origin", "url": "https://git.example.org/eve/only.git"}]
    body = report_body(
        checkout_body("/by-remote"),
        checkout_body("/by-root", remotes=[]),
        checkout_body("/neither", remotes=of_eve, root_commits=[]),
    )
    answer = await put_report(ada, machine["id"], body)
    assert answer.json() == {"sequence": 1, "matched": 2, "unmatched": 1}
    # A root commit of two repos tells them no longer apart, also if one is on another machine.
    await ada.repo(workspace["id"], "mirror", remote_url="https://mirror.example.org/engine")
    desktop = await ada.machine("desktop")
    mirror = [{"name": "origin", "url": "https://mirror.example.org/engine.git"}]
    await put_report(ada, desktop["id"], report_body(checkout_body("/m", remotes=mirror)))
    again = await put_report(ada, machine["id"], body | {"sequence": 2})
    assert again.json() == {"sequence": 2, "matched": 1, "unmatched": 2}


@pytest.mark.usefixtures("no_pause")
async def test_the_sequence_of_reports_must_grow(ada: User, machine: dict[str, Any]) -> None:
    path = f"/machines/{machine['id']}"
    for sequence in (0, 5, LARGEST):
        answer = await put_report(ada, machine["id"], report_body(sequence=sequence))
        assert answer.json()["sequence"] == sequence
    before = (await ada.get(path)).json()
    for sequence in (0, 5, LARGEST - 1, LARGEST):
        late = await put_report(ada, machine["id"], report_body(checkout_body(), sequence=sequence))
        assert code(late) == "409 report-outdated"
        assert late.json()["current_sequence"] == LARGEST
    assert (await ada.get(path)).json() == before


@pytest.mark.parametrize("sequence", [-1, LARGEST + 1, 10**400, 1.5, "7", True, None])
async def test_other_sequences_are_refused(
    ada: User, machine: dict[str, Any], sequence: object
) -> None:
    answer = await put_report(ada, machine["id"], report_body() | {"sequence": sequence})
    assert [place for place, _ in faults(answer)] == ["/sequence"]


async def test_a_machine_reports_at_most_once_a_second(ada: User, machine: dict[str, Any]) -> None:
    # A report that is refused for another reason does not count, and keeps its reason.
    assert faults(await put_report(ada, machine["id"], report_body(sequence=-1)))
    assert (await put_report(ada, machine["id"], report_body(sequence=1))).status_code == 200
    early = await put_report(ada, machine["id"], report_body(checkout_body(), sequence=2))
    assert code(early) == "429 too-many-reports"
    assert early.headers["Retry-After"] == "1"
    late = await put_report(ada, machine["id"], report_body(sequence=1))
    assert code(late) == "409 report-outdated"
    assert faults(await put_report(ada, machine["id"], report_body(sequence=-1)))
    unknown = await put_report(ada, str(new_id()), report_body(sequence=2))
    assert code(unknown) == "404 machine-not-found"
    other = await ada.machine("desktop")
    assert (await put_report(ada, other["id"], report_body(sequence=2))).status_code == 200
    shown = (await ada.get(f"/machines/{machine['id']}")).json()
    assert (shown["checkout_count"], shown["version"]) == (0, 2)


async def test_a_report_of_a_clock_that_was_ahead_blocks_no_other(
    ada: User, machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    future = datetime.now(UTC) + timedelta(days=400)
    with monkeypatch.context() as ahead:
        ahead.setattr("symphony.domain.machines.reports.utc_now", lambda: future)
        assert (await put_report(ada, machine["id"], report_body(sequence=1))).status_code == 200
    answer = await put_report(ada, machine["id"], report_body(checkout_body(), sequence=2))
    assert answer.status_code == 200
    shown = (await ada.get(f"/machines/{machine['id']}")).json()
    assert utc(shown["last_report_at"]) < future - timedelta(days=399)


@pytest.mark.long
@pytest.mark.every_store
@pytest.mark.usefixtures("no_pause")
async def test_of_parallel_reports_exactly_growing_ones_are_accepted(
    ada: User, machine: dict[str, Any]
) -> None:
    sequences = [*range(1, 21)]
    answers = await asyncio.gather(
        *(
            put_report(
                ada,
                machine["id"],
                report_body(*(checkout_body(f"/{n}") for n in range(sequence)), sequence=sequence),
            )
            for sequence in sequences[::2] + sequences[1::2][::-1]
        )
    )
    accepted = [each.json()["sequence"] for each in answers if each.status_code == 200]
    refused = [each for each in answers if each.status_code != 200]
    assert {code(each) for each in refused} <= {"409 report-outdated"}
    assert len(set(accepted)) == len(accepted)
    assert len(accepted) + len(refused) == len(sequences)
    # Each was refused because of one that was accepted.
    assert {each.json()["current_sequence"] for each in refused} <= set(accepted)
    assert max(accepted) == 20
    shown = (await ada.get(f"/machines/{machine['id']}")).json()
    assert shown["checkout_count"] == 20
    assert shown["version"] == 1 + len(accepted)
    late = await put_report(ada, machine["id"], report_body(sequence=20))
    assert late.json()["current_sequence"] == 20


async def test_of_parallel_reports_within_a_second_one_is_accepted(
    ada: User, machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony.domain.machines.reports.LEAST_INTERVAL", timedelta(hours=1))
    answers = await asyncio.gather(
        *(put_report(ada, machine["id"], report_body(sequence=number)) for number in range(20))
    )
    accepted = [each.json()["sequence"] for each in answers if each.status_code == 200]
    assert len(accepted) == 1
    codes = [code(each) for each in answers if each.status_code != 200]
    assert codes.count("429 too-many-reports") == 19 - accepted[0]
    assert codes.count("409 report-outdated") == accepted[0]


async def test_two_checkouts_at_one_path_are_refused(ada: User, machine: dict[str, Any]) -> None:
    body = report_body(*(checkout_body(path) for path in ("/a", "/b", "/a", "/A", "/a")))
    answer = await put_report(ada, machine["id"], body)
    assert faults(answer) == [
        ("/checkouts/2/path", "path-given-twice"),
        ("/checkouts/4/path", "path-given-twice"),
    ]


@pytest.mark.usefixtures("no_pause")
@pytest.mark.every_store
async def test_a_refused_report_changes_nothing(ada: User, machine: dict[str, Any]) -> None:
    await put_report(ada, machine["id"], report_body(checkout_body("/a"), sequence=5))
    before = (await ada.get(f"/machines/{machine['id']}")).json()
    bad = report_body(checkout_body("/b"), checkout_body("c"), sequence=6)
    assert faults(await put_report(ada, machine["id"], bad))
    late = report_body(checkout_body("/b"), sequence=5)
    assert code(await put_report(ada, machine["id"], late)) == "409 report-outdated"
    assert (await ada.get(f"/machines/{machine['id']}")).json() == before


async def test_a_machine_of_another_user_does_not_exist(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    texts = set[str]()
    for each in (machine["id"], str(new_id())):
        answer = await put_report(eve, each, report_body(), **{"X-Request-ID": "the-same"})
        assert code(answer) == "404 machine-not-found"
        texts.add(answer.text.replace(each, "{id}"))
    assert len(texts) == 1


async def test_a_token_for_reports_sends_those_of_its_own_machine_only(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    token = await ada.api_token("report", machine_id=machine["id"])
    reporter = ada.using(token["token"])
    other, foreign = (await ada.machine("desktop"))["id"], (await eve.machine("desktop"))["id"]
    for each in (other, foreign, str(new_id()), "no-id"):
        refused = await put_report(reporter, each, report_body())
        assert code(refused) == "403 insufficient-scope"
    assert (await put_report(reporter, machine["id"], report_body())).status_code == 200
    await ada.delete(f"/machines/{machine['id']}")
    gone = await put_report(reporter, machine["id"], report_body(sequence=2))
    assert code(gone) == "401 unauthenticated"


async def test_a_confined_token_sends_no_report(ada: User, machine: dict[str, Any]) -> None:
    workspace = await ada.workspace()
    token = await ada.api_token("read", "write", workspace_ids=[workspace["id"]])
    refused = await put_report(ada.using(token["token"]), machine["id"], report_body())
    assert code(refused) == "403 insufficient-scope"


@pytest.mark.long
@pytest.mark.every_store
@pytest.mark.usefixtures("no_pause")
async def test_a_machine_can_be_deleted_while_it_reports(ada: User) -> None:
    for number in range(3):
        machine = await ada.machine(f"m{number}")
        token = await ada.api_token("report", name=f"t{number}", machine_id=machine["id"])
        reporter = ada.using(token["token"])
        *reports, deleted = await asyncio.gather(
            *(
                put_report(reporter, machine["id"], report_body(checkout_body(), sequence=each))
                for each in range(4)
            ),
            ada.delete(f"/machines/{machine['id']}"),
        )
        assert deleted.status_code == 204
        refusals = {"401 unauthenticated", "404 machine-not-found", "409 report-outdated"}
        assert {code(each) for each in reports if each.status_code != 200} <= refusals
        assert code(await ada.get(f"/machines/{machine['id']}")) == "404 machine-not-found"
