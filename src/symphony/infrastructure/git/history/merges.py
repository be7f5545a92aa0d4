"""Merges into the target that would change nothing."""

import re
from collections.abc import Collection, Mapping

from symphony.domain.git import RepoState
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.history.changes import Outline
from symphony.infrastructure.git.history.commit_graph import CommitGraph
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import OutOfTime

_MIN_TO_CHECK = 4  # merges; fewer take less time than one more run of git
_MAX_PATHS = 20  # of each change
_MAX_OUTPUT = 16 << 20  # bytes of git's output
# A file with other contents: the ids of both, and a path that is not quoted. git would take a path
# that begins with dots for a relative one.
_CONTENT = re.compile(
    rb"^:\d{6} \d{6} ([0-9a-f]+) ([0-9a-f]+) \w+\t([^\"\n.][^\n]*)$", re.MULTILINE
)
_MISSING = b" missing"


def find_merges_without_effect(
    directory: PrivateDirectory,
    graph: CommitGraph,
    commits: Mapping[str, Outline | None],
    deadline: float,
) -> tuple[set[str], set[str]]:
    """Return the commits that can be merged into the target without changing it, and those for
    which it could not be determined.

    Each of `commits` has one merge base with the target, and the outline of its change since then,
    if it is known.

    Raises: Unreadable, Stopped.
    """
    target_tree = graph.trees[graph.target]
    pending = list(commits)
    if len(pending) >= _MIN_TO_CHECK:
        untouched = _with_untouched_files(directory, target_tree, commits, deadline)
        pending = [commit for commit in pending if commit not in untouched]
    if not pending:
        return set(), set()
    merged = _merge(directory, graph.target, pending, deadline)
    found = {commit for commit, tree in merged.items() if tree == target_tree}
    return found, set(pending) - merged.keys()


def _with_untouched_files(
    directory: PrivateDirectory,
    target_tree: str,
    commits: Mapping[str, Outline | None],
    deadline: float,
) -> set[str]:
    """Return the commits that change a file which the target has as the merge base has it: to merge
    them certainly changes this file."""
    files: list[tuple[str, bytes]] = []
    questions: list[bytes] = []
    for commit, outline in commits.items():
        directory.program.check_stopped()
        contents = () if outline is None else _CONTENT.finditer(outline.exact)
        for _, content in zip(range(_MAX_PATHS), contents, strict=False):
            old, new, path = content.groups()
            if old != new:
                files.append((commit, old))
                questions.append(b"%s:%s\n" % (target_tree.encode(), path))
    arguments = ("cat-file", "--batch-check=%(objectname)")
    answers = _output(directory, *arguments, data=b"".join(questions), deadline=deadline)
    return {
        commit
        for (commit, old), answer in zip(files, answers.split(b"\n")[:-1], strict=False)
        if answer == old or (answer.endswith(_MISSING) and not old.strip(b"0"))
    }


def _merge(
    directory: PrivateDirectory, target: str, commits: Collection[str], deadline: float
) -> dict[str, str | None]:
    """Return the tree of each commit merged into the target; None where there are conflicts.

    Beyond a limit, and behind a commit that git cannot merge, commits are missing.
    """
    output = _output(
        directory, "merge-tree", "--write-tree", "--stdin", "--no-messages",
        data="".join(f"{target} {commit}\n" for commit in commits).encode(),
        deadline=deadline,
    )  # fmt: skip
    trees: dict[str, str | None] = {}
    fields = iter(output.split(b"\0")[:-1])
    for commit in commits:
        directory.program.check_stopped()
        is_clean, tree = next(fields, b""), next(fields, b"")
        for conflict in fields:
            if not conflict:
                trees[commit] = tree.decode() if is_clean == b"1" else None
                break
        else:
            break
    return trees


def _output(directory: PrivateDirectory, *arguments: str, data: bytes, deadline: float) -> bytes:
    """Return what git prints before the deadline, a limit or an error.

    Raises: Unreadable (refused), Stopped.
    """
    output = bytearray()

    def consume(chunk: bytes) -> None:
        output.extend(chunk)
        if len(output) > _MAX_OUTPUT:
            del output[_MAX_OUTPUT:]
            raise OutOfTime

    try:
        directory.stream_with_input(*arguments, data=data, consume=consume, deadline=deadline)
    except OutOfTime:
        pass
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
    return bytes(output)
