"""What is stored of the state of a remote."""

from dataclasses import replace
from datetime import UTC, datetime

from symphony.domain.git.work import Comparison
from symphony.domain.sync import RemoteState, storable

URL = "https://git.example.org/ada/engine.git"
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def a_state(branches: dict[str, str], comparison: Comparison | None = None) -> RemoteState:
    return RemoteState(
        branches=branches, default_branch="main", comparison=comparison, synced_at=NOW
    )


def test_the_state_of_an_ordinary_remote_is_stored_whole() -> None:
    branches = {"main": "0" * 40, **{f"branch-{number}": "1" * 40 for number in range(1_999)}}
    stored = storable(a_state(branches), URL)
    assert (stored.branches, stored.is_complete) == (branches, True)
    assert (stored.remote_url, stored.default_branch, stored.synced_at) == (URL, "main", NOW)


def test_of_a_remote_with_many_branches_only_two_are_stored() -> None:
    """However many of them are at the commit that was compared."""
    comparison = Comparison("a" * 40, "1" * 40, 1, 2)
    many = {"main": "0" * 40, **{f"branch-{number}": "1" * 40 for number in range(2_000)}}
    long = {"main": "0" * 40, **{f"{number}{'x' * 200}": "1" * 40 for number in range(600)}}
    for branches in (many, long):
        stored = storable(a_state(branches, comparison), URL)
        (other,) = stored.branches.keys() - {"main"}
        assert stored.branches == {"main": "0" * 40, other: "1" * 40}
        assert (stored.comparison, stored.is_complete) == (comparison, False)


def test_objects_of_tags_are_stored_unless_a_branch_has_them_or_there_are_many() -> None:
    few = replace(a_state({"main": "0" * 40}), tags={"0" * 40, "1" * 40})
    assert storable(few, URL).tags == {"1" * 40}
    many = replace(few, tags={f"{number:040}" for number in range(1, 2_002)})
    stored = storable(many, URL)
    assert (stored.tags, stored.is_complete) == (frozenset(), True)


def test_numbers_are_those_of_the_comparison() -> None:
    assert (a_state({}).ahead, a_state({}).behind) == (None, None)
    compared = a_state({}, Comparison("a" * 40, "b" * 40, 1, 2))
    assert (compared.ahead, compared.behind) == (1, 2)
