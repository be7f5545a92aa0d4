"""Whether the changes of branches are in the default branch of their remote."""

import time
from collections.abc import Mapping, Sequence

from symphony.domain.git.status import RepoState
from symphony.domain.git.work import Integration
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.integration.commit_graph import read_graph
from symphony.infrastructure.git.integration.copies import find_copies
from symphony.infrastructure.git.integration.forks import find_forks
from symphony.infrastructure.git.integration.merges import find_merges_without_effect
from symphony.infrastructure.git.integration.objects_directory import objects_directory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_TIPS = 2_000
_TIME_LIMIT = 2.5  # seconds


def integrated(
    private: PrivateDirectory, tips: Sequence[str], target: str, deadline: float | None = None
) -> Mapping[str, Integration]:
    """Return for each tip whether its change is in the history of the target.

    All are ids of commits; `deadline` is a time of the monotonic clock, by default in 2.5 seconds.

    - `merged`: the target reaches the tip.
    - `squashed`: the whole change since the merge base is that of one later commit of the target;
      or each of its commits has the change of such a commit (rebased, picked), and none is a merge;
      or to merge the tip would not change the target, and the tip differs from the merge base.
    - `no`: all of this is certainly not so.
    - `unknown`: there are several merge bases, the clone is shallow or partial, git cannot read an
      object, or a limit was reached: 2,000 tips, 20,000 commits, time, or the size of changes.

    Raises: Unreadable (refused), Stopped.
    """
    answers = dict.fromkeys(tips, Integration.UNKNOWN)
    if not answers or len(answers) > _MAX_TIPS:
        return answers
    if deadline is None:
        deadline = time.monotonic() + _TIME_LIMIT
    try:
        with objects_directory(private) as directory:
            _determine(directory, answers, target, deadline)
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
    return answers


def _determine(
    directory: PrivateDirectory,
    answers: dict[str, Integration],
    target: str,
    deadline: float,
) -> None:
    """Replace the answers that can be determined. Raises: Unreadable, Stopped."""
    graph = read_graph(directory, list(answers), target, deadline)
    answers.update({tip: Integration.MERGED for tip in answers if tip in graph.in_target})
    if not _has_all_objects(directory):
        return
    excluded = graph.in_target | graph.incomplete
    tips = [tip for tip in answers if tip not in excluded]
    forks = find_forks(graph, tips, directory.program.check_stopped)
    # The target has no commits since then, so nothing of the branch can be in one.
    on_target = {tip for tip, fork in forks.of.items() if fork.base == target}
    answers.update(dict.fromkeys(on_target, Integration.NO))
    forks = forks.without(on_target)
    if not forks.of:
        return
    copies = find_copies(directory, graph, forks, deadline)
    answers.update(dict.fromkeys(copies.found, Integration.SQUASHED))
    pending = {tip: fork for tip, fork in forks.of.items() if tip not in copies.found}
    to_merge = {
        fork.tip: copies.outlines.get(tip)
        for tip, fork in pending.items()
        if fork.base is not None and graph.trees[fork.base] != graph.trees[fork.tip]
    }
    without_effect, unmerged = find_merges_without_effect(directory, graph, to_merge, deadline)
    for tip, fork in pending.items():
        if fork.tip in without_effect:
            answers[tip] = Integration.SQUASHED
        elif tip not in copies.undecided and fork.tip not in unmerged:
            answers[tip] = Integration.NO


def _has_all_objects(directory: PrivateDirectory) -> bool:
    """Return whether the repository is neither a shallow nor a partial clone."""
    is_shallow = (directory.path / "shallow").exists()
    return not is_shallow and not directory.config.is_partial_clone()
