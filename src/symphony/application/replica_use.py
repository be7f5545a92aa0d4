"""Whether a replica may answer the queries of a request."""

from dataclasses import dataclass
from uuid import UUID

from symphony.domain.unit_of_work import ReplicaUnusable
from symphony.domain.user_profiles import LastWrite


class OnlyFromPrimary:
    """A query that a replica never answers: the answer depends on sessions of vaults."""

    __slots__ = ()


@dataclass(slots=True)
class UserOfRequest:
    """The user of a request or a command, whose writes are marked, and whose queries need them."""

    id: UUID
    is_query: bool = False
    """Whether the request changes nothing, so that its queries are all that it does. What a command
    reads decides about a write, and is read from the primary."""
    last_write: LastWrite = LastWrite()  # noqa: RUF009 - it never changes
    """What was read with the API token."""
    is_confined: bool = False
    """Whether the API token is confined to workspaces."""
    has_written: bool = False
    """Whether a command has run since then: what the request reads now may depend on it."""

    def require_replica(self, query: object) -> None:
        """Require a query that a replica may answer. Raises: ReplicaUnusable."""
        if not self.is_query or self.has_written or isinstance(query, OnlyFromPrimary):
            raise ReplicaUnusable("primary-only")
