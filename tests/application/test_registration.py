"""Who may sign up: everyone, only the first user, or nobody."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from unittest.mock import patch

import pytest

from symphony.application.app import Application, Policy
from symphony.application.orchestrations.sign_up import SignUp, create_user, sign_up
from symphony.application.user_profiles import DeleteUserProfile, delete_user_profile
from symphony.domain.errors import DomainError
from symphony.infrastructure.database.engine import Engines, create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from symphony.infrastructure.hashing_threads import HashingThreads
from symphony.infrastructure.passwords import Argon2Passwords
from tests.application.conftest import PASSWORD, an_application

FIRST = Policy(registration="first")


@pytest.fixture
def first(app: Application) -> Application:
    return replace(app, policy=FIRST)


@pytest.fixture
async def another_process(
    engines: Engines, database_url: str, threads: HashingThreads, *, is_pooled: bool
) -> AsyncGenerator[Application]:
    """An application with connections of its own to the same database."""
    own = engines if engines.is_in_memory else create_engines(database_url, is_pooled=is_pooled)
    app = replace(an_application(SqlAlchemyStore(own), threads), policy=FIRST)
    yield app
    await app.drain()
    if own is not engines:
        await own.dispose()


async def outcome(app: Application, name: str) -> str:
    try:
        await sign_up(SignUp(name, f"{name}@example.org", PASSWORD), app)
    except DomainError as refused:
        return refused.slug
    return "done"


@pytest.mark.every_store
async def test_of_parallel_sign_ups_in_two_processes_exactly_the_first_one_succeeds(
    first: Application, another_process: Application
) -> None:
    outcomes = await asyncio.gather(
        *(outcome((first, another_process)[each % 2], f"user{each}") for each in range(20))
    )
    assert Counter(outcomes) == {"done": 1, "registration-closed": 19}
    assert await outcome(another_process, "later") == "registration-closed"


async def test_a_profile_that_the_operator_created_is_the_first_one(first: Application) -> None:
    await create_user(SignUp("ada", "ada@example.org", PASSWORD), first)
    assert await outcome(first, "eve") == "registration-closed"
    await create_user(SignUp("eve", "eve@example.org", PASSWORD), first)


async def test_after_the_only_profile_was_deleted_another_first_one_can_sign_up(
    first: Application,
) -> None:
    ada = await sign_up(SignUp("ada", "ada@example.org", PASSWORD), first)
    await first.run(delete_user_profile, DeleteUserProfile(ada.id, ada.id))
    assert [await outcome(first, name) for name in ("eve", "bob")] == [
        "done",
        "registration-closed",
    ]


@pytest.mark.parametrize("registration", ["first", "closed"])
async def test_a_refused_sign_up_hashes_no_password_and_does_not_show_which_names_are_taken(
    registration: str, app: Application
) -> None:
    await create_user(SignUp("ada", "ada@example.org", PASSWORD), app)
    policies = {"first": FIRST, "closed": Policy(registration="closed")}
    refusing = replace(app, policy=policies[registration])
    with patch.object(Argon2Passwords, "hash", side_effect=AssertionError):
        for name in ("ada", "eve"):
            assert await outcome(refusing, name) == "registration-closed"
