"""The reasons why a repo needs attention, derived from the facts of a status."""

from datetime import datetime, timedelta
from enum import StrEnum

from symphony.domain.git.facts import RepoFacts
from symphony.domain.git.status import RepoState

STALE_AFTER = timedelta(days=30)


class AttentionReason(StrEnum):
    """A reason why a resource needs attention.

    For vaults always `unlocked`, for API tokens always `token-expiring`.
    """

    DIRTY = "dirty"
    WORKTREE = "worktree"
    UNPUSHED = "unpushed"
    DETACHED = "detached"
    BEHIND = "behind"
    DIVERGED = "diverged"
    STASHED = "stashed"
    CONFLICT = "conflict"
    NO_REMOTE = "no-remote"
    AT_RISK = "at-risk"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    STALE = "stale"
    UNSEEN = "unseen"
    UNLOCKED = "unlocked"
    TOKEN_EXPIRING = "token-expiring"  # noqa: S105 - not a secret


READ = frozenset({RepoState.CLEAN, RepoState.DIRTY})
"""The states in which an inspection has read the repository."""
_ALL = tuple(AttentionReason)
_UNFINISHED = {
    AttentionReason.DIRTY,
    AttentionReason.WORKTREE,
    AttentionReason.UNPUSHED,
    AttentionReason.DETACHED,
    AttentionReason.STASHED,
    AttentionReason.CONFLICT,
    AttentionReason.AT_RISK,
}
# What is at risk is in what they name; otherwise it is where no other reason looks.
_EXPLANATIONS = (_UNFINISHED | {AttentionReason.NO_REMOTE}) - {AttentionReason.AT_RISK}


def repo_reasons(seen: RepoFacts, now: datetime | None) -> tuple[AttentionReason, ...]:
    """Return all reasons that apply, in their order; without `stale` when `now` is None."""
    if seen.state == RepoState.MISSING:
        return (AttentionReason.MISSING,)
    if seen.state not in READ:
        return (AttentionReason.UNREADABLE,)
    if (
        seen.state == RepoState.CLEAN
        and seen.has_remote
        and seen.at_risk is False
        and seen.unpushed_commits is not None
        and not (
            seen.is_behind
            or seen.has_unpushed
            or seen.has_detached
            or seen.has_dirty_worktree
            or seen.is_unfinished
            or seen.stashes > 0
        )
    ):
        return ()  # most repos: a board asks about thousands
    # An operation in progress is a reason of its own, which explains an unknown risk.
    is_unknown = seen.at_risk is None and not seen.is_unfinished
    applies = {
        AttentionReason.DIRTY: seen.state == RepoState.DIRTY,
        AttentionReason.WORKTREE: seen.has_dirty_worktree,
        AttentionReason.UNPUSHED: seen.has_remote and seen.has_unpushed,
        AttentionReason.DETACHED: seen.has_detached,
        AttentionReason.BEHIND: seen.is_behind,
        AttentionReason.DIVERGED: seen.is_behind and bool(seen.ahead),
        AttentionReason.STASHED: seen.stashes > 0,
        AttentionReason.CONFLICT: seen.is_unfinished,
        AttentionReason.NO_REMOTE: not seen.has_remote,
        AttentionReason.UNREADABLE: is_unknown or seen.unpushed_commits is None,
    }
    explained = any(applies[each] for each in _EXPLANATIONS)
    applies[AttentionReason.AT_RISK] = bool(seen.at_risk) and not explained
    reasons = [reason for reason in _ALL if applies.get(reason)]
    # Finished work does not become stale.
    is_old = now and seen.authored_at is not None and now - seen.authored_at > STALE_AFTER
    if is_old and not _UNFINISHED.isdisjoint(reasons):
        reasons.append(AttentionReason.STALE)
    return tuple(reasons)
