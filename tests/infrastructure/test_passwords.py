"""Password hashes: slow to compute, without blocking anything else."""

import asyncio
from collections.abc import Generator
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from symphony.infrastructure.hashing_threads import HashingThreads
from symphony.infrastructure.passwords import Argon2Passwords
from tests.support.hashing import REQUESTER

MISMATCH = VerifyMismatchError()


@pytest.fixture(scope="module")
def passwords() -> Generator[Argon2Passwords]:
    threads = HashingThreads(1)
    yield Argon2Passwords(threads)
    threads.close()


@pytest.mark.long
@pytest.mark.parametrize("password", ["correct horse", "\U0001f3bb" * 8, "\t" * 8, "a" * 1024])
async def test_a_hash_is_of_its_password_and_of_no_other(
    passwords: Argon2Passwords, password: str
) -> None:
    password_hash = await passwords.hash(password, REQUESTER)
    assert password_hash.startswith("$argon2id$")
    assert await passwords.verify(password, password_hash, REQUESTER)
    assert not await passwords.verify(password + "x", password_hash, REQUESTER)
    assert not await passwords.verify("", password_hash, REQUESTER)


async def test_no_two_hashes_are_the_same(passwords: Argon2Passwords) -> None:
    assert await passwords.hash("password", REQUESTER) != await passwords.hash(
        "password", REQUESTER
    )


@pytest.mark.parametrize("password_hash", ["", "not a hash", "$argon2id$v=19$m=1,t=1,p=1$x$y"])
async def test_an_invalid_hash_matches_no_password(
    passwords: Argon2Passwords, password_hash: str
) -> None:
    assert not await passwords.verify("password", password_hash, REQUESTER)


@pytest.mark.parametrize("password", ["\ud800", "nobody\udfff", "\0"])
async def test_a_password_with_any_characters_can_be_wrong(
    passwords: Argon2Passwords, password: str
) -> None:
    assert not await passwords.verify(
        password, await passwords.hash("password", REQUESTER), REQUESTER
    )


@pytest.mark.parametrize("password", ["nobody", "", "password"])
async def test_no_password_is_right_without_a_hash(
    passwords: Argon2Passwords, password: str
) -> None:
    assert not await passwords.verify(password, None, REQUESTER)


async def test_without_an_account_the_same_work_is_done(passwords: Argon2Passwords) -> None:
    password_hash = await passwords.hash("password", REQUESTER)
    with patch.object(PasswordHasher, "verify", autospec=True, side_effect=MISMATCH) as verify:
        assert not await passwords.verify("wrong", password_hash, REQUESTER)
        assert not await passwords.verify("wrong", None, REQUESTER)
    with_account, without_account = [call.args[1] for call in verify.call_args_list]
    assert with_account == password_hash
    # The cost of a verification is in its hash: memory, passes, lanes, and the hash's length.
    assert extract_parameters(without_account) == extract_parameters(with_account)


@pytest.mark.long
async def test_the_event_loop_goes_on_while_passwords_are_hashed(
    passwords: Argon2Passwords,
) -> None:
    hashing = asyncio.gather(*(passwords.hash("password", REQUESTER) for _ in range(10)))
    beats = 0
    while not hashing.done():
        beats += 1
        await asyncio.sleep(0.001)
    await hashing
    # On the loop, there would be one beat before the hashes and one after them.
    assert beats > 20
