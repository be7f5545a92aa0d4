"""What the answers to a report mean for the next attempt."""

import json
import random
from typing import Any

import pytest

from symphony.client.connection import Connection
from symphony.client.errors import ClientError, ServerProblem, UnexpectedAnswer, Unreachable
from symphony.client.reporting.document import Document, create_document
from symphony.client.reporting.sending import Accepted, RetryPolicy, Sender
from tests.client.reporting.checkouts import checkout, report
from tests.client.reporting.scripted_server import (
    CLOSED,
    MACHINE,
    Answer,
    ScriptedServer,
    accepted,
    problem,
    scripted_server,
)

QUICK = RetryPolicy(attempts=3, base=0.01, cap=0.02)
BUSY = problem(503, "service-unavailable")


class Sending:
    """Sends the same report to a server; `taken` has what was asked of the sequence."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = answers
        self.taken = list[int]()
        self.server: ScriptedServer | None = None

    async def send(self, policy: RetryPolicy = QUICK, document: Document | None = None) -> Accepted:
        with (
            scripted_server(*self._answers) as server,
            Connection(server.url, "sym_x") as connection,
        ):
            self.server = server
            sender = Sender(connection, self._take, policy)
            paths = ("/a", "/b", "/c")
            sent = document or create_document(report(*map(checkout, paths)))
            return await sender.send(MACHINE["id"], sent)

    def _take(self, *, above: int) -> int:
        self.taken.append(above)
        return above + 1

    @property
    def arrived(self) -> ScriptedServer:
        assert self.server is not None
        return self.server


async def test_an_accepted_report_is_sent_once() -> None:
    sending = Sending(accepted(2, 1))
    assert await sending.send() == Accepted(7, 2, 1, [])
    assert sending.arrived.sequences == [7]


@pytest.mark.parametrize("first", [CLOSED, BUSY, problem(500, "e"), problem(429, "e")])
async def test_a_report_is_sent_again_with_the_same_sequence(first: Answer) -> None:
    sending = Sending(first, first, accepted(2, 1))
    assert await sending.send() == Accepted(7, 2, 1, [])
    assert sending.arrived.sequences == [7, 7, 7]


async def test_the_attempts_end() -> None:
    sending = Sending(CLOSED)
    with pytest.raises(Unreachable):
        await sending.send()
    assert sending.arrived.sequences == [7, 7, 7]
    with pytest.raises(ServerProblem, match="service-unavailable"):
        await Sending(BUSY).send()


async def test_a_report_that_had_arrived_counts_as_done() -> None:
    sending = Sending(CLOSED, problem(409, "report-outdated", current_sequence=7))
    assert await sending.send() == Accepted(7, None, None, [])
    assert sending.taken == []


async def test_after_a_greater_sequence_the_next_one_is_sent_once() -> None:
    sending = Sending(problem(409, "report-outdated", current_sequence=99), accepted())
    result = await sending.send()
    assert (result.sequence, sending.taken, sending.arrived.sequences) == (100, [99], [7, 100])
    assert len(result.notes) == 1
    assert "use --machine" in result.notes[0]
    outdated = [problem(409, "report-outdated", current_sequence=n) for n in (99, 200)]
    with pytest.raises(ServerProblem, match="report-outdated"):
        await Sending(*outdated).send()


async def test_the_same_sequence_of_another_reporter_is_no_success() -> None:
    sending = Sending(problem(409, "report-outdated", current_sequence=7), accepted())
    assert (await sending.send()).sequence == 8


@pytest.mark.parametrize("status", [401, 403, 404, 413, 415])
async def test_a_refusal_is_not_repeated(status: int) -> None:
    sending = Sending(problem(status, "refused"))
    with pytest.raises(ServerProblem, match="Because of refused"):
        await sending.send()
    assert sending.arrived.sequences == [7]


async def test_a_checkout_that_is_not_accepted_does_not_prevent_the_others() -> None:
    errors = [
        {"pointer": "/checkouts/1/status/reason", "code": "too-long", "detail": "Is too long."},
        {"pointer": "/checkouts/1/status/branch", "code": "too-long", "detail": "Is too long."},
    ]
    path = [{"pointer": "/checkouts/0/path", "code": "pattern", "detail": "Is no path."}]
    sending = Sending(
        problem(422, "validation-error", errors=errors),
        problem(422, "validation-error", errors=path),
        accepted(),
    )
    result = await sending.send()
    first, _, last = sending.arrived.reports
    assert [each["path"] for each in last["checkouts"]] == ["/b", "/c"]
    assert last["checkouts"][1] == first["checkouts"][2]
    replaced, sent = last["checkouts"][0], first["checkouts"][1]
    assert replaced["root_commits"] == sent["root_commits"]
    assert replaced["status"].keys() == sent["status"].keys()
    assert (replaced["status"]["state"], replaced["status"]["at_risk"]) == ("error", None)
    assert replaced["status"]["reason"].endswith("`status`: Is too long.")
    assert result.notes == [
        "The server does not accept what was found in /b: `status`: Is too long.",
        "The server does not accept what was found in /a: `path`: Is no path.",
    ]


async def test_a_server_of_an_older_version_gets_what_it_knows() -> None:
    pointers = ("status/changed_since", "status/work/0/unpushed_since")
    unknown = [
        {"pointer": f"/checkouts/0/{each}", "code": "unknown-field", "detail": "Unknown field."}
        for each in pointers
    ]
    sending = Sending(problem(422, "validation-error", errors=unknown), accepted())
    result = await sending.send()
    first, last = sending.arrived.reports
    assert result.notes == []
    assert '_since"' in json.dumps(first)
    assert '_since"' not in json.dumps(last)
    added = {"changed_since", "stashed_since"}
    for sent, left in zip(first["checkouts"], last["checkouts"], strict=True):
        assert sent["status"].keys() - left["status"].keys() == added
        assert [each["head"] for each in left["status"]["work"]] == [
            each["head"] for each in sent["status"]["work"]
        ]


async def test_a_server_that_refuses_what_is_left_too_gets_the_other_checkouts() -> None:
    errors = [
        {"pointer": "/checkouts/1/status/changed_since", "code": "unknown-field", "detail": "No."}
    ]
    refused = problem(422, "validation-error", errors=errors)
    sending = Sending(refused, refused, accepted())
    await sending.send()
    _, _, last = sending.arrived.reports
    assert [each["status"]["state"] for each in last["checkouts"]] == ["clean", "error", "clean"]


@pytest.mark.long
async def test_errors_elsewhere_or_without_end_are_a_refusal() -> None:
    roots = problem(422, "validation-error", errors=[{"pointer": "/roots", "detail": "No."}])
    with pytest.raises(ServerProblem):
        await Sending(roots).send()
    errors = [{"pointer": "/checkouts/0/status", "detail": "No."}]
    sending = Sending(problem(422, "validation-error", errors=errors))
    with pytest.raises(ServerProblem, match=r"^/a: status: no"):
        await sending.send()
    assert len(sending.arrived.reports) == 11
    for number in ("3", "9" * 5000):
        beyond = [{"pointer": f"/checkouts/{number}/status", "detail": "No."}]
        with pytest.raises(ServerProblem):
            await Sending(problem(422, "validation-error", errors=beyond)).send()


@pytest.mark.parametrize(
    "counts",
    [{}, {"matched": 1}, {"matched": 1, "unmatched": -1}, {"matched": True, "unmatched": 0}],
)
async def test_an_answer_of_something_else_is_an_error(counts: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        await Sending(Answer(200, {"sequence": 7, **counts})).send()


@pytest.fixture
def longest_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(_low: float, high: float) -> float:
        return high

    monkeypatch.setattr(random, "uniform", longest)


@pytest.mark.usefixtures("longest_jitter")
def test_pauses_double_up_to_a_limit_and_then_the_attempts_end() -> None:
    policy = RetryPolicy()
    pauses = [policy.pause(failed, None) for failed in range(1, 6)]
    assert pauses == [1, 2, 4, 8, None]
    assert RetryPolicy(attempts=10).pause(9, None) == 15


@pytest.mark.usefixtures("longest_jitter")
def test_a_pause_that_the_server_asks_for_is_kept_or_ends_the_attempts() -> None:
    policy = RetryPolicy()
    assert policy.pause(1, 20) == 21
    assert policy.pause(1, 60) == 61
    assert policy.pause(1, 61) is None


def test_a_pause_has_full_jitter() -> None:
    pauses = [RetryPolicy().pause(4, None) or 0 for _ in range(200)]
    assert min(pauses) < 1
    assert max(pauses) > 7
    assert all(0 <= each <= 8 for each in pauses)


def test_all_errors_have_an_exit_status() -> None:
    assert issubclass(ServerProblem, ClientError)
    assert (ServerProblem.status, Unreachable.status) == (1, 4)
