"""Answers of replicas to the queries of a request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from symphony.application.access import AccessCheck, checked_after, require_unrevoked
from symphony.application.replica_use import UserOfRequest
from symphony.application.retries import retried
from symphony.domain.errors import TokenRefused
from symphony.domain.unit_of_work import Replica, ReplicaUnusable, Repositories, Store
from symphony.domain.user_profiles import LastWrite

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class ReplicaAnswers:
    """How replicas answer the queries of one request.

    The primary says whether the token of the request is valid, and what the user has written.
    """

    primary: Store
    user: UserOfRequest
    access: AccessCheck | None
    api_token_id: UUID | None

    async def answer(
        self, replica: Replica, query: Callable[[Repositories], Awaitable[ResultT]]
    ) -> ResultT:
        """Answer a query from a replica that has all that the user has written.

        Raises: ReplicaUnusable, what the query raises, TokenRefused, StoreUnavailable.
        """
        last_write = await self._last_write()

        async def answering() -> ResultT:
            async with replica.reading(self.user.id, last_write) as repositories:
                return await checked_after(
                    query(repositories), lambda: self._require_known(repositories)
                )

        return await checked_after(answering(), lambda: self._on_primary(self._require_unrevoked))

    async def _last_write(self) -> LastWrite:
        """Return the user's last write; with an API token, it was read before."""
        access = self.access
        if access is None:
            return self.user.last_write
        return await self._on_primary(
            lambda primary: access.require_current_user(primary.last_writes)
        )

    async def _require_known(self, repositories: Repositories) -> None:
        """Require a confined token on the replica, which may learn of its end before the primary
        says so; the token then reaches nothing there. Raises: ReplicaUnusable.
        """
        if self.user.is_confined:
            try:
                await self._require_unrevoked(repositories)
            except TokenRefused:
                raise ReplicaUnusable("ahead") from None

    async def _require_unrevoked(self, repositories: Repositories) -> None:
        await require_unrevoked(self.api_token_id, repositories.api_tokens)

    async def _on_primary(self, read: Callable[[Repositories], Awaitable[ResultT]]) -> ResultT:
        async def attempt() -> ResultT:
            async with self.primary.reading() as repositories:
                return await read(repositories)

        return await retried(attempt)
