"""The demo data: one user with two workspaces, each with repos and vaults."""

import secrets

from symphony.application.api_tokens import CreateApiToken, create_api_token
from symphony.application.app import Application
from symphony.application.orchestrations.sign_up import SignUp, create_user
from symphony.application.repos import CreateRepo, create_repo
from symphony.application.user_profiles import FindUserByLogin, find_user_by_login
from symphony.application.vaults.vaults import CreateVault, LockVault, create_vault, lock_vault
from symphony.application.workspaces import CreateWorkspace, create_workspace
from symphony.domain.api_tokens import Scope, new_api_token
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import UserProfile
from symphony.domain.workspaces import WorkspaceType

_NAME = "demo"


async def announce_demo(app: Application) -> None:
    """Create the demo user and data unless they exist, and print the credentials."""
    user = await app.ask(find_user_by_login, FindUserByLogin(_NAME)) or await _create(app)
    token = new_api_token()
    await app.run(
        create_api_token,
        CreateApiToken(user.id, token, "demo", (Scope.READ, Scope.WRITE, Scope.SECRETS)),
    )
    print(f"Demo: token {token}", flush=True)  # noqa: T201 - for a person


async def _create(app: Application) -> UserProfile:
    password = secrets.token_urlsafe(12)
    user = await create_user(SignUp(_NAME, "demo@example.org", password, {"theme": "dark"}), app)
    await _fill(app, CreateWorkspace(Reach(user.id), user.id, "Symphony", "The orchestra itself."))
    await _fill(
        app,
        CreateWorkspace(
            Reach(user.id), user.id, "Thesis", "Notes and proofs.", WorkspaceType.RESEARCH
        ),
    )
    print(f"Demo: user name {_NAME}, password {password}", flush=True)  # noqa: T201 - for a person
    return user


async def _fill(app: Application, command: CreateWorkspace) -> None:
    workspace = await app.run(create_workspace, command)
    actor = Reach(workspace.user_profile_id)
    for name in ("strings", "brass"):
        await app.run(create_repo, CreateRepo(actor, workspace.id, name, f"~/dev/{name}"))
    await app.run(create_vault, CreateVault(actor, workspace.id, "notes", "~/vaults/notes"))
    secret = await app.run(create_vault, CreateVault(actor, workspace.id, "keys", "~/vaults/keys"))
    await app.run(lock_vault, LockVault(actor, secret.id))
