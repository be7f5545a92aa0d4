"""The application: runs commands and queries, each handler being one use case."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic, TypeVar, cast

from symphony.application.ports import AccessTokens, PassphraseKeys, PasswordHasher
from symphony.domain.api_tokens import ApiTokenService
from symphony.domain.discovery import Finder
from symphony.domain.errors import DomainError
from symphony.domain.git import Git
from symphony.domain.idempotency import Creation, IdempotencyKey
from symphony.domain.repos import RepoService
from symphony.domain.sync import Remotes
from symphony.domain.unit_of_work import (
    Repositories,
    Store,
    StoreUnavailable,
    TransactionConflict,
    UnitOfWork,
)
from symphony.domain.user_profiles import UserProfileService
from symphony.domain.vaults.entry_service import VaultEntryService
from symphony.domain.vaults.keys import Keyring, VaultKeyService
from symphony.domain.vaults.vaults import VaultService
from symphony.domain.workspaces import WorkspaceService

CommandT = TypeVar("CommandT")
QueryT = TypeVar("QueryT")
ResultT = TypeVar("ResultT")
CreationT = TypeVar("CreationT", bound=Creation)

MAX_ATTEMPTS = 10
_LONGEST_PAUSE = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decides: how many of each, and whether strangers may sign up."""

    max_workspaces_per_user: int = 50
    max_repos_per_workspace: int = 100
    max_vaults_per_workspace: int = 20
    registration_open: bool = True


class Services:
    """The domain services of one unit of work, and the repositories that need no service."""

    def __init__(self, uow: UnitOfWork, policy: Policy, keyring: Keyring) -> None:
        self.user_profiles = UserProfileService(uow)
        self.workspaces = WorkspaceService(uow, policy.max_workspaces_per_user)
        self.repos = RepoService(uow, policy.max_repos_per_workspace)
        self.vaults = VaultService(uow, policy.max_vaults_per_workspace)
        self.vault_keys = VaultKeyService(uow, keyring)
        self.vault_entries = VaultEntryService(uow, keyring)
        self.api_tokens = ApiTokenService(uow)
        self.idempotency_keys = uow.idempotency_keys
        self.sign_in_failures = uow.sign_in_failures
        self.observations = uow.observations


@dataclass(frozen=True, slots=True)
class CreationResult(Generic[CreationT]):
    """What a command has made, and whether it had made it before."""

    result: CreationT
    replayed: bool


@dataclass(frozen=True, slots=True)
class Application:
    """Everything a use case may need, put together once per process."""

    store: Store
    policy: Policy
    passwords: PasswordHasher
    passphrases: PassphraseKeys
    keyring: Keyring
    access_tokens: AccessTokens
    keyed_hash: Callable[[bytes], bytes]
    """Hashes what must not be kept in the clear, and cannot be guessed from its hash either."""
    count: Callable[[str, str], None]
    """Counts a command by its name and outcome: done, a refusal's slug, unavailable or failed."""
    git: Git | None
    """None when the operator has not said where to look."""
    remotes: Remotes | None
    """None in the same case."""
    finder: Finder | None
    """None in the same case."""
    _running: set["asyncio.Task[Any]"] = field(
        default_factory=set["asyncio.Task[Any]"], init=False, repr=False
    )

    async def run(
        self, handler: Callable[[CommandT, Services], Awaitable[ResultT]], command: CommandT
    ) -> ResultT:
        """Runs a command in a unit of work of its own, and commits before it gives the result.

        It runs in a task of its own: a caller who is cancelled halfway leaves nothing half done
        and no lock behind. When the database undoes it because of another command, it runs again.

        Raises: what the handler raises, and StoreUnavailable.
        """
        return await self._sheltered(self._counted(handler, command))

    async def run_once(
        self,
        handler: Callable[[CommandT, Services], Awaitable[CreationT]],
        command: CommandT,
        key: IdempotencyKey | None,
    ) -> "CreationResult[CreationT]":
        """Runs a command that makes something, unless it was run under this key before.

        Then it gives what was made at that time. The key and what is made are kept together or
        not at all; a parallel run under the same key is waited for.

        Raises: what the handler raises, KeyReused, StoreUnavailable.
        """
        if key is None:
            return CreationResult(await self.run(handler, command), replayed=False)

        @wraps(handler)
        async def claim_first(command: CommandT, services: Services) -> CreationResult[CreationT]:
            made_before = await services.idempotency_keys.claim(key)
            if made_before is not None:
                # The fingerprint says that it was the same request, so it made the same noun.
                return CreationResult(cast("CreationT", made_before), replayed=True)
            made = await handler(command, services)
            await services.idempotency_keys.keep(key, made)
            return CreationResult(made, replayed=False)

        return await self.run(claim_first, command)

    async def ask(
        self, handler: Callable[[QueryT, Repositories], Awaitable[ResultT]], query: QueryT
    ) -> ResultT:
        """Answers a query with single reads, which a cancelled caller does not cut short either.

        Raises: what the handler raises, StoreUnavailable.
        """
        return await self._sheltered(self._answer(handler, query))

    async def drain(self) -> None:
        """Waits for what has begun; for the shutdown, before the store is closed."""
        while self._running:
            await asyncio.wait(self._running)

    async def _sheltered(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def _answer(
        self, handler: Callable[[QueryT, Repositories], Awaitable[ResultT]], query: QueryT
    ) -> ResultT:
        async with self.store.reading() as repositories:
            return await handler(query, repositories)

    async def _counted(
        self, handler: Callable[[CommandT, Services], Awaitable[ResultT]], command: CommandT
    ) -> ResultT:
        outcome = "failed"
        try:
            result = await self._attempts(handler, command)
        except DomainError as refusal:
            outcome = refusal.slug
            raise
        except StoreUnavailable:
            outcome = "unavailable"
            raise
        else:
            outcome = "done"
            return result
        finally:
            self.count(handler.__name__.lstrip("_"), outcome)

    async def _attempts(
        self, handler: Callable[[CommandT, Services], Awaitable[ResultT]], command: CommandT
    ) -> ResultT:
        for attempt in range(MAX_ATTEMPTS):
            try:
                async with self.store.unit_of_work() as uow:
                    result = await handler(command, Services(uow, self.policy, self.keyring))
                    await uow.commit()
                    return result
            except TransactionConflict:
                # Random, so that two that met do not meet again; never none, for the one that was
                # let through has to have its locks before this one asks for them again.
                pause = min(_LONGEST_PAUSE, 0.004 * 2**attempt)
                await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - not a secret
        raise StoreUnavailable("conflicts")

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may be gone; without this asyncio would complain
