"""Merges into the target that would change nothing."""

from collections.abc import Collection, Mapping

from symphony.infrastructure.git.integration.changes import Outline
from symphony.infrastructure.git.integration.commit_graph import CommitGraph
from symphony.infrastructure.git.integration.merge_effects import find_certain_effects
from symphony.infrastructure.git.integration.partial_output import partial_output
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_OUTPUT = 16 << 20  # bytes
_MIN_TO_CHECK = 6  # commits; to merge fewer takes less time than to check them


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

    Raises: Unreadable (refused), Stopped.
    """
    target_tree = graph.trees[graph.target]
    pending = list(commits)
    if len(pending) >= _MIN_TO_CHECK:
        changing = find_certain_effects(directory, target_tree, commits, deadline)
        pending = [commit for commit in pending if commit not in changing]
    if not pending:
        return set(), set()
    merged = _merge(directory, graph.target, pending, deadline)
    found = {commit for commit, tree in merged.items() if tree == target_tree}
    return found, set(pending) - merged.keys()


def _merge(
    directory: PrivateDirectory, target: str, commits: Collection[str], deadline: float
) -> dict[str, str | None]:
    """Return the tree of each commit merged into the target; None where there are conflicts.

    Beyond a limit, and behind a commit that git cannot merge, commits are missing.
    """
    output = partial_output(
        *(directory, "merge-tree", "--write-tree", "--stdin", "--no-messages"),
        data="".join(f"{target} {commit}\n" for commit in commits).encode(),
        deadline=deadline,
        max_output=_MAX_OUTPUT,
    )
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
