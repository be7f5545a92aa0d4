"""Which unpushed commits would be lost with the disk: those whose change is nowhere else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from symphony.domain.git.status import RepoState
from symphony.domain.git.work import Integration
from symphony.infrastructure.git.files.unreadable import Unreadable, broken
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.history.memory import Memory
from symphony.infrastructure.git.history.unpushed import Unpushed
from symphony.infrastructure.git.integration.integration import integrated
from symphony.infrastructure.git.process.program import OutOfTime

_MAX_TIPS = 2_000
_MAX_UNMERGED = 200_000  # commits


@dataclass(frozen=True, slots=True)
class Risk:
    """How many unpushed commits are not integrated: at least `commits`; None when it is unknown
    whether there is any. `integrated` has what is known of each tip."""

    commits: int | None
    integrated: Mapping[str, Integration] = field(default_factory=dict[str, Integration])


def find_risk(
    reader: Reader,
    memory: Memory,
    listed: Collection[str],
    unpushed: Unpushed,
    targets: Sequence[str],
) -> Risk:
    """Determine the integration of the `listed` tips, and of all with unpushed commits, into the
    default branches of the remotes, whose commits are `targets`: one of them is enough.

    Without a known default branch, nothing can be integrated into it.

    Raises: Unreadable (refused), Stopped.
    """
    if not targets:
        return Risk(unpushed.count)
    tips = {*listed, *(tip for tip, commits in unpushed.reached.items() if commits)}
    answers = dict.fromkeys(tips, Integration.NO)
    for target in targets:
        pending = [(tip, target) for tip in tips if not answers[tip].is_proved]
        ask = partial(_integrations, reader, unpushed, target)
        for (tip, _), found in memory.integrations.each(pending, ask).items():
            is_unknown = Integration.UNKNOWN in {found, answers[tip]}
            is_found = found.is_proved
            answers[tip] = found if is_found or not is_unknown else Integration.UNKNOWN
    return Risk(_at_risk(unpushed, answers), answers)


def _integrations(
    reader: Reader, unpushed: Unpushed, target: str, pairs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Integration]:
    tips = {tip for tip, _ in pairs}
    # An unpushed tip is not in the target, which is on a remote.
    merged = _merged(reader, {tip for tip in tips if not unpushed.of(tip)}, target)
    others = sorted(tips - merged, key=lambda tip: (unpushed.of(tip) == 0, tip))
    answers = dict.fromkeys(others, Integration.UNKNOWN) | dict.fromkeys(merged, Integration.MERGED)
    if others:
        answers |= integrated(reader.private, others[:_MAX_TIPS], target, reader.deadline)
    return {(tip, target): answer for tip, answer in answers.items()}


def _at_risk(unpushed: Unpushed, answers: Mapping[str, Integration]) -> int | None:
    if not unpushed.count:
        return unpushed.count
    certain = possible = 0
    for tip, commits in unpushed.reached.items():
        answer = answers.get(tip, Integration.UNKNOWN)
        if answer == Integration.NO:
            certain |= commits
        elif not answer.is_proved:
            possible |= commits
    if certain or not possible:
        return certain.bit_count()
    return None


def _merged(reader: Reader, tips: Collection[str], target: str) -> set[str]:
    """Return the tips that the target reaches; none of them when git cannot tell."""
    remaining = {tip for tip in tips if tip != target}
    merged = set(tips) - remaining
    if not remaining:
        return merged
    unmerged = set[str]()
    count = 0

    def consume(commit: str) -> None:
        nonlocal count
        count += 1
        if count > _MAX_UNMERGED:
            raise broken(f"More than {_MAX_UNMERGED:,} commits are not in the default branch.")
        if commit in remaining:
            unmerged.add(commit)

    try:
        reader.run(("rev-list", "--stdin"), [*remaining, f"^{target}"], consume)
    except OutOfTime:
        return merged
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        return merged
    return merged | (remaining - unmerged)
