"""Why a repository was not read."""

from symphony.domain.git import RepoState


class Unreadable(Exception):
    """The end of an observation: the state that it has instead, and the reason in words."""

    def __init__(self, state: RepoState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


def refused(reason: str) -> Unreadable:
    """It would not be safe, or not be allowed."""
    return Unreadable(RepoState.REFUSED, reason)


def broken(reason: str) -> Unreadable:
    """It is damaged, or of a kind that cannot be read here."""
    return Unreadable(RepoState.ERROR, reason)
