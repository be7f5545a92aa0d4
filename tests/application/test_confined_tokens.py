"""Confined API tokens: who creates them, what they may do, and their idempotency keys."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from symphony.application.api_tokens import (
    CreateApiToken,
    RevokeApiToken,
    create_api_token,
    revoke_api_token,
)
from symphony.application.app import Application
from symphony.application.machines import CreateMachine, create_machine
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.application.repos import (
    CreateRepo,
    DeleteRepo,
    ImportItem,
    ImportRepos,
    UpdateRepo,
    create_repo,
    delete_repo,
    import_repos,
    update_repo,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    DeleteWorkspace,
    GetWorkspace,
    ListWorkspaces,
    create_workspace,
    delete_workspace,
    get_workspace,
    list_workspaces,
)
from symphony.domain.api_tokens import (
    MAX_TOKEN_WORKSPACES,
    ApiToken,
    InsufficientScope,
    Scope,
    TokenRevoked,
    new_api_token,
)
from symphony.domain.base import PageRequest, new_id
from symphony.domain.errors import AlreadyExists, Invalid, NotFound
from symphony.domain.idempotency import CreationGone, IdempotencyKey, KeyReused
from symphony.domain.reach import Reach

BOTH = (Scope.READ, Scope.WRITE)


async def workspace(app: Application, user: UUID, name: str) -> UUID:
    return (await app.run(create_workspace, CreateWorkspace(Reach(user), user, name))).id


async def create(
    app: Application, user: UUID, workspace_ids: Sequence[UUID] | None = None, **values: Any
) -> ApiToken:
    known: dict[str, Any] = {"name": "agent", "scopes": BOTH, "token": new_api_token()}
    command = CreateApiToken(actor=user, workspace_ids=workspace_ids, **{**known, **values})
    return await app.run(create_api_token, command)


def key(reach: Reach, fingerprint: bytes = b"f") -> IdempotencyKey:
    return IdempotencyKey(reach, "key", fingerprint)


async def agent(app: Application, user: UUID, inside: UUID) -> tuple[ApiToken, str]:
    """Create a token that is confined to a workspace; return it with its secret."""
    secret = new_api_token()
    return await create(app, user, [inside], token=secret), secret


async def test_a_token_is_confined_to_workspaces_of_its_user(
    app: Application, ada: UUID, eve: UUID
) -> None:
    one, other = [await workspace(app, ada, name) for name in ("one", "other")]
    of_eve = await workspace(app, eve, "one")
    token = await create(app, ada, [other, one, other])
    assert token.workspace_ids == tuple(sorted({one, other}))
    assert token.reach == Reach(ada, token.id)
    for foreign in (of_eve, new_id()):
        with pytest.raises(Invalid) as refused:
            await create(app, ada, [one, foreign, other, foreign])
        assert [(each.field, each.code) for each in refused.value.errors] == [
            ("workspace_ids/1", "workspace-not-found"),
            ("workspace_ids/3", "workspace-not-found"),
        ]
        assert str(foreign) not in str(refused.value.errors)
    for number in (0, MAX_TOKEN_WORKSPACES + 1):
        with pytest.raises(Invalid) as refused:
            await create(app, ada, [one] * number)
        assert [each.field for each in refused.value.errors] == ["workspace_ids"]
    assert (await create(app, ada, [one] * MAX_TOKEN_WORKSPACES)).workspace_ids == (one,)


async def test_a_confined_token_creates_no_token_and_no_workspace(
    app: Application, ada: UUID
) -> None:
    inside = await workspace(app, ada, "inside")
    token = await create(app, ada, [inside])
    for ids in (None, [inside]):
        with pytest.raises(InsufficientScope):
            await create(app, ada, ids, creator_id=token.id)
    with pytest.raises(InsufficientScope):
        await app.run(create_workspace, CreateWorkspace(token.reach, ada, "more"))
    unconfined = await create(app, ada)
    assert (await create(app, ada, [inside], creator_id=unconfined.id)).is_confined


async def test_a_confined_token_revokes_only_itself(app: Application, ada: UUID) -> None:
    inside = await workspace(app, ada, "inside")
    token, other = await create(app, ada, [inside]), await create(app, ada)
    for target in (other.id, new_id()):
        with pytest.raises(InsufficientScope):
            await app.run(revoke_api_token, RevokeApiToken(token.reach, target))
    await app.run(revoke_api_token, RevokeApiToken(token.reach, token.id))
    with pytest.raises(NotFound):
        await app.run(revoke_api_token, RevokeApiToken(token.reach, token.id))


@pytest.mark.parametrize(
    ("scopes", "machine_id", "faults"),
    [
        ((Scope.REPORT,), None, [("machine_id", "missing")]),
        (BOTH, new_id(), [("machine_id", "unknown-field")]),
        ((Scope.SECRETS,), None, [("scopes", "secrets-alone")]),
        ((Scope.REPORT, Scope.READ), new_id(), [("scopes", "report-not-alone")]),
    ],
)
async def test_scopes_that_do_not_fit_together_are_refused(
    scopes: tuple[Scope, ...],
    machine_id: UUID | None,
    faults: list[tuple[str, str]],
    app: Application,
    ada: UUID,
) -> None:
    with pytest.raises(Invalid) as refused:
        await create(app, ada, scopes=scopes, machine_id=machine_id)
    assert [(each.field, each.code) for each in refused.value.errors] == faults


async def test_a_token_of_a_machine_is_not_confined(app: Application, ada: UUID) -> None:
    inside = await workspace(app, ada, "inside")
    machine = (await app.run(create_machine, CreateMachine(Reach(ada), "laptop"))).id
    report: dict[str, Any] = {"scopes": (Scope.REPORT,), "machine_id": machine}
    assert (await create(app, ada, **report)).machine_id == machine
    with pytest.raises(Invalid) as refused:
        await create(app, ada, [inside], **report)
    assert [each.field for each in refused.value.errors] == ["workspace_ids"]


async def test_the_caller_of_a_confined_token_reaches_its_workspaces_only(
    app: Application, ada: UUID
) -> None:
    inside = await workspace(app, ada, "inside")
    token, secret = await agent(app, ada, inside)
    caller, _ = await identify_caller(IdentifyCaller(secret), app)
    assert caller.reach == token.reach
    await app.run(delete_workspace, DeleteWorkspace(token.reach, inside))
    caller, _ = await identify_caller(IdentifyCaller(secret), app)
    assert caller.reach == token.reach
    with pytest.raises(NotFound):
        await app.run(create_repo, CreateRepo(caller.reach, inside, "engine", "/r"))


async def test_a_query_of_a_token_that_was_revoked_meanwhile_is_no_empty_answer(
    app: Application, ada: UUID
) -> None:
    inside = await workspace(app, ada, "inside")
    token, secret = await agent(app, ada, inside)
    caller, of_caller = await identify_caller(IdentifyCaller(secret), app)
    in_list = ListWorkspaces(caller.reach, ada, PageRequest(limit=10))
    alone = GetWorkspace(caller.reach, inside)
    assert len((await of_caller.ask(list_workspaces, in_list)).items) == 1
    assert (await of_caller.ask(get_workspace, alone)).id == inside
    await app.run(revoke_api_token, RevokeApiToken(Reach(ada), token.id))
    with pytest.raises(TokenRevoked):
        await of_caller.ask(list_workspaces, in_list)
    with pytest.raises(TokenRevoked):
        await of_caller.ask(get_workspace, alone)


async def test_a_retry_of_a_confined_token_is_replayed_while_it_reaches_the_creation(
    app: Application, ada: UUID
) -> None:
    inside, outside = [await workspace(app, ada, name) for name in ("inside", "outside")]
    token = await create(app, ada, [inside])
    command = CreateRepo(token.reach, inside, "engine", "/r")
    first = await app.run_once(create_repo, command, key(token.reach))
    again = await app.run_once(create_repo, command, key(token.reach))
    assert (again.result, again.replayed) == (first.result, True)
    with pytest.raises(KeyReused):
        await app.run_once(create_repo, command, key(token.reach, b"other"))
    move = UpdateRepo(Reach(ada), first.result.id, {"workspace_id": outside})
    await app.run(update_repo, move)
    with pytest.raises(CreationGone) as moved:
        await app.run_once(create_repo, command, key(token.reach))
    await app.run(delete_repo, DeleteRepo(Reach(ada), first.result.id))
    with pytest.raises(CreationGone) as deleted:
        await app.run_once(create_repo, command, key(token.reach))
    assert (moved.value.slug, moved.value.detail) == (deleted.value.slug, deleted.value.detail)
    assert moved.value.slug == "idempotency-key-reused"


async def test_an_import_is_replayed_only_while_all_of_it_is_reached(
    app: Application, ada: UUID
) -> None:
    inside, outside = [await workspace(app, ada, name) for name in ("inside", "outside")]
    token = await create(app, ada, [inside])
    command = ImportRepos(token.reach, inside, [ImportItem("a", "/a"), ImportItem("b", "/b")])
    first = await app.run_once(import_repos, command, key(token.reach))
    assert (await app.run_once(import_repos, command, key(token.reach))).replayed
    await app.run(
        update_repo, UpdateRepo(Reach(ada), first.result[1].id, {"workspace_id": outside})
    )
    with pytest.raises(CreationGone):
        await app.run_once(import_repos, command, key(token.reach))


async def test_confined_tokens_share_no_idempotency_keys(app: Application, ada: UUID) -> None:
    inside, outside = [await workspace(app, ada, name) for name in ("inside", "outside")]
    one, two = await create(app, ada, [inside]), await create(app, ada, [inside, outside])
    in_outside = CreateRepo(Reach(ada), outside, "engine", "/r")
    created = await app.run_once(create_repo, in_outside, key(Reach(ada)))
    # The same request under the same key, by a token that does not reach the workspace.
    with pytest.raises(NotFound):
        await app.run_once(
            create_repo, CreateRepo(one.reach, outside, "engine", "/r"), key(one.reach)
        )
    # It does not learn that the key was used for another request either.
    again = await app.run_once(
        create_repo, CreateRepo(one.reach, inside, "engine", "/r"), key(one.reach, b"other")
    )
    assert not again.replayed
    with pytest.raises(AlreadyExists):
        await app.run_once(
            create_repo, CreateRepo(two.reach, inside, "engine", "/r"), key(two.reach)
        )
    replayed = await app.run_once(create_repo, in_outside, key(Reach(ada)))
    assert (replayed.result, replayed.replayed) == (created.result, True)
