"""The parser of reports: what it recognizes is what the strict parser and the schema accept."""

import json
import random
import tracemalloc
from typing import Any

import pytest
from pydantic import ValidationError

from symphony.api.bodies.strict_json import parse
from symphony.api.machines import received
from symphony.api.machines.received import SentCheckout
from symphony.api.machines.report_body import MAX_BYTES, ReportBody
from symphony.api.machines.report_parser import parse_report
from symphony.api.problems.errors import ApiError, ValidationFailed
from symphony.domain.machines.checkouts import MAX_CHECKOUTS, ReceivedCheckout
from tests.support.machines.reports import TIME, checkout_body, commit, report_body, work_item

NAMES = [
    'observed_at","status":{"observed_at":"x',
    '{"path":"/a","remotes":[',
    "observed_at",
    "ä\\",
]
WORKTREE = {
    "path": "/w",
    "branch": "main",
    "head": commit("tip"),
    "state": "clean",
    "reason": None,
    "changed_since": None,
}
CHECKOUTS = [
    checkout_body("/plain"),
    checkout_body('/quoted "path"\\', status={"branch": 'a "branch"'}),
    checkout_body("/with worktrees", status={"worktrees": [WORKTREE, WORKTREE | {"path": "/x"}]}),
    checkout_body("/at risk", status={"work": [work_item()], "at_risk": True, "stashes": 2}),
    *(
        checkout_body(
            f"/{number}",
            remotes=[{"name": name, "url": TIME}],
            status={"remotes": {name: TIME}, "branch": name},
        )
        for number, name in enumerate(NAMES)
    ),
    checkout_body("/bare", remotes=[], root_commits=[], remote_heads=[], status={"remotes": {}}),
]
LATER = "2026-11-20T08:00:00Z"


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> received.ValidDigests:
    empty = received.ValidDigests()
    monkeypatch.setattr(received, "_valid", empty)
    return empty


