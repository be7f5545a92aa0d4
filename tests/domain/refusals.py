"""The code with which a rule refuses a value."""

from collections.abc import Callable

import pytest

from symphony.domain.errors import RuleBroken

Rule = Callable[[object], object]


def refusal(rule: Rule, value: object) -> str:
    """The code with which a rule refuses a value."""
    with pytest.raises(RuleBroken) as refused:
        rule(value)
    assert refused.value.detail
    return refused.value.code
