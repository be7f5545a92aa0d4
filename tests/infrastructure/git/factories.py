"""Types of the fixtures that create adapters with limits of a test's own."""

from collections.abc import Callable

from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit

NewGit = Callable[[InspectionLimits], LocalGit]
NewRemotes = Callable[[SyncLimits], RemoteGit]
