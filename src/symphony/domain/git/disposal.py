"""Whether the directory of a repository can be deleted without a loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a directory can be deleted."""

    SAFE = "safe"
    """Everything was checked, and nothing would be lost."""
    UNSAFE = "unsafe"
    """Something would be lost."""
    UNKNOWN = "unknown"
    """No loss is known, but not everything could be checked."""


class EvidenceKind(StrEnum):
    """What a deletion would lose, or what could not be checked."""

    UNCOMMITTED = "uncommitted"
    UNTRACKED = "untracked"
    STASH = "stash"
    UNPUSHED = "unpushed"
    NO_REMOTE = "no-remote"
    WORKTREE = "worktree"
    SUBMODULE = "submodule"
    IGNORED_SECRETS = "ignored-secrets"
    AT_RISK = "at-risk"
    """The status says that something exists only here, and nothing else names it."""

    OPERATION = "operation"
    NESTED_REPOSITORY = "nested-repository"
    OUTDATED_REMOTE = "outdated-remote"
    LARGE_FILES = "large-files"
    SHALLOW_CLONE = "shallow-clone"
    PARTIAL_CLONE = "partial-clone"
    NOT_CHECKED = "not-checked"


_LOSSES = {
    EvidenceKind.UNCOMMITTED,
    EvidenceKind.UNTRACKED,
    EvidenceKind.STASH,
    EvidenceKind.UNPUSHED,
    EvidenceKind.NO_REMOTE,
    EvidenceKind.WORKTREE,
    EvidenceKind.SUBMODULE,
    EvidenceKind.IGNORED_SECRETS,
    EvidenceKind.AT_RISK,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A loss, or something that was not checked: `detail` is a sentence, `count` says how many."""

    kind: EvidenceKind
    detail: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Disposal:
    """What is known about a deletion, by an inspection that started at `observed_at`."""

    evidence: Sequence[Evidence]
    observed_at: datetime

    @property
    def verdict(self) -> Verdict:
        """A loss decides, whatever was not checked; without evidence the deletion is safe."""
        if any(each.kind in _LOSSES for each in self.evidence):
            return Verdict.UNSAFE
        return Verdict.UNKNOWN if self.evidence else Verdict.SAFE


def unknown_disposal(reason: str, observed_at: datetime) -> Disposal:
    return Disposal([Evidence(EvidenceKind.NOT_CHECKED, reason)], observed_at)
