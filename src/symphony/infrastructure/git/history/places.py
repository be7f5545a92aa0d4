"""Where the unpushed commits are: on branches, on tags, or only at detached HEADs."""

from collections.abc import Iterable

from symphony.domain.git.work import Integration, UnpushedPlaces, WorkKind
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.history.items import Entry
from symphony.infrastructure.git.history.risk import Risk
from symphony.infrastructure.git.history.unpushed import Unpushed

_MAX_BRANCHES = 20


def unpushed_places(entries: Iterable[Entry], unpushed: Unpushed, risk: Risk) -> UnpushedPlaces:
    """Return where the unpushed commits are, without the tips that are known to be integrated."""
    branches = list[str]()
    in_refs = False
    by_refs = detached = 0
    for entry in entries:
        commits = 0 if entry.commit is None else unpushed.reached.get(entry.commit.id, 0)
        if entry.commit is None or not commits:
            continue
        is_exposed = not risk.integrated.get(entry.commit.id, Integration.UNKNOWN).is_proved
        if entry.kind == WorkKind.DETACHED:
            detached |= commits if is_exposed else 0
            continue
        by_refs |= commits
        in_refs |= is_exposed
        if is_exposed and entry.kind == WorkKind.BRANCH and entry.name is not None:
            branches.append(printable(entry.name))
    return UnpushedPlaces(
        branches=branches[:_MAX_BRANCHES],
        in_refs=in_refs,
        detached_only=bool(detached & ~by_refs),
    )
