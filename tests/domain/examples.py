"""One valid entity of each noun; a test replaces the values that matter to it."""

from typing import Any
from uuid import UUID

from symphony.domain.api_tokens import ApiToken, Scope
from symphony.domain.base import new_id
from symphony.domain.machines.machines import Machine
from symphony.domain.repos import Repo
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace


def a_profile(username: str = "ada", **values: Any) -> UserProfile:
    known: dict[str, Any] = {"email": f"{username}@example.org", "password_hash": "hash"}
    return UserProfile(username=username, **{**known, **values})


def a_workspace(parent: UUID | None = None, name: str = "Thesis", **values: Any) -> Workspace:
    known: dict[str, Any] = {"user_profile_id": parent or new_id(), "name": name, **values}
    return Workspace(**known)


def a_repo(parent: UUID | None = None, name: str = "engine", **values: Any) -> Repo:
    known: dict[str, Any] = {"workspace_id": parent or new_id(), "name": name, "path": "~/x"}
    return Repo(**{**known, **values})


def a_vault(parent: UUID | None = None, name: str = "keys", **values: Any) -> Vault:
    known: dict[str, Any] = {"workspace_id": parent or new_id(), "name": name, "path": "~/x"}
    return Vault(**{**known, **values})


def a_machine(parent: UUID | None = None, name: str = "laptop", **values: Any) -> Machine:
    return Machine(user_profile_id=parent or new_id(), name=name, **values)


def a_token(parent: UUID | None = None, name: str = "ci", **values: Any) -> ApiToken:
    owner = parent or new_id()
    known: dict[str, Any] = {"scopes": (Scope.READ,), "token_hash": owner.bytes * 2, **values}
    return ApiToken(user_profile_id=owner, name=name, **known)
