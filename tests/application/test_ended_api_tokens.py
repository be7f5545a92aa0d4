"""A command of an API token is not committed after the token was revoked or has expired."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from symphony.application.api_tokens import (
    CreateApiToken,
    RevokeApiToken,
    create_api_token,
    revoke_api_token,
)
from symphony.application.app import Application, Services
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.application.workspaces import (
    CreateWorkspace,
    GetWorkspace,
    UpdateWorkspace,
    create_workspace,
    get_workspace,
    update_workspace,
)
from symphony.domain.api_tokens import ApiToken, Scope, TokenRevoked, new_api_token
from symphony.domain.base import new_id, utc_now
from symphony.domain.errors import TokenRefused
from symphony.domain.reach import Reach
from symphony.domain.workspaces import Workspace

pytestmark = pytest.mark.every_store
MANY = 20


async def program(app: Application, user: UUID) -> tuple[ApiToken, Application]:
    """A token, and the application for a request with it."""
    secret = new_api_token()
    create = CreateApiToken(user, secret, "program", (Scope.READ, Scope.WRITE))
    token = await app.run(create_api_token, create)
    _, allowed = await identify_caller(IdentifyCaller(secret), app)
    return token, allowed


async def test_a_revocation_waits_for_the_commands_of_the_token(
    app: Application, ada: UUID
) -> None:
    token, allowed = await program(app, ada)
    is_running, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(command: CreateWorkspace, services: Services) -> Workspace:
        workspace = await create_workspace(command, services)
        is_running.set()
        await may_go_on.wait()
        return workspace

    command = CreateWorkspace(Reach(ada), ada, "Thesis")
    running = asyncio.create_task(allowed.run(slowly, command))
    await is_running.wait()
    revoke = RevokeApiToken(Reach(ada), token.id)
    revoking = asyncio.create_task(app.run(revoke_api_token, revoke))
    await asyncio.wait([revoking], timeout=0.1)
    assert not revoking.done()
    may_go_on.set()
    await asyncio.gather(running, revoking)
    with pytest.raises(TokenRevoked):
        await allowed.run(create_workspace, CreateWorkspace(Reach(ada), ada, "late"))


async def test_nothing_is_committed_after_a_revocation_was_acknowledged(
    app: Application, ada: UUID
) -> None:
    thesis = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    get = GetWorkspace(Reach(ada), thesis.id)
    for _ in range(3):
        token, allowed = await program(app, ada)

        async def revoked(token: ApiToken = token) -> int:
            """Return the version of the workspace after the acknowledgement."""
            await app.run(revoke_api_token, RevokeApiToken(Reach(ada), token.id))
            return (await app.ask(get_workspace, get)).version

        commands = [
            UpdateWorkspace(Reach(ada), thesis.id, {"description": str(new_id())})
            for _ in range(MANY)
        ]
        updates = [allowed.run(update_workspace, each) for each in commands]
        *before, version, last = await asyncio.gather(
            *updates[:-1], revoked(), updates[-1], return_exceptions=True
        )
        results = [*before, last]
        assert all(isinstance(each, Workspace | TokenRevoked) for each in results)
        assert (await app.ask(get_workspace, get)).version == version


async def test_parallel_revocations_of_a_token_by_itself_do_not_wait_for_each_other(
    app: Application, ada: UUID
) -> None:
    token, allowed = await program(app, ada)
    revoke = RevokeApiToken(Reach(ada), token.id)
    async with asyncio.timeout(0.9):  # PostgreSQL looks for deadlocks after a second
        results = await asyncio.gather(
            *(allowed.run(revoke_api_token, revoke) for _ in range(5)), return_exceptions=True
        )
    assert results.count(None) == 1
    assert sum(isinstance(each, TokenRevoked) for each in results) == 4


async def test_a_token_that_has_expired_meanwhile_runs_no_command(
    app: Application, ada: UUID
) -> None:
    secret, soon = new_api_token(), utc_now() + timedelta(seconds=0.3)
    create = CreateApiToken(ada, secret, "short", (Scope.WRITE,), expires_at=soon)
    await app.run(create_api_token, create)
    _, allowed = await identify_caller(IdentifyCaller(secret), app)
    await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "in time"))
    await asyncio.sleep((soon - utc_now()).total_seconds() + 0.01)
    with pytest.raises(TokenRefused):
        await allowed.run(create_workspace, CreateWorkspace(Reach(ada), ada, "late"))
