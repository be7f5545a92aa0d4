"""The port to the database: one repository per noun, and changes that are committed together."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from symphony.domain.api_tokens import ApiTokenRepository
from symphony.domain.attention import ObservationRepository
from symphony.domain.idempotency import IdempotencyKeyRepository
from symphony.domain.repos import RepoRepository
from symphony.domain.sign_in_failures import SignInFailureRepository
from symphony.domain.user_profiles import UserProfileRepository
from symphony.domain.vaults.entries import VaultEntryRepository
from symphony.domain.vaults.keys import VaultKeyRepository
from symphony.domain.vaults.sessions import VaultSessionRepository
from symphony.domain.vaults.vaults import VaultRepository
from symphony.domain.workspaces import WorkspaceRepository


class TransactionConflict(Exception):
    """The database rolled this unit of work back because of another one; a retry may succeed."""


class StoreUnavailable(Exception):
    """The database cannot be reached, or is too busy to answer in time."""


class Repositories(Protocol):
    """One repository per noun, and those of the supporting records."""

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
    def vault_sessions(self) -> VaultSessionRepository: ...
    @property
    def vault_entries(self) -> VaultEntryRepository: ...
    @property
    def api_tokens(self) -> ApiTokenRepository: ...
    @property
    def idempotency_keys(self) -> IdempotencyKeyRepository: ...
    @property
    def sign_in_failures(self) -> SignInFailureRepository: ...
    @property
    def observations(self) -> ObservationRepository: ...


class UnitOfWork(Repositories, Protocol):
    """Repositories whose changes `commit` makes permanent; leaving without it rolls them back.

    Units of work are never nested.
    """

    async def commit(self) -> None:
        """Raises: TransactionConflict, StoreUnavailable."""
        ...


class Store(Protocol):
    """Creates units of work."""

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """For writes. Raises: StoreUnavailable."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Repositories]:
        """For single reads, each of what is committed when it runs. Raises: StoreUnavailable."""
        ...
