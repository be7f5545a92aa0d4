"""Times of work in the report of a machine, by the clock of the server."""

from dataclasses import replace
from datetime import datetime, timedelta

from symphony.domain.git.since import plausible
from symphony.domain.git.status import RepoStatus

_NO_TIME = timedelta(0)


def at_server_times(status: RepoStatus, received_at: datetime, difference: timedelta) -> RepoStatus:
    """Return a status whose work began by the clock of the server.

    `difference` is the `clock_difference` of the report. When it is negative, the clock of the
    machine is ahead by at least that much. When it is positive, the clock may be behind or the
    report late: then the times stay, so that no work appears younger than it is.
    """
    shift = min(difference, _NO_TIME)

    def of_server(at: datetime | None) -> datetime | None:
        if at is None:
            return None
        try:
            return plausible(at + shift, received_at)
        except OverflowError:
            return None

    return replace(
        status,
        changed_since=of_server(status.changed_since),
        stashed_since=of_server(status.stashed_since),
        worktrees=[
            each
            if each.changed_since is None
            else replace(each, changed_since=of_server(each.changed_since))
            for each in status.worktrees
        ],
        work=[
            each
            if each.unpushed_since is None
            else replace(each, unpushed_since=of_server(each.unpushed_since))
            for each in status.work
        ],
    )