def compact(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def outcome(document: Any) -> Any:
    """What a parsed report means: its checkouts, or all of its errors."""
    try:
        report = ReportBody.model_validate(document).report()
    except ValidationError as error:
        return [(each["loc"], each["type"], each["msg"]) for each in error.errors()]
    return report.sequence, [
        (each.path, each.observed_at, each.digest, each.read()) for each in report.checkouts
    ]


def read(body: bytes) -> Any:
    try:
        document = parse_report(body)
    except (ApiError, ValidationFailed) as error:
        return str(error)
    return outcome(document)


def read_strictly(body: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same without any memory and without parts."""
    with monkeypatch.context() as patch:
        patch.setattr(received, "_valid", received.ValidDigests())
        try:
            document = parse(body)
        except (ApiError, ValidationFailed) as error:
            return str(error)
        return outcome(document)


def recognized(body: bytes) -> list[bool]:
    return [isinstance(each, ReceivedCheckout) for each in parse_report(body)["checkouts"]]


def at_other_times(*checkouts: dict[str, Any]) -> list[dict[str, Any]]:
    return [each | {"status": each["status"] | {"observed_at": LATER}} for each in checkouts]


def test_what_was_valid_is_recognized_by_its_text_at_any_time_and_in_any_place() -> None:
    read(compact(report_body(*CHECKOUTS)))
    later = compact(report_body(*at_other_times(*reversed(CHECKOUTS)), sequence=2))
    assert recognized(later) == [True] * len(CHECKOUTS)


def test_what_is_recognized_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first = compact(report_body(*CHECKOUTS))
    assert read(first) == read_strictly(first, monkeypatch)
    later = compact(report_body(*at_other_times(*CHECKOUTS), sequence=2))
    assert read(later) == read_strictly(later, monkeypatch)
    changed = checkout_body("/plain", status={"stashes": 1, "at_risk": True})
    mixed = compact(report_body(changed, *CHECKOUTS[1:3], checkout_body("/new"), sequence=3))
    assert recognized(mixed) == [False, True, True, False]
    assert read(mixed) == read_strictly(mixed, monkeypatch)


def test_a_report_in_another_form_is_recognized_when_it_is_validated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backwards = dict(reversed(report_body(*CHECKOUTS).items()))
    for body in (json.dumps(report_body(*CHECKOUTS)).encode(), compact(backwards)):
        assert read(body) == read_strictly(body, monkeypatch)
        assert recognized(body) == [False] * len(CHECKOUTS)


def test_addresses_with_credentials_are_never_remembered() -> None:
    url = "https://ada:hunter@git.example.org/ada/engine.git"
    remotes = [{"name": "origin", "url": url}]
    body = compact(report_body(checkout_body("/a", remotes=remotes)))
    for _ in range(2):
        assert recognized(body) == [False]
        read(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'"observed_at":"{LATER}"', '"observed_at":"yesterday"'),
        (f'"observed_at":"{LATER}"', '"observed_at":"\\u0032026-11-20T08:00:00Z"'),
        (f'"observed_at":"{LATER}"', '"observed_at":"\xff"'),
        (f'"observed_at":"{LATER}"', '"observed_at":null'),
        (f'"observed_at":"{LATER}"', f'"observed_at":"{LATER}","observed_at":"{LATER}"'),
        ('},{"path"', '} ,{"path"'),
        ('},{"path"', '}{"path"'),
        ('},{"path"', '},,{"path"'),
        ('},{"path"', '},7,{"path"'),
        ('"checkouts":[', '"checkouts":[],"checkouts":['),
        ('"checkouts":[', '"checkouts":[{},'),
        ('"checkouts":[', '"x":{"checkouts":['),
        ('"sequence":2', '"sequence":2,"sequence":3'),
        ('"sequence":2', '"sequence":2.0'),
        ('"sequence":2,', ""),
        ("}}]}", "}}],}"),
        ("}}]}", "}}]}}"),
        ('"path":"/plain"', '"path":"/first","path":"/plain"'),
        ('"path":"/plain"', '"path":"/with worktrees"'),
        ('"path":"/plain"', '"path":"\\u002fplain"'),
        ('"remotes":[', '"others":1,"remotes":['),
        ('"stashes":0', '"stashes":1e400'),
        ('"stashes":0', '"stashes":00'),
    ],
)
def test_a_change_of_the_text_is_never_overlooked(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(compact(report_body(*CHECKOUTS)))
    body = compact(report_body(*at_other_times(*CHECKOUTS), sequence=2))
    assert old.encode() in body
    changed = body.replace(old.encode(), new.encode("latin-1"), 1)
    assert read(changed) == read_strictly(changed, monkeypatch)


@pytest.mark.parametrize(
    "head",
    [
        r'{"\"checkouts":[',
        r'{"checkouts":7,"\"checkouts":[',
        r'{"sequence":1,"roots":[],"checkouts":[],"\"checkouts":[',
    ],
)
def test_a_name_that_ends_like_that_of_the_checkouts_is_another_one(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = head.encode() + compact(checkout_body()) + b"]}"
    read(compact(report_body(checkout_body())))
    assert read(body) == read_strictly(body, monkeypatch)


def test_a_long_path_takes_no_memory_for_its_search() -> None:
    body = compact(report_body(checkout_body("a" * MAX_BYTES)))
    tracemalloc.start()
    try:
        parse_report(body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 32 * len(body)  # orjson takes most of it


def test_more_checkouts_than_a_report_may_have_are_not_looked_at_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = compact(report_body(*[checkout_body("/a")] * (MAX_CHECKOUTS + 1)))
    assert read(body) == read_strictly(body, monkeypatch)
    assert not any(isinstance(each, SentCheckout) for each in parse_report(body)["checkouts"])


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_of_the_text_mean_what_the_strict_parser_says(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    first = compact(report_body(*CHECKOUTS))
    read(first)
    body = compact(report_body(*at_other_times(*CHECKOUTS), sequence=2))
    marks = [
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\",
        b"0",
        b"null",
        b'{"path":"/p","remotes":[',
    ]
    accepted = 0
    for _ in range(60):
        at, length = chance.randrange(len(body)), chance.choice([0, 0, 1, 2, 40])
        piece = chance.choice(
            [*marks, b"", body[(start := chance.randrange(len(body))) : start + 200]]
        )
        changed = body[:at] + piece + body[at + length :]
        found = read(changed)
        assert found == read_strictly(changed, monkeypatch)
        accepted += isinstance(found, tuple)
    assert 0 < accepted < 60
