"""The port to the database: a repository per noun, and changes that are made together or not."""

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from symphony.domain.api_tokens import ApiTokenRepository
from symphony.domain.attention import Observations
from symphony.domain.idempotency import IdempotencyKeys
from symphony.domain.repos import RepoRepository
from symphony.domain.sign_in_failures import SignInFailures
from symphony.domain.user_profiles import UserProfileRepository
from symphony.domain.vaults.keys import VaultKeyRepository
from symphony.domain.vaults.vaults import VaultRepository
from symphony.domain.workspaces import WorkspaceRepository

if TYPE_CHECKING:
    from symphony.domain.vaults.entries import VaultEntryRepository
    from symphony.domain.vaults.sessions import VaultSessionRepository


class TransactionConflict(Exception):
    """The database undid this unit of work because of another one; running it again may succeed."""


class StoreUnavailable(Exception):
    """The database is away, or so busy that waiting longer would help nobody."""


class Repositories(Protocol):
    """One repository per noun, and what stands beside the nouns."""

    @property
    def user_profiles(self) -> UserProfileRepository: ...
    @property
    def workspaces(self) -> WorkspaceRepository: ...
    @property
    def repos(self) -> RepoRepository: ...
    @property
    def vaults(self) -> VaultRepository: ...
    @property
    def vault_keys(self) -> VaultKeyRepository: ...
    @property
    def vault_sessions(self) -> "VaultSessionRepository": ...
    @property
    def vault_entries(self) -> "VaultEntryRepository": ...
    @property
    def api_tokens(self) -> ApiTokenRepository: ...
    @property
    def idempotency_keys(self) -> IdempotencyKeys: ...
    @property
    def sign_in_failures(self) -> SignInFailures: ...
    @property
    def observations(self) -> Observations: ...


class UnitOfWork(Repositories, Protocol):
    """Repositories whose changes are kept by `commit`; leaving without it undoes them.

    Never opened inside another one.
    """

    async def commit(self) -> None:
        """Keeps all changes. Raises: TransactionConflict, StoreUnavailable."""
        ...


class Store(Protocol):
    """Where units of work come from."""

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """For changes. Raises: StoreUnavailable."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Repositories]:
        """For single reads, each of what is committed when it runs. Raises: StoreUnavailable."""
        ...
