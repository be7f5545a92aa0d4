"""What is under way in a repository, by the files that git keeps for it (git's wt-status.c)."""

from symphony.domain.git import Operation
from symphony.infrastructure.git.files.folder import Folder

_MAX_TODO = 1 << 20  # bytes
# A rebase comes first: what it does can stop as a merge or as a cherry-pick.
_SIGNS = (
    ("rebase-merge", Operation.REBASE),
    ("rebase-apply/rebasing", Operation.REBASE),
    ("MERGE_HEAD", Operation.MERGE),
    ("CHERRY_PICK_HEAD", Operation.CHERRY_PICK),
    ("REVERT_HEAD", Operation.REVERT),
)
_STEPS = {b"pick": Operation.CHERRY_PICK, b"p": Operation.CHERRY_PICK, b"revert": Operation.REVERT}


def operation(own: Folder) -> Operation | None:
    for name, under_way in _SIGNS:
        if own.mode(name) is not None:
            return under_way
    # Between two commits of many there is no head of either kind, only the list.
    first_step = (own.read("sequencer/todo", _MAX_TODO) or b"").split(b" ", 1)[0]
    if first_step in _STEPS:
        return _STEPS[first_step]
    return Operation.BISECT if own.mode("BISECT_LOG") is not None else None
