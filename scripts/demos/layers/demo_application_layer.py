"""The application layer: commands and queries, alone and many at the same time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from uuid import UUID

from scripts.demos.support.stage import Stage, perform
from symphony.application.api_tokens import (
    CreateApiToken,
    RevokeApiToken,
    create_api_token,
    revoke_api_token,
)
from symphony.application.app import Application, Services
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.application.orchestrations.sign_in import SignIn, sign_in
from symphony.application.orchestrations.sign_up import SignUp, sign_up
from symphony.application.vaults.vaults import (
    CreateVault,
    GetVault,
    LockVault,
    UpdateVault,
    create_vault,
    get_vault,
    lock_vault,
    update_vault,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    GetWorkspaceStats,
    ListWorkspaces,
    create_workspace,
    get_workspace_stats,
    list_workspaces,
)
from symphony.bootstrap import engines_for, master_keys_for, secret_for
from symphony.config.demo import get_demo_settings
from symphony.domain.api_tokens import SCOPES_OF_ACCESS_TOKENS, Scope, hash_token, new_api_token
from symphony.domain.base import PageRequest, new_id
from symphony.domain.errors import DomainError, Forbidden, InvalidCredentials, Locked, TokenRefused
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import TransactionConflict
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.metrics import Metrics
from symphony.main import running_application

PASSWORD = "correct horse battery staple"
ADDRESS = "127.0.0.1"
LIMIT = 50
CALLS = 60


async def story(stage: Stage) -> None:
    settings = get_demo_settings()
    engines = engines_for(settings)
    secret = secret_for(settings, engines)
    master_keys = master_keys_for(settings, engines)
    async with running_application(settings, engines, secret, master_keys, Metrics()) as app:
        ada = await signing_in(stage, app)
        await commands_and_queries(stage, app, ada)
        await api_tokens(stage, app, ada)
        await parallel_creations(stage, app)
        await one_name(stage, app)
        await cancelled_caller(stage, app, ada)
        await failures(stage, app, ada)


async def signing_in(stage: Stage, app: Application) -> UUID:
    stage.step("A user signs up and signs in")
    command = SignUp("ada", "ada@example.org", PASSWORD)
    ada = await sign_up(command, app)
    stage.expect("the repr of the command contains no password", PASSWORD not in repr(command))
    stage.expect(
        "only a hash of the password is stored", ada.password_hash.startswith("$argon2id$")
    )
    token = await sign_in(SignIn("ada", PASSWORD, ADDRESS), app)
    caller, _ = await identify_caller(IdentifyCaller(token), app)
    stage.expect("the access token identifies ada", caller.user_id == ada.id)
    stage.expect("it has all scopes of a person", caller.scopes == SCOPES_OF_ACCESS_TOKENS)
    by_email = await sign_in(SignIn("ADA@example.org", PASSWORD, ADDRESS), app)
    # The tokens may expire at different seconds, so the two callers need not be equal.
    the_same, _ = await identify_caller(IdentifyCaller(by_email), app)
    stage.expect("her e-mail address works as well", the_same.user_id == ada.id)
    with stage.expect_refusal("a wrong password", InvalidCredentials):
        await sign_in(SignIn("ada", "hunter2", ADDRESS), app)
    with stage.expect_refusal("an unknown user, with the same error", InvalidCredentials):
        await sign_in(SignIn("bob", PASSWORD, ADDRESS), app)
    with stage.expect_refusal("a tampered token", TokenRefused, "unauthenticated"):
        await identify_caller(IdentifyCaller(by_email[:-5] + "AAAAA"), app)
    return ada.id


async def commands_and_queries(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("Commands change data, each in a transaction; queries read")
    thesis = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    keys = await app.run(create_vault, CreateVault(Reach(ada), thesis.id, "keys", "~/vaults/keys"))
    found = await app.ask(get_vault, GetVault(Reach(ada), keys.id))
    stage.expect("a query finds what a command has created", found == keys)
    page = await app.ask(list_workspaces, ListWorkspaces(Reach(ada), ada, PageRequest(limit=10)))
    stage.expect("a list is returned in pages", (list(page.items), page.next) == ([thesis], None))
    await app.run(lock_vault, LockVault(Reach(ada), keys.id))
    with stage.expect_refusal("an update of a locked vault", Locked):
        await app.run(update_vault, UpdateVault(Reach(ada), keys.id, {"name": "other"}))
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), thesis.id))
    stage.expect("the workspace counts one vault", (stats.repo_count, stats.vault_count) == (0, 1))


async def api_tokens(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("API tokens have scopes, and are revoked at once")
    token = new_api_token()
    only_read = (Scope.READ,)
    created = await app.run(create_api_token, CreateApiToken(ada, token, "backup", only_read))
    stage.expect("only a hash of the token is stored", created.token_hash == hash_token(token))
    caller, _ = await identify_caller(IdentifyCaller(token), app)
    stage.expect("it identifies ada, with the scope read", caller.scopes == frozenset(only_read))
    with stage.expect_refusal(
        "a token with more scopes, created with this one", Forbidden, "insufficient-scope"
    ):
        read_and_write = (Scope.READ, Scope.WRITE)
        wider = CreateApiToken(ada, new_api_token(), "more", read_and_write, creator_id=created.id)
        await app.run(create_api_token, wider)
    await app.run(revoke_api_token, RevokeApiToken(Reach(ada), created.id))
    with stage.expect_refusal("the token, once revoked", TokenRefused, "unauthenticated"):
        await identify_caller(IdentifyCaller(token), app)


async def parallel_creations(stage: Stage, app: Application) -> None:
    stage.step(f"{CALLS} workspaces are created at the same time; the limit is {LIMIT}")
    bob = (await sign_up(SignUp("bob", "bob@example.org", PASSWORD), app)).id
    commands = [CreateWorkspace(Reach(bob), bob, f"workspace {number}") for number in range(CALLS)]
    counted = await outcomes(app.run(create_workspace, each) for each in commands)
    stage.table("outcome", "times", rows=counted.items())
    stage.why("counting first and inserting then would let several through at the limit.")
    stage.expect(
        "exactly as many are created as are allowed",
        counted == {"created": LIMIT, "workspace-limit-reached": CALLS - LIMIT},
    )
    page = await app.ask(list_workspaces, ListWorkspaces(Reach(bob), bob, PageRequest(limit=200)))
    stage.expect("and as many are stored", len(page.items) == LIMIT)


async def one_name(stage: Stage, app: Application) -> None:
    stage.step("20 workspaces of one name are created at the same time")
    eve = (await sign_up(SignUp("eve", "eve@example.org", PASSWORD), app)).id
    commands = [CreateWorkspace(Reach(eve), eve, name) for name in ("Thesis", "THESIS") * 10]
    counted = await outcomes(app.run(create_workspace, each) for each in commands)
    stage.table("outcome", "times", rows=counted.items())
    stage.why("the database decides who is first, so there is never a second one.")
    stage.expect("one is created", counted == {"created": 1, "workspace-name-taken": 19})


async def cancelled_caller(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("A command whose caller is cancelled is completed")
    is_halfway, may_continue = asyncio.Event(), asyncio.Event()

    async def workspace_with_vault(name: str, services: Services) -> Workspace:
        workspace = await create_workspace(CreateWorkspace(Reach(ada), ada, name), services)
        is_halfway.set()
        await may_continue.wait()
        await create_vault(CreateVault(Reach(ada), workspace.id, "keys", "/v"), services)
        return workspace

    caller = asyncio.create_task(app.run(workspace_with_vault, "Opera"))
    await is_halfway.wait()
    caller.cancel()
    await asyncio.wait([caller])
    stage.expect("the caller is cancelled between the workspace and its vault", caller.cancelled())
    may_continue.set()
    await app.drain()
    page = await app.ask(
        list_workspaces, ListWorkspaces(Reach(ada), ada, PageRequest(limit=9, text="Opera"))
    )
    stats = [
        await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), each.id))
        for each in page.items
    ]
    stage.expect(
        "the command has created the vault too", [each.vault_count for each in stats] == [1]
    )
    after = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Ballet"))
    stage.expect("no lock is left: the next command runs", after.name == "Ballet")


async def failures(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("A command that fails is rolled back; one that meets a conflict runs again")

    async def fail_halfway(name: str, services: Services) -> None:
        workspace = await create_workspace(CreateWorkspace(Reach(ada), ada, name), services)
        await create_vault(CreateVault(Reach(ada), new_id(), "keys", "/v"), services)
        raise AssertionError(f"{workspace.name} has a vault in an unknown workspace")

    with stage.expect_refusal(
        "a vault in an unknown workspace", DomainError, "workspace-not-found"
    ):
        await app.run(fail_halfway, "Symphony")
    runs: list[str] = []

    async def conflict_once(name: str, services: Services) -> Workspace:
        runs.append(name)
        workspace = await create_workspace(CreateWorkspace(Reach(ada), ada, name), services)
        if len(runs) == 1:
            raise TransactionConflict
        return workspace

    created = await app.run(conflict_once, "Symphony")
    stage.expect(
        "the failed command has left nothing: its name is free", created.name == "Symphony"
    )
    stage.expect("the second run has created the workspace", len(runs) == 2)


async def outcomes(commands: Iterable[Awaitable[object]]) -> Counter[str]:
    """The outcomes of commands that run at the same time, counted."""

    async def outcome(command: Awaitable[object]) -> str:
        try:
            await command
        except DomainError as error:
            return error.slug
        return "created"

    return Counter(await asyncio.gather(*map(outcome, commands)))


if __name__ == "__main__":
    perform(story)
