"""In which current states a write may start."""

import pytest

from symphony.domain.preconditions import Precondition

CURRENT, OTHER = "current", "other"
ANY = Precondition()


@pytest.mark.parametrize(
    ("precondition", "accepts_nothing", "accepts_current"),
    [
        (ANY, True, True),
        (Precondition(must_exist=True), False, True),
        (Precondition(must_not_exist=True), True, False),
        (Precondition(accepted_tags=frozenset({CURRENT, OTHER})), False, True),
        (Precondition(accepted_tags=frozenset({OTHER})), False, False),
        (Precondition(accepted_tags=frozenset()), False, False),
        (Precondition(rejected_tags=frozenset({CURRENT})), True, False),
        (Precondition(rejected_tags=frozenset({OTHER})), True, True),
        (Precondition(must_exist=True, rejected_tags=frozenset({OTHER})), False, True),
        (Precondition(must_exist=True, must_not_exist=True), False, False),
    ],
)
def test_a_precondition_accepts_states_by_existence_and_tag(
    precondition: Precondition, *, accepts_nothing: bool, accepts_current: bool
) -> None:
    assert precondition.accepts(None) is accepts_nothing
    assert precondition.accepts(CURRENT) is accepts_current
