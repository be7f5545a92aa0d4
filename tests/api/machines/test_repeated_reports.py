"""Reports that repeat what was reported before: less is computed, and each answer stays right."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from symphony.api.machines.received import ValidDigests
from symphony.api.machines.reported_checkout import ReportedCheckout
from symphony.application.orchestrations import report_acceptance
from symphony.application.reports import CompareReport
from symphony.domain.base import new_id
from symphony.domain.machines.reports import KeptCounts
from tests.support.api import User, code, faults, utc
from tests.support.machines.reports import URL, checkout_body, put_bytes, put_report, report_body

pytestmark = pytest.mark.usefixtures("no_pause")
LATER = "2026-11-20T08:00:00Z"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the checkouts that were read to be stored."""
    paths = list[str]()
    original = ReportedCheckout.checkout

    def checkout(self: ReportedCheckout) -> Any:
        paths.append(self.path)
        return original(self)

    monkeypatch.setattr(ReportedCheckout, "checkout", checkout)
    return paths


def utc_text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


async def report(user: User, machine: dict[str, Any], sequence: int, *checkouts: Any) -> Any:
    answer = await put_report(user, machine["id"], report_body(*checkouts, sequence=sequence))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def repo(ada: User) -> str:
    """The path of a repo to which all reported checkouts belong."""
    workspace = await ada.workspace()
    return f"/repos/{(await ada.repo(workspace['id'], remote_url=URL))['id']}"


async def stashes(user: User, repo: str) -> dict[str, int]:
    """The number of stashes of each checkout of a repo, by its path."""
    items = (await user.get(f"{repo}/checkouts")).json()["items"]
    return {each["path"]: each["status"]["stashes"] for each in items}


async def test_only_what_has_changed_is_read(
    ada: User, machine: dict[str, Any], repo: str, read: list[str]
) -> None:
    await report(ada, machine, 1, checkout_body("/a"), checkout_body("/b"))
    assert read == ["/a", "/b"]
    later = checkout_body("/b", status={"observed_at": LATER})
    await report(ada, machine, 2, checkout_body("/a"), later)
    assert read == ["/a", "/b"]
    await report(ada, machine, 3, checkout_body("/b", status={"stashes": 1}), checkout_body("/c"))
    assert read == ["/a", "/b", "/b", "/c"]
    assert await stashes(ada, repo) == {"/b": 1, "/c": 0}


async def test_a_checkout_that_was_valid_is_stored_again_after_it_was_gone(
    ada: User, machine: dict[str, Any], repo: str, read: list[str]
) -> None:
    before = checkout_body("/a", status={"stashes": 3})
    await report(ada, machine, 1, before)
    await report(ada, machine, 2)
    await report(ada, machine, 3, before)
    assert read == ["/a", "/a"]
    assert await stashes(ada, repo) == {"/a": 3}


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        ({"observed_at": "yesterday"}, ("/checkouts/0/status/observed_at", "not-a-time")),
        ({"observed_at": 7}, ("/checkouts/0/status/observed_at", "not-a-time")),
        ({"stashes": -1}, ("/checkouts/0/status/stashes", "too-small")),
    ],
)
async def test_a_fault_in_a_checkout_that_was_valid_is_found(
    ada: User, machine: dict[str, Any], status: dict[str, Any], fault: tuple[str, str]
) -> None:
    await report(ada, machine, 1, checkout_body())
    answer = await put_report(
        ada, machine["id"], report_body(checkout_body(status=status), sequence=2)
    )
    assert faults(answer) == [fault]


async def test_another_password_in_an_address_changes_nothing_and_is_never_shown(
    ada: User, machine: dict[str, Any], read: list[str]
) -> None:
    for sequence, secret in enumerate(("hunter-one", "hunter-two"), 1):
        url = f"https://ada:{secret}@git.example.org/ada/engine.git"
        checkout = checkout_body(
            remotes=[{"name": "origin", "url": url}], status={"remotes": {"origin": url}}
        )
        await report(ada, machine, sequence, checkout)
    assert len(read) == 1
    assert "hunter" not in (await ada.get(f"/machines/{machine['id']}/checkouts")).text


