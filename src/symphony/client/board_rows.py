"""The rows of the board as people see it: one for each checkout, the most at risk first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from symphony.client.documents import (
    Document,
    child,
    children,
    moment,
    number,
    text,
    texts,
    truth,
)
from symphony.client.words import left_to_do

SERVER = "(server)"
"""What stands for a machine when the server itself inspected the directory."""
_NO_FACTS: Document = {}
_RANKS = {True: 0, None: 1, False: 2}


@dataclass(frozen=True, slots=True)
class BoardRow:
    """What is left to do at one place; `at_risk` is None when it is unknown."""

    workspace: str
    name: str
    machine: str
    branch: str
    left_to_do: str
    at_risk: bool | None
    unfinished_since: datetime | None
    observed_at: datetime | None


def board_rows(board: Document) -> Sequence[BoardRow]:
    """Return the rows of a board, whose items have a `workspace`, the most at risk first.

    Rows of equal risk stay in the order of the server.
    """
    rows = [row for item in children(board, "items") for row in _rows(item)]
    return sorted(rows, key=lambda each: _RANKS[each.at_risk])


def is_at_risk(board: Document) -> bool:
    """Whether something is at risk or unknown; what was never observed is unknown, too."""
    return bool(number(board, "unobserved")) or any(
        truth(each, "at_risk") is not False for each in children(board, "items")
    )


def machine_name(checkout: Document) -> str:
    """Return the name of the machine of a checkout."""
    machine = child(checkout, "machine")
    return SERVER if machine is None else text(machine, "name")


def _rows(item: Document) -> Iterator[BoardRow]:
    checkouts = children(item, "checkouts")
    machines = Counter(map(machine_name, checkouts))
    shown = _with_counts(item, checkouts)
    for each in checkouts:
        name = machine_name(each)
        own = item if each is shown else _NO_FACTS
        if texts(each, "reasons"):
            place = f"{name}: {text(each, 'path')}" if machines[name] > 1 else name
            yield _row(item, each, place, own)
    if not checkouts:  # a vault or a token, or a server of a version without machines
        yield _row(item, item, SERVER if text(item, "kind") == "repo" else "", item)


def _with_counts(item: Document, checkouts: Sequence[Document]) -> Document | None:
    """Return the checkout whose counts an item has: that of the server, or else the first one with
    most at risk, and most reasons. The same path on several machines does not tell them apart."""
    if not checkouts:
        return None
    found = checkouts[0]
    if child(found, "machine") is not None:
        found = min(
            checkouts,
            key=lambda each: (_RANKS[truth(each, "at_risk")], -len(texts(each, "reasons"))),
        )
    return found if text(found, "path") == text(item, "path") else None


def _row(item: Document, place: Document, machine: str, facts: Document) -> BoardRow:
    return BoardRow(
        workspace=text(item, "workspace"),
        name=text(item, "name"),
        machine=machine,
        branch=text(place, "branch"),
        left_to_do=left_to_do(texts(place, "reasons"), facts),
        at_risk=truth(place, "at_risk"),
        unfinished_since=moment(place, "unfinished_since"),
        observed_at=moment(place, "observed_at"),
    )
