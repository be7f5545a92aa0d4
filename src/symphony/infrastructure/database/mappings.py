"""The mappings of all nouns from their entities to their tables.

A noun that has only the common queries needs only a mapping here and a line in
`SqlAlchemyRepositories`.
"""

from collections.abc import Generator

from symphony.domain.api_tokens import ApiToken
from symphony.domain.base import Entity
from symphony.domain.machines.machines import Machine
from symphony.domain.repos import Repo
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.database.entity_mapping import EntityMapping
from symphony.infrastructure.database.models import (
    ApiTokenModel,
    MachineModel,
    RepoModel,
    UserProfileModel,
    WorkspaceModel,
)
from symphony.infrastructure.database.reach import CONFINED_TO
from symphony.infrastructure.database.vaults.lock_state import IS_LOCKED
from symphony.infrastructure.database.vaults.models import VaultModel

# A profile is its own owner. Its service checks its two unique keys, and reports which is taken.
USER_PROFILES = EntityMapping(UserProfile, UserProfileModel, owner="id", unique_names=False)
WORKSPACES = EntityMapping(
    Workspace,
    WorkspaceModel,
    owner="user_profile_id",
    parent="user_profile_id",
    container=USER_PROFILES,
)
REPOS = EntityMapping(Repo, RepoModel, parent="workspace_id", container=WORKSPACES)
VAULTS = EntityMapping(
    Vault,
    VaultModel,
    parent="workspace_id",
    container=WORKSPACES,
    derived={"is_locked": IS_LOCKED},
)
MACHINES = EntityMapping(
    Machine,
    MachineModel,
    owner="user_profile_id",
    parent="user_profile_id",
    container=USER_PROFILES,
)
API_TOKENS = EntityMapping(
    ApiToken,
    ApiTokenModel,
    owner="user_profile_id",
    parent="user_profile_id",
    container=USER_PROFILES,
    unique_names=False,
    derived={"workspace_ids": CONFINED_TO},
)


def require_mappings() -> None:
    """Check that every noun of the domain has a mapping.

    Raises: RuntimeError with the nouns that have none.
    """
    missing = sorted(set(_nouns(Entity)) - EntityMapping.by_noun.keys())
    if missing:
        raise RuntimeError(f"no EntityMapping in {__name__} for: {', '.join(missing)}")


def _nouns(entity: type[Entity]) -> Generator[str]:
    for subclass in entity.__subclasses__():
        if hasattr(subclass, "noun"):  # a base of several nouns has none
            yield subclass.noun
        yield from _nouns(subclass)
