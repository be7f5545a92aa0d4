"""Members of a report that a server of an older version does not know, and refuses."""

from collections.abc import Mapping, Sequence
from typing import Any

_IN_STATUS = ("changed_since", "stashed_since")
_IN_ITEMS = (("work", "unpushed_since"), ("worktrees", "changed_since"))
_ADDED = {*_IN_STATUS, *(name for _, name in _IN_ITEMS)}
_UNKNOWN = "unknown-field"


def are_refused(errors: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the server does not know a member that was added since its version."""
    return any(
        each.get("code") == _UNKNOWN and str(each.get("pointer")).rpartition("/")[2] in _ADDED
        for each in errors
    )


def without_added(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report as reporters of older versions send it."""
    checkouts = [{**each, "status": _without_added(each["status"])} for each in report["checkouts"]]
    return {**report, "checkouts": checkouts}


def _without_added(status: Mapping[str, Any]) -> dict[str, Any]:
    left = {name: value for name, value in status.items() if name not in _IN_STATUS}
    for members, added in _IN_ITEMS:
        left[members] = [
            {name: value for name, value in item.items() if name != added}
            for item in status[members]
        ]
    return left
