"""The application layer: commands and queries, and what happens when many come at once."""

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
from symphony.application.authentication import (
    SignIn,
    hash_token,
    identify,
    new_api_token,
    sign_in,
)
from symphony.application.user_profiles import CreateUserProfile, sign_up
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
from symphony.domain.api_tokens import Scope
from symphony.domain.base import PageRequest, new_id
from symphony.domain.errors import DomainError, Forbidden, InvalidCredentials, Locked
from symphony.domain.unit_of_work import TransactionConflict
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.metrics import Metrics
from symphony.main import running_application

PASSWORD = "correct horse battery staple"
LIMIT = 50
AT_ONCE = 60


async def story(stage: Stage) -> None:
    settings = get_demo_settings()
    engines = engines_for(settings)
    secret = secret_for(settings, engines)
    master_keys = master_keys_for(settings, engines)
    async with running_application(settings, engines, secret, master_keys, Metrics()) as app:
        ada = await signing_in(stage, app)
        await commands_and_queries(stage, app, ada)
        await api_tokens(stage, app, ada)
        await many_at_once(stage, app)
        await one_name_at_once(stage, app)
        await a_caller_who_leaves(stage, app, ada)
        await failures(stage, app, ada)


async def signing_in(stage: Stage, app: Application) -> UUID:
    stage.step("Somebody signs up, and signs in")
    command = CreateUserProfile("ada", "ada@example.org", PASSWORD)
    ada = await sign_up(command, app)
    stage.expect(
        "the command does not show the password", PASSWORD not in repr(command), repr(command)
    )
    stage.expect("only a hash of it is kept", ada.password_hash.startswith("$argon2id$"))
    caller = await identify(await sign_in(SignIn("ada", PASSWORD), app), app)
    stage.expect("the access token is ada's", caller and caller.user_id == ada.id)
    stage.expect("it is for everything", caller and caller.scopes == frozenset(Scope))
    by_email = await sign_in(SignIn("ADA@example.org", PASSWORD), app)
    # Each token ends at a second of its own, so the two callers need not be equal.
    the_same = await identify(by_email, app)
    stage.expect("her e-mail address does as well", the_same and the_same.user_id == ada.id)
    with stage.expect_refusal("a wrong password", InvalidCredentials):
        await sign_in(SignIn("ada", "hunter2"), app)
    with stage.expect_refusal("a user that there is not, alike", InvalidCredentials):
        await sign_in(SignIn("bob", PASSWORD), app)
    stage.expect(
        "an altered token is nobody's", await identify(by_email[:-5] + "AAAAA", app) is None
    )
    return ada.id


async def commands_and_queries(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("Commands change things, each in a transaction; queries just look")
    thesis = await app.run(create_workspace, CreateWorkspace(ada, ada, "Thesis"))
    keys = await app.run(create_vault, CreateVault(ada, thesis.id, "keys", "~/vaults/keys"))
    found = await app.ask(get_vault, GetVault(ada, keys.id))
    stage.expect("what a command gives is what a query finds", found == keys)
    page = await app.ask(list_workspaces, ListWorkspaces(ada, ada, PageRequest(limit=10)))
    stage.expect("lists come in pages", (list(page.items), page.next) == ([thesis], None))
    await app.run(lock_vault, LockVault(ada, keys.id))
    with stage.expect_refusal("a change of a locked vault", Locked):
        await app.run(update_vault, UpdateVault(ada, keys.id, {"name": "other"}))
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(ada, thesis.id))
    stage.expect("one vault is counted", (stats.repo_count, stats.vault_count) == (0, 1))


