"""The operation in progress in a repository, according to its files (git's wt-status.c)."""

from symphony.domain.git.status import Operation
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_MAX_TODO = 1 << 20  # bytes
# Rebase comes first: one of its steps can stop as a merge or as a cherry-pick.
_OPERATION_FILES = (
    ("rebase-merge", Operation.REBASE),
    ("rebase-apply/applying", Operation.AM),
    ("rebase-apply", Operation.REBASE),
    ("MERGE_HEAD", Operation.MERGE),
    ("CHERRY_PICK_HEAD", Operation.CHERRY_PICK),
    ("REVERT_HEAD", Operation.REVERT),
)
_FILES = {name.partition("/")[0] for name, _ in _OPERATION_FILES} | {"sequencer", "BISECT_LOG"}
_SEQUENCER_STEPS = {
    b"pick": Operation.CHERRY_PICK,
    b"p": Operation.CHERRY_PICK,
    b"revert": Operation.REVERT,
}


_STARTED = (
    "rebase-merge/orig-head",
    "rebase-apply/orig-head",
    "rebase-apply/applying",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "sequencer/head",
    "BISECT_START",
)
"""Files that git writes when it starts an operation."""


def operation_times(git_directory: UntrustedDirectory) -> list[int]:
    """Return when operations in progress were started, in nanoseconds since 1970.

    Raises: Unreadable.
    """
    times = map(git_directory.modified_at, _STARTED)
    return [time for time in times if time is not None]


def current_operation(git_directory: UntrustedDirectory) -> Operation | None:
    """Return the operation in progress. Raises: Unreadable, Stopped."""
    present = {entry.name for entry in git_directory.entries()} & _FILES
    if not present:
        return None
    for name, operation in _OPERATION_FILES:
        if name.partition("/")[0] in present and git_directory.mode(name) is not None:
            return operation
    # Between two commits of a sequence neither head exists, only the list of steps.
    first_step = (git_directory.read("sequencer/todo", _MAX_TODO) or b"").split(b" ", 1)[0]
    if first_step in _SEQUENCER_STEPS:
        return _SEQUENCER_STEPS[first_step]
    return Operation.BISECT if "BISECT_LOG" in present else None
