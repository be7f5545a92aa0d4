"""A Python client that is generated from the OpenAPI document works."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.tools import from_pypi
from tests.support.api import PASSWORD
from tests.support.server import running_server

pytestmark = pytest.mark.sdk
PACKAGE = "symphony_client"


@pytest.fixture
def package(openapi_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client package, generated without a warning."""
    generator = from_pypi("openapi-python-client==0.29.1", "openapi-python-client")
    generator.run(
        *("generate", "--path", openapi_file, "--output-path", tmp_path / PACKAGE),
        *("--meta", "none", "--fail-on-warning"),
        folder=tmp_path,
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield import_module(PACKAGE)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def operation(place: str) -> Callable[..., Any]:
    """The function for an operation, given its tag and id."""
    return import_module(f"{PACKAGE}.api.{place}").asyncio_detailed


async def test_a_client_in_python_goes_from_signing_up_to_a_locked_vault(
    package: Any, tmp_path: Path
) -> None:
    models = import_module(f"{PACKAGE}.models")
    async with running_server(tmp_path / "data") as server:
        async with package.Client(base_url=server.address) as anybody:
            signed_up = await operation("user_profiles.create_user_profile")(
                client=anybody,
                body=models.UserProfileCreate("ada", "ada@example.org", PASSWORD),
            )
            assert signed_up.status_code == 201
            token = await operation("sign_in.create_access_token")(
                client=anybody, body=models.SignInForm("ada", PASSWORD)
            )
            refused = await operation("sign_in.create_access_token")(
                client=anybody, body=models.SignInForm("ada", "something else")
            )
            assert isinstance(refused.parsed, models.Problem)
            assert refused.parsed.code == "invalid-credentials"

        access_token = token.parsed.access_token
        async with package.AuthenticatedClient(server.address, access_token) as ada:
            own = await operation("user_profiles.get_own_user_profile")(client=ada)
            assert own.parsed == signed_up.parsed
            workspace = await operation("workspaces.create_workspace")(
                own.parsed.id,
                client=ada,
                body=models.WorkspaceCreate("Thesis", workspace_type=models.WorkspaceType.RESEARCH),
            )
            metadata = models.JsonObject.from_dict({"colour": "blue"})
            repo = await operation("repos.create_repo")(
                workspace.parsed.id,
                client=ada,
                body=models.RepoCreate("engine", "~/dev/engine", metadata=metadata),
                idempotency_key="once",
            )
            assert repo.parsed.metadata["colour"] == "blue"
            assert repo.parsed.last_synced is None
            listed = await operation("repos.list_repos")(
                workspace.parsed.id, client=ada, sort=models.Sort.NAME_DESCENDING, limit=1
            )
            assert listed.parsed.items == [repo.parsed]
            vault = await operation("vaults.create_vault")(
                workspace.parsed.id, client=ada, body=models.VaultCreate("keys", "~/vaults/keys")
            )
            locked = await operation("vaults.lock_vault")(
                vault.parsed.id, client=ada, if_match=vault.headers["etag"]
            )
            assert (vault.parsed.is_locked, locked.parsed.is_locked) == (False, True)
            change = models.VaultPatch(name="other")
            refused = await operation("vaults.update_vault")(
                vault.parsed.id, client=ada, body=change
            )
            assert refused.status_code == 423
            assert isinstance(refused.parsed, models.Problem)
            assert refused.parsed.code == "vault-locked"
            await operation("vaults.unlock_vault")(vault.parsed.id, client=ada)
            changed = await operation("vaults.update_vault")(
                vault.parsed.id, client=ada, body=change
            )
            assert (changed.status_code, changed.parsed.name) == (200, "other")