async def api_tokens(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("Programs get tokens of their own: scoped, and revoked at once")
    token = new_api_token()
    only_read = (Scope.READ,)
    made = await app.run(
        create_api_token, CreateApiToken(ada, frozenset(Scope), token, "backup", only_read)
    )
    stage.expect("only a hash of it is kept", made.token_hash == hash_token(token))
    caller = await identify(token, app)
    stage.expect("it is ada's, to read", caller and caller.scopes == frozenset(only_read))
    with stage.expect_refusal("a wider token, made with this one", Forbidden, "insufficient-scope"):
        wider = CreateApiToken(ada, frozenset(only_read), new_api_token(), "more", tuple(Scope))
        await app.run(create_api_token, wider)
    await app.run(revoke_api_token, RevokeApiToken(ada, made.id))
    stage.expect("revoked, it is nobody's", await identify(token, app) is None)


async def many_at_once(stage: Stage, app: Application) -> None:
    stage.step(f"{AT_ONCE} workspaces at once against a limit of {LIMIT}")
    bob = (await sign_up(CreateUserProfile("bob", "bob@example.org", PASSWORD), app)).id
    commands = [CreateWorkspace(bob, bob, f"workspace {number}") for number in range(AT_ONCE)]
    counted = await outcomes(app.run(create_workspace, each) for each in commands)
    stage.table("outcome", "times", rows=counted.items())
    stage.expect(
        "exactly as many as there may be",
        counted == {"made": LIMIT, "workspace-limit-reached": AT_ONCE - LIMIT},
    )
    page = await app.ask(list_workspaces, ListWorkspaces(bob, bob, PageRequest(limit=200)))
    stage.expect("and that many are there", len(page.items) == LIMIT)


async def one_name_at_once(stage: Stage, app: Application) -> None:
    stage.step("20 workspaces of one name at once")
    eve = (await sign_up(CreateUserProfile("eve", "eve@example.org", PASSWORD), app)).id
    commands = [CreateWorkspace(eve, eve, name) for name in ("Thesis", "THESIS") * 10]
    counted = await outcomes(app.run(create_workspace, each) for each in commands)
    stage.table("outcome", "times", rows=counted.items())
    stage.expect("one gets it", counted == {"made": 1, "workspace-name-taken": 19})


async def a_caller_who_leaves(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("A caller who is cancelled halfway leaves nothing half done")
    halfway, go_on = asyncio.Event(), asyncio.Event()

    async def workspace_with_vault(name: str, services: Services) -> Workspace:
        workspace = await create_workspace(CreateWorkspace(ada, ada, name), services)
        halfway.set()
        await go_on.wait()
        await create_vault(CreateVault(ada, workspace.id, "keys", "/v"), services)
        return workspace

    caller = asyncio.create_task(app.run(workspace_with_vault, "Opera"))
    await halfway.wait()
    caller.cancel()
    await asyncio.wait([caller])
    stage.expect("the caller is gone, with a workspace made and no vault yet", caller.cancelled())
    go_on.set()
    await app.drain()
    page = await app.ask(
        list_workspaces, ListWorkspaces(ada, ada, PageRequest(limit=9, text="Opera"))
    )
    stats = [
        await app.ask(get_workspace_stats, GetWorkspaceStats(ada, each.id)) for each in page.items
    ]
    stage.expect("the command went on to its end", [each.vault_count for each in stats] == [1])
    after = await app.run(create_workspace, CreateWorkspace(ada, ada, "Ballet"))
    stage.expect("and left no lock behind: the next one runs", after.name == "Ballet")


async def failures(stage: Stage, app: Application, ada: UUID) -> None:
    stage.step("A command that fails has done nothing; one that meets another runs again")

    async def fail_halfway(name: str, services: Services) -> None:
        workspace = await create_workspace(CreateWorkspace(ada, ada, name), services)
        await create_vault(CreateVault(ada, new_id(), "keys", "/v"), services)
        raise AssertionError(f"{workspace.name} has a vault in no workspace")

    with stage.expect_refusal("a vault in no workspace", DomainError, "workspace-not-found"):
        await app.run(fail_halfway, "Symphony")
    runs: list[str] = []

    async def meet_another_at_first(name: str, services: Services) -> Workspace:
        runs.append(name)
        workspace = await create_workspace(CreateWorkspace(ada, ada, name), services)
        if len(runs) == 1:
            raise TransactionConflict
        return workspace

    made = await app.run(meet_another_at_first, "Symphony")
    stage.expect("the name was free, so the failure left nothing", made.name == "Symphony")
    stage.expect("and the second run made it", len(runs) == 2)


async def outcomes(commands: Iterable[Awaitable[object]]) -> Counter[str]:
    """How often what came of many commands that run at once."""

    async def outcome(command: Awaitable[object]) -> str:
        try:
            await command
        except DomainError as error:
            return error.slug
        return "made"

    return Counter(await asyncio.gather(*map(outcome, commands)))


if __name__ == "__main__":
    perform(story)