async def test_a_report_that_was_compared_before_another_was_accepted_is_compared_again(
    ada: User, machine: dict[str, Any], repo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = report_acceptance.compare_report
    overtaking = [checkout_body("/a", status={"stashes": 2}), checkout_body("/b")]

    async def compare_slowly(query: CompareReport, queries: Any) -> Any:
        compared = await original(query, queries)
        if query.report.sequence == 3 and overtaking:
            second = [overtaking.pop(), overtaking.pop()]
            await report(ada, machine, 2, *second)
        return compared

    monkeypatch.setattr(report_acceptance, "compare_report", compare_slowly)
    await report(ada, machine, 1, checkout_body("/a"))
    await report(ada, machine, 3, checkout_body("/a"), checkout_body("/c"))
    assert not overtaking
    assert await stashes(ada, repo) == {"/a": 0, "/c": 0}


async def test_a_clock_that_is_right_again_corrects_the_times(
    ada: User, machine: dict[str, Any], repo: str
) -> None:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    status = {"stashes": 1, "at_risk": True, "stashed_since": utc_text(began)}
    ahead = timedelta(hours=2)
    found = list[datetime]()
    for sequence, error in enumerate((timedelta(), ahead, timedelta()), 1):
        observed_at = utc_text(datetime.now(UTC) + error)
        checkout = checkout_body(status=status | {"observed_at": observed_at})
        await report(ada, machine, sequence, checkout)
        (shown,) = (await ada.get(f"{repo}/checkouts")).json()["items"]
        found.append(utc(shown["unfinished_since"]))
    assert found[0] == found[2] == began
    assert abs(began - ahead - found[1]) < timedelta(minutes=1)


async def test_a_remote_that_is_a_directory_does_not_hide_the_repo_at_the_path(
    ada: User, machine: dict[str, Any]
) -> None:
    workspace = await ada.workspace()
    await ada.repo(workspace["id"], path="/home/ada/dev/engine")
    on_disk = [{"name": "origin", "url": "/media/usb/engine.git"}]
    checkout = checkout_body("/home/ada/dev/engine", remotes=on_disk)
    assert (await report(ada, machine, 1, checkout))["matched"] == 1


async def test_a_number_that_overflows_is_not_taken_for_what_was_null(
    ada: User, machine: dict[str, Any]
) -> None:
    await report(ada, machine, 1, checkout_body(status={"reason": None}))
    body = json.dumps(report_body(checkout_body(), sequence=2))
    answer = await put_bytes(
        ada, machine["id"], body.replace('"reason": null', '"reason": 1e400').encode(), None
    )
    assert code(answer) == "422 validation-error"


async def test_a_name_given_twice_is_refused_in_what_was_valid(
    ada: User, machine: dict[str, Any]
) -> None:
    await report(ada, machine, 1, checkout_body("/a"))
    compact = json.dumps(report_body(checkout_body("/a"), sequence=2), separators=(",", ":"))
    twice = compact.replace('"path":', '"path":"/first","path":', 1)
    answer = await put_bytes(ada, machine["id"], twice.encode(), None)
    assert faults(answer) == [("/checkouts/0/path", "duplicate-field")]


async def test_a_path_given_twice_is_refused_in_what_was_valid(
    ada: User, machine: dict[str, Any]
) -> None:
    await report(ada, machine, 1, checkout_body("/a"))
    body = report_body(checkout_body("/a"), checkout_body("/a"), sequence=2)
    assert faults(await put_report(ada, machine["id"], body)) == [
        ("/checkouts/1/path", "path-given-twice")
    ]


async def test_repos_that_come_and_go_are_matched_although_nothing_else_changes(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    foreign = await eve.machine("laptop")
    workspace = await ada.workspace()
    for sequence in (1, 2):
        answer = await report(ada, machine, sequence, checkout_body())
        assert answer["matched"] == 0
    repo = await ada.repo(workspace["id"], remote_url="git@git.example.org:ada/engine.git")
    for sequence in (3, 4):
        assert (await report(ada, machine, sequence, checkout_body()))["matched"] == 1
        assert (await report(eve, foreign, sequence, checkout_body()))["matched"] == 0
    assert (await ada.delete(f"/repos/{repo['id']}")).status_code == 204
    assert (await report(ada, machine, 5, checkout_body()))["matched"] == 0


async def test_what_was_valid_is_stored_for_another_machine(
    ada: User, eve: User, machine: dict[str, Any]
) -> None:
    await report(ada, machine, 1, checkout_body())
    foreign = await eve.machine("laptop")
    await report(eve, foreign, 1, checkout_body())
    (shown,) = (await eve.get(f"/machines/{foreign['id']}/checkouts")).json()["items"]
    assert shown["path"] == checkout_body()["path"]
    assert code(await ada.get(f"/machines/{foreign['id']}/checkouts")) == "404 machine-not-found"


def test_the_digests_that_were_needed_last_are_known() -> None:
    known = ValidDigests(2)
    known.keep(b"a", b"1")
    known.keep(b"b", b"2")
    assert known.get(b"a") == b"1"
    known.keep(b"c", b"3")
    assert [known.get(each) for each in (b"a", b"b", b"c")] == [b"1", None, b"3"]


def test_the_counts_of_the_machines_that_reported_last_are_kept() -> None:
    counts = KeptCounts(2)
    first, second, third = (new_id() for _ in range(3))
    counts.keep(first, b"digest", 7, 1)
    counts.keep(second, b"digest", 7, 2)
    assert counts.get(first, b"digest", 7) == 1
    assert counts.get(first, b"other", 7) is None
    assert counts.get(first, b"digest", 8) is None
    counts.keep(third, b"digest", 7, 3)
    assert [counts.get(each, b"digest", 7) for each in (first, second, third)] == [1, None, 3]
