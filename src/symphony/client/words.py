"""What is left to do and since when, in words for people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from symphony.client.documents import Document, number, texts
from symphony.console.tables import counted, timestamp

NOW = "now"
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_SHOWN_BRANCHES = 3


def left_to_do(reasons: Sequence[str], facts: Document) -> str:
    """Describe what is left to do; `facts` has the counts of a board's item, or nothing.

    A reason that this version does not know is shown as it is.
    """
    hidden = {"behind"} if "diverged" in reasons else set[str]()
    parts = [
        _WORDS[each](facts) if each in _WORDS else each for each in reasons if each not in hidden
    ]
    return ", ".join(parts)


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was, as `3 hours ago`; a time in the future is now."""
    found = duration(moment, now)
    return f"{found} ago" if found not in {"", NOW} else found


def duration(since: datetime | None, now: datetime | None = None) -> str:
    """Return how long something lasts, as `3 hours`; `now` when it has just begun."""
    if since is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - since).total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return NOW


def exact(since: datetime | None) -> str:
    """Return a time for programs; nothing when it is unknown."""
    return timestamp(since, missing="")


def risk(at_risk: bool | None) -> str:  # noqa: FBT001 - a fact, no flag
    return {True: "yes", False: "no", None: "unknown"}[at_risk]


def _commit_files(facts: Document) -> str:
    names = ("conflicted", "staged", "modified", "untracked")
    counts = [f"{count} {each}" for each in names if (count := number(facts, each))]
    return "commit changes" + (f" ({', '.join(counts)})" if counts else "")


def _push(facts: Document) -> str:
    count = number(facts, "unpushed_commits")
    branches = texts(facts, "unpushed_branches")
    words = f"push {counted(count, 'commit')}" if count else "push commits"
    if not branches:
        return words
    shown = ", ".join(branches[:_SHOWN_BRANCHES])
    return f"{words} of {shown}" + (", …" if len(branches) > _SHOWN_BRANCHES else "")


def _pull(facts: Document) -> str:
    behind = number(facts, "behind")
    return f"pull {counted(behind, 'commit')}" if behind else "pull"


def _join(facts: Document) -> str:
    ahead, behind = number(facts, "ahead"), number(facts, "behind")
    counts = f" ({ahead} ahead, {behind} behind)" if ahead and behind else ""
    return f"merge or rebase{counts}"


def _stashes(facts: Document) -> str:
    count = number(facts, "stashes")
    if not count:
        return "use or drop stashes"
    return "use or drop a stash" if count == 1 else f"use or drop {count} stashes"


def _fixed(words: str) -> Callable[[Document], str]:
    return lambda _facts: words


_WORDS: Mapping[str, Callable[[Document], str]] = {
    "dirty": _commit_files,
    "worktree": _fixed("commit changes of another worktree"),
    "unpushed": _push,
    "detached": _fixed("keep commits of a detached HEAD"),
    "behind": _pull,
    "diverged": _join,
    "stashed": _stashes,
    "conflict": _fixed("finish a merge or resolve conflicts"),
    "no-remote": _fixed("add a remote"),
    "at-risk": _fixed("save what exists only here"),
    "missing": _fixed("nothing exists at the path"),
    "unreadable": _fixed("could not be read"),
    "stale": _fixed("unfinished for 30 days"),
    "unseen": _fixed("no report for 7 days"),
    "unlocked": _fixed("lock the vault"),
    "token-expiring": _fixed("rotate the API token"),
}
