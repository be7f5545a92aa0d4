"""The application: it runs the handlers of commands and queries, each of which is a use case."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast
from uuid import UUID

from symphony.application.access import AccessCheck, checked_after, require_unrevoked
from symphony.application.attempt_gates import AttemptGates
from symphony.application.ports import AccessToken, AccessTokens, PassphraseKeys, PasswordHasher
from symphony.application.replica_answers import ReplicaAnswers
from symphony.application.replica_use import UserOfRequest
from symphony.application.retries import retried
from symphony.domain.api_tokens import ApiToken, ApiTokenService, require_unexpired
from symphony.domain.base import new_id
from symphony.domain.discovery import Finder
from symphony.domain.errors import DomainError
from symphony.domain.git.status import Git
from symphony.domain.idempotency import Creation, IdempotencyKey
from symphony.domain.machines.machines import MachineService
from symphony.domain.machines.reports import ReportService
from symphony.domain.repos import RepoService
from symphony.domain.sync import Remotes
from symphony.domain.tokens.rotation import TokenRotationService
from symphony.domain.unit_of_work import (
    Replicas,
    ReplicaUnusable,
    Repositories,
    Store,
    StoreUnavailable,
    UnitOfWork,
)
from symphony.domain.user_profiles import LastWrite, UserProfileService
from symphony.domain.vaults.entry_service import EntryReader, VaultEntryService
from symphony.domain.vaults.keys import Keyring, VaultKeyService
from symphony.domain.vaults.storage import StorageLimits, VaultStorage
from symphony.domain.vaults.vault_service import VaultService
from symphony.domain.workspaces import WorkspaceService

CommandT = TypeVar("CommandT")
QueryT = TypeVar("QueryT")
ResultT = TypeVar("ResultT")
CreationT = TypeVar("CreationT", bound=Creation)

Registration: TypeAlias = Literal["open", "first", "closed"]
"""Who may sign up: everyone, only the first user while no profile exists, or nobody."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's decisions: the limits, and who may sign up."""

    max_workspaces_per_user: int = 50
    max_repos_per_workspace: int = 100
    max_vaults_per_workspace: int = 20
    registration: Registration = "open"
    storage: StorageLimits = field(default_factory=StorageLimits)


class Services:
    """The domain services of one unit of work, for command handlers.

    Records without rules of their own have no service; their repositories are here.
    """

    def __init__(self, uow: UnitOfWork, policy: Policy, keyring: Keyring) -> None:
        self.user_profiles = UserProfileService(uow.user_profiles)
        self.workspaces = WorkspaceService(
            uow.workspaces, uow.user_profiles, policy.max_workspaces_per_user
        )
        self.repos = RepoService(uow.repos, uow.workspaces, policy.max_repos_per_workspace)
        self.vaults = VaultService(
            uow.vaults,
            uow.vault_keys,
            uow.vault_sessions,
            uow.workspaces,
            policy.max_vaults_per_workspace,
        )
        self.vault_keys = VaultKeyService(uow.vault_keys, keyring)
        self.vault_storage = VaultStorage(uow.storage_counters, policy.storage)
        self.vault_entries = VaultEntryService(
            uow.vault_entries,
            uow.vaults,
            uow.vault_keys,
            uow.vault_sessions,
            self.vault_storage,
            keyring,
        )
        self.api_tokens = ApiTokenService(
            uow.api_tokens, uow.user_profiles, uow.workspaces, uow.machines
        )
        self.machines = MachineService(uow.machines, uow.user_profiles)
        self.reports = ReportService(uow.machines, uow.checkouts)
        self.token_rotation = TokenRotationService(uow.api_tokens, uow.user_profiles)
        self.idempotency_keys = uow.idempotency_keys
        self.attempts = uow.attempts
        self.observations = uow.observations
        self.remote_heads = uow.remote_heads


