"""Which queries a replica is asked, and what the primary decides before and after that."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from symphony.application.api_tokens import (
    CreateApiToken,
    RevokeApiToken,
    create_api_token,
    revoke_api_token,
)
from symphony.application.app import Application, Queries
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.application.orchestrations.password_reset import SetPassword, set_password
from symphony.application.orchestrations.sign_in import SignIn, sign_in
from symphony.application.user_profiles import (
    DeleteUserProfile,
    GetUserProfile,
    delete_user_profile,
    get_user_profile,
)
from symphony.application.vaults.entries import GetEntry
from symphony.application.workspaces import (
    CreateWorkspace,
    GetWorkspace,
    create_workspace,
    get_workspace,
)
from symphony.domain.api_tokens import Scope, new_api_token
from symphony.domain.errors import NotFound, TokenRefused
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import Reason, ReplicaUnusable, Repositories, Store
from symphony.domain.user_profiles import LastWrite, UserState
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.application.conftest import ADDRESS, PASSWORD

NEW = "another horse, another battery"


@dataclass
class RecordingReplicas:
    """One replica, which has what its store has, and the last writes for which it was asked."""

    store: Store
    asked: list[LastWrite] = field(default_factory=list[LastWrite])
    by_primary: list[Reason] = field(default_factory=list[Reason])
    refusal: Exception | None = None
    on_leaving: Callable[[], Any] | None = None

    def choose(self, user_id: UUID) -> "RecordingReplicas":
        return self

    def start(self) -> None:
        raise AssertionError("only the service starts the checks")

    def count_primary(self, reason: Reason) -> None:
        self.by_primary.append(reason)

    @asynccontextmanager
    async def reading(self, user_id: UUID, last_write: LastWrite) -> AsyncGenerator[Repositories]:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(last_write)
        async with self.store.reading() as repositories:
            yield repositories
        if self.on_leaving is not None:
            await self.on_leaving()


@pytest.fixture
def replicas(store: Store) -> RecordingReplicas:
    return RecordingReplicas(store)


@pytest.fixture
def app(app: Application, replicas: RecordingReplicas) -> Application:
    return replace(app, replicas=replicas)


async def api_token(app: Application, user: UUID, *workspaces: UUID) -> tuple[UUID, str]:
    secret = new_api_token()
    command = CreateApiToken(
        user, secret, "laptop", (Scope.READ,), workspace_ids=workspaces or None
    )
    return (await app.run(create_api_token, command)).id, secret


async def secret(app: Application, user: UUID, kind: str) -> str:
    if kind == "access":
        return await sign_in(SignIn("ada", PASSWORD, ADDRESS), app)
    return (await api_token(app, user))[1]


async def of_request(app: Application, token: str, *, is_query: bool = True) -> Application:
    return (await identify_caller(IdentifyCaller(token, is_query), app))[1]


async def state(app: Application, user: UUID) -> UserState | None:
    async with app.store.reading() as repositories:
        return await repositories.last_writes.find(user)


@pytest.mark.parametrize("kind", ["access", "api"])
async def test_a_query_needs_the_last_write_of_its_user(
    app: Application, ada: UUID, replicas: RecordingReplicas, kind: str
) -> None:
    token = await secret(app, ada, kind)
    profile = GetUserProfile(ada, ada)
    await (await of_request(app, token)).ask(get_user_profile, profile)
    for number in range(2):
        writing = await of_request(app, token, is_query=False)
        await writing.run(create_workspace, CreateWorkspace(Reach(ada), ada, f"w{number}"))
        await (await of_request(app, token)).ask(get_user_profile, profile)
        found = await state(app, ada)
        assert found is not None
        assert replicas.asked[-1] == found.last_write
    assert replicas.asked[0].mark is None
    assert len({*replicas.asked}) == 3
    assert replicas.by_primary == []


@pytest.mark.parametrize("kind", ["access", "api"])
async def test_what_a_command_reads_is_read_from_the_primary(
    app: Application, ada: UUID, replicas: RecordingReplicas, kind: str
) -> None:
    writing = await of_request(app, await secret(app, ada, kind), is_query=False)
    await writing.ask(get_user_profile, GetUserProfile(ada, ada))
    await app.ask(get_user_profile, GetUserProfile(ada, ada))
    assert replicas.asked == []
    assert replicas.by_primary == []  # it counts what a replica could have answered


async def test_a_request_that_has_written_reads_from_the_primary(
    app: Application, ada: UUID, replicas: RecordingReplicas
) -> None:
    request = await of_request(app, await secret(app, ada, "api"))
    await request.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    await request.ask(get_user_profile, GetUserProfile(ada, ada))
    assert (replicas.asked, replicas.by_primary) == ([], ["primary-only"])


async def test_entries_of_vaults_are_read_from_the_primary(
    app: Application, ada: UUID, replicas: RecordingReplicas
) -> None:
    async def get_nothing(query: GetEntry, queries: Queries) -> None:
        """Only the class of the query counts."""

    request = await of_request(app, await secret(app, ada, "access"))
    await request.ask(get_nothing, GetEntry.__new__(GetEntry))
    assert (replicas.asked, replicas.by_primary) == ([], ["primary-only"])


@pytest.mark.parametrize("kind", ["access", "api"])
async def test_the_primary_answers_what_the_replica_cannot(
    app: Application, ada: UUID, replicas: RecordingReplicas, kind: str
) -> None:
    request = await of_request(app, await secret(app, ada, kind))
    replicas.refusal = ReplicaUnusable("behind")
    assert (await request.ask(get_user_profile, GetUserProfile(ada, ada))).username == "ada"
    assert replicas.by_primary == ["behind"]


async def test_an_access_token_is_checked_on_the_primary_before_the_replica_is_asked(
    app: Application, ada: UUID, replicas: RecordingReplicas
) -> None:
    request = await of_request(app, await secret(app, ada, "access"))
    await set_password(SetPassword(ada, NEW), app)
    with pytest.raises(TokenRefused):
        await request.ask(get_user_profile, GetUserProfile(ada, ada))
    assert replicas.asked == []


@pytest.mark.parametrize("is_found", [True, False])
async def test_an_api_token_is_checked_on_the_primary_after_the_replica_has_answered(
    app: Application, ada: UUID, replicas: RecordingReplicas, *, is_found: bool
) -> None:
    token_id, token = await api_token(app, ada)
    request = await of_request(app, token)
    async with app.store.reading() as repositories:
        assert await repositories.api_tokens.expiry(token_id) is None
    await app.run(revoke_api_token, RevokeApiToken(Reach(ada), token_id))
    wanted = ada if is_found else UUID(int=1)
    with pytest.raises(TokenRefused):
        await request.ask(get_user_profile, GetUserProfile(ada, wanted))
    assert len(replicas.asked) == 1


async def test_a_replica_that_knows_the_end_of_a_confined_token_first_is_not_believed(
    app: Application, ada: UUID, replicas: RecordingReplicas
) -> None:
    """Nothing is reached there: the answer would be a 404 for what exists."""
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    token_id, token = await api_token(app, ada, workspace.id)
    request = await of_request(app, token)
    engines = create_engines("sqlite://")
    try:
        await migrations.upgrade(engines)
        replicas.store = SqlAlchemyStore(engines)
        query = GetWorkspace(Reach(ada, token_id), workspace.id)
        assert (await request.ask(get_workspace, query)).id == workspace.id
    finally:
        await engines.dispose()
    assert replicas.by_primary == ["ahead"]


async def test_what_does_not_exist_on_the_replica_is_not_found(
    app: Application, ada: UUID, replicas: RecordingReplicas
) -> None:
    request = await of_request(app, await secret(app, ada, "api"))
    with pytest.raises(NotFound):
        await request.ask(get_workspace, GetWorkspace(Reach(ada), UUID(int=1)))
    assert len(replicas.asked) == 1
    assert replicas.by_primary == []


async def test_commands_of_the_operator_count_as_writes_of_the_user(
    app: Application, ada: UUID
) -> None:
    before = await state(app, ada)
    await set_password(SetPassword(ada, NEW), app.on_behalf_of(ada))
    after = await state(app, ada)
    assert before is not None
    assert after is not None
    assert before.last_write.mark is None
    assert after.last_write.mark is not None
    await app.on_behalf_of(ada).run(delete_user_profile, DeleteUserProfile(ada, ada))
    assert await state(app, ada) is None


async def test_without_replicas_nothing_is_marked(app: Application, ada: UUID) -> None:
    app = replace(app, replicas=None)
    request = await of_request(app, await secret(app, ada, "access"), is_query=False)
    await request.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    found = await state(app, ada)
    assert found is not None
    assert found.last_write.mark is None
