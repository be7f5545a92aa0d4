"""Types of the fixtures that create adapters with limits of a test's own."""

from collections.abc import Callable

from symphony.infrastructure.git.remotes.remote import RemoteGit, SyncLimits
from symphony.infrastructure.git.status.local import InspectionLimits, LocalGit

NewGit = Callable[[InspectionLimits], LocalGit]
NewRemotes = Callable[[SyncLimits], RemoteGit]
