"""The error of a repository that cannot be read."""

from symphony.domain.git.status import RepoState


class Unreadable(Exception):
    """A repository cannot be read: the state to report for it, and the reason as a sentence."""

    def __init__(self, state: RepoState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


def refused(reason: str) -> Unreadable:
    """Return the error for a repository that is unsafe to read, or outside the git roots."""
    return Unreadable(RepoState.REFUSED, reason)


def broken(reason: str) -> Unreadable:
    """Return the error for a repository that is damaged, or in a format not supported here."""
    return Unreadable(RepoState.ERROR, reason)
