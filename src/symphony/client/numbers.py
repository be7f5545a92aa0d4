"""The numbers of a list that a person chooses at a terminal."""

import re

_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


def chosen_numbers(answer: str, count: int) -> set[int] | None:
    """Return the chosen ones of the numbers 1 … `count`: `all`, `none`, or such as `1 3-5, 7`.

    Returns None for anything else.
    """
    words = answer.replace(",", " ").lower().split()
    if words in (["all"], ["none"]):
        return set(range(1, count + 1)) if words == ["all"] else set()
    chosen = set[int]()
    for word in words:
        match = _RANGE.fullmatch(word)
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= count:
            return None
        chosen |= set(range(first, last + 1))
    return chosen or None