class Queries:
    """The repositories, and readers of encrypted data, for query handlers.

    One is created per query, so it has only two references and creates the rest on demand.
    """

    __slots__ = ("keyring", "repositories")

    def __init__(self, repositories: Repositories, keyring: Keyring) -> None:
        self.repositories = repositories
        self.keyring = keyring

    @property
    def vault_entries(self) -> EntryReader:
        return EntryReader(
            self.repositories.vault_entries, self.repositories.vault_sessions, self.keyring
        )


class EndsTokens:
    """A command that may revoke API tokens, or end them at another time.

    It waits for the commands that these tokens run, so that none of these is committed after it.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CheckAccess:
    """Check the access token of a request that needed no other query."""


@dataclass(frozen=True, slots=True)
class CreationResult(Generic[CreationT]):
    """The creation of a command, now or (`replayed`) when it ran before under the same key."""

    result: CreationT
    replayed: bool


@dataclass(frozen=True, slots=True)
class Application:
    """The dependencies of all use cases, composed once per process; it runs their handlers."""

    store: Store
    policy: Policy
    passwords: PasswordHasher
    passphrases: PassphraseKeys
    keyring: Keyring
    access_tokens: AccessTokens
    keyed_hash: Callable[[bytes], bytes]
    """A keyed hash for values that must not be stored in readable form, and that could be guessed
    from a plain hash."""
    count: Callable[[str, str], None]
    """The counter of commands by class and outcome: `done`, the slug of an error, `unavailable`
    (the database) or `failed`."""
    git: Git | None
    """None when the operator has configured no git roots."""
    remotes: Remotes | None
    """None in the same case."""
    finder: Finder | None
    """None in the same case."""
    access: AccessCheck | None = None
    """With an access token, every command and query first requires that it is still current."""
    api_token_id: UUID | None = None
    """With an API token, every command first requires that it is still valid, and a revocation
    waits until the command is over. Every query requires it afterwards."""
    replicas: Replicas | None = field(default=None, repr=False)
    """None when the operator has configured no replicas; then no write is marked."""
    user: UserOfRequest | None = None
    """The user whose request this is; None for requests without a token."""
    gates: AttemptGates = field(default_factory=AttemptGates, repr=False)
    running: set["asyncio.Task[Any]"] = field(default_factory=set["asyncio.Task[Any]"], repr=False)

    def with_access_token(self, token: AccessToken, *, is_query: bool) -> "Application":
        """The same application for one request, which an access token must allow."""
        user = UserOfRequest(token.user_id, is_query)
        return replace(self, access=AccessCheck(token), user=user)

    def with_api_token(
        self, token: ApiToken, last_write: LastWrite, *, is_query: bool
    ) -> "Application":
        """The same application for one request, which an API token must allow."""
        owner = token.user_profile_id
        user = UserOfRequest(owner, is_query, last_write, is_confined=token.is_confined)
        return replace(self, api_token_id=token.id, user=user)

    def on_behalf_of(self, user_id: UUID) -> "Application":
        """The same application for commands of the operator that change what a user owns."""
        return replace(self, user=UserOfRequest(user_id))

    async def require_access(self) -> None:
        """Check the access token if there is one and no command or query has checked it yet.

        Raises: TokenRefused, StoreUnavailable.
        """
        if self.access is not None and not self.access.has_passed:
            await self._sheltered(self._answer_of_primary(check_access, CheckAccess()))

    async def run(
        self, handler: Callable[[CommandT, Services], Awaitable[ResultT]], command: CommandT
    ) -> ResultT:
        """Run a command in a unit of work of its own, and commit before returning the result.

        The command runs in a task of its own, which is complete even if the caller is cancelled: no
        lock stays behind. The command runs again when the database rolls it back because of
        another one, so handlers must be able to run twice.

        Raises: what the handler raises, StoreUnavailable.
        """
        return await self._sheltered(self._counted(handler, command))

    async def run_once(
        self,
        handler: Callable[[CommandT, Services], Awaitable[CreationT]],
        command: CommandT,
        key: IdempotencyKey | None,
    ) -> "CreationResult[CreationT]":
        """Run a command that creates something, unless it has run under this key before.

        In that case, return what was created then. The key and the creation are committed together.
        A run waits for a parallel run under the same key.

        Raises: what the handler raises, KeyReused, StoreUnavailable.
        """
        if key is None:
            return CreationResult(await self.run(handler, command), replayed=False)

        async def claim_first(command: CommandT, services: Services) -> CreationResult[CreationT]:
            created_before = await services.idempotency_keys.claim(key)
            if created_before is not None:
                # The fingerprint proves that it was the same request, so it has the same type.
                return CreationResult(cast("CreationT", created_before), replayed=True)
            created = await handler(command, services)
            await services.idempotency_keys.save(key, created)
            return CreationResult(created, replayed=False)

        return await self.run(claim_first, command)

    async def ask(
        self, handler: Callable[[QueryT, Queries], Awaitable[ResultT]], query: QueryT
    ) -> ResultT:
        """Run a query, which is a few single reads; it completes even if the caller is cancelled.

        A replica answers it if there is one that has all that the user has written.

        Raises: what the handler raises, StoreUnavailable.
        """
        return await self._sheltered(self._answer(handler, query))

    async def drain(self) -> None:
        """Wait for all running commands and queries; at shutdown, before the store is closed."""
        while self.running:
            await asyncio.wait(self.running)

    async def _sheltered(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        task = asyncio.create_task(work)
        self.running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def _answer(
        self, handler: Callable[[QueryT, Queries], Awaitable[ResultT]], query: QueryT
    ) -> ResultT:
        user, replicas = self.user, self.replicas
        if user is not None and user.is_query and replicas is not None:
            answers = ReplicaAnswers(self.store, user, self.access, self.api_token_id)
            try:
                user.require_replica(query)
                return await answers.answer(
                    replicas.choose(user.id),
                    lambda replica: handler(query, Queries(replica, self.keyring)),
                )
            except ReplicaUnusable as unusable:
                replicas.count_primary(unusable.reason)
        return await self._answer_of_primary(handler, query)

    async def _answer_of_primary(
        self, handler: Callable[[QueryT, Queries], Awaitable[ResultT]], query: QueryT
    ) -> ResultT:
        async def attempt() -> ResultT:
            async with self.store.reading() as repositories:
                if self.access is not None:
                    await self.access.require_current(repositories.user_profiles)
                answering = handler(query, Queries(repositories, self.keyring))
                return await checked_after(
                    answering,
                    lambda: require_unrevoked(self.api_token_id, repositories.api_tokens),
                )

        return await retried(attempt)

    async def _counted(
        self, handler: Callable[[CommandT, Services], Awaitable[ResultT]], command: CommandT
    ) -> ResultT:
        outcome = "failed"
        try:
            result = await self._attempts(handler, command)
        except DomainError as error:
            outcome = error.slug
            raise
        except StoreUnavailable:
            outcome = "unavailable"
            raise
        else:
            outcome = "done"
            return result
        finally:
            self.count(type(command).__name__, outcome)

    async def _attempts(
        self, handler: Callable[[CommandT, Services], Awaitable[ResultT]], command: CommandT
    ) -> ResultT:
        async def attempt() -> ResultT:
            async with self.store.unit_of_work() as uow:
                if self.access is not None:
                    await self.access.require_current(uow.user_profiles)
                if self.api_token_id is not None:
                    to_end = isinstance(command, EndsTokens)
                    held = await uow.api_tokens.hold(self.api_token_id, to_end=to_end)
                    require_unexpired(held)
                result = await handler(command, Services(uow, self.policy, self.keyring))
                if self.user is not None:
                    self.user.has_written = True
                    if self.replicas is not None:
                        await uow.last_writes.record(self.user.id, new_id())
                await uow.commit()
                return result

        return await retried(attempt)

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self.running.discard(task)
        if not task.cancelled():
            task.exception()  # otherwise asyncio logs it when no caller is left to retrieve it


async def check_access(query: CheckAccess, queries: Queries) -> None:
    """Do no more than every query does before."""
