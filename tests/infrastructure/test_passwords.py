"""Password hashes, which take long and stop nobody."""

import asyncio
import time
from collections.abc import Generator

import pytest

from symphony.infrastructure.hashing_threads import HashingThreads
from symphony.infrastructure.passwords import Argon2Passwords

pytestmark = pytest.mark.slow_and_real


@pytest.fixture(scope="module")
def passwords() -> Generator[Argon2Passwords]:
    threads = HashingThreads(1)
    yield Argon2Passwords(threads)
    threads.close()


@pytest.mark.parametrize("password", ["correct horse", "\U0001f3bb" * 8, "\t" * 8, "a" * 1024])
async def test_a_hash_is_of_its_password_and_of_no_other(
    passwords: Argon2Passwords, password: str
) -> None:
    password_hash = await passwords.hash(password)
    assert password_hash.startswith("$argon2id$")
    assert await passwords.verify(password, password_hash)
    assert not await passwords.verify(password + "x", password_hash)
    assert not await passwords.verify("", password_hash)


async def test_no_two_hashes_are_the_same(passwords: Argon2Passwords) -> None:
    assert await passwords.hash("password") != await passwords.hash("password")


@pytest.mark.parametrize("password_hash", ["", "not a hash", "$argon2id$v=19$m=1,t=1,p=1$x$y"])
async def test_against_what_is_no_hash_nothing_is_verified(
    passwords: Argon2Passwords, password_hash: str
) -> None:
    assert not await passwords.verify("password", password_hash)


@pytest.mark.parametrize("password", ["\ud800", "nobody\udfff", "\0"])
async def test_no_password_is_too_strange_to_be_wrong(
    passwords: Argon2Passwords, password: str
) -> None:
    assert not await passwords.verify(password, await passwords.hash("password"))


@pytest.mark.parametrize("password", ["nobody", "", "password"])
async def test_nobody_has_no_password(passwords: Argon2Passwords, password: str) -> None:
    assert not await passwords.verify(password, None)


async def test_for_nobody_a_password_is_hashed_all_the_same(passwords: Argon2Passwords) -> None:
    password_hash = await passwords.hash("password")

    async def seconds(against: str | None) -> float:
        start = time.perf_counter()
        await passwords.verify("wrong", against)
        return time.perf_counter() - start

    pairs = [(await seconds(password_hash), await seconds(None)) for _ in range(5)]
    somebody, nobody = (min(times) for times in zip(*pairs, strict=True))
    assert nobody > somebody / 2  # it would be next to nothing without a hash


async def test_the_event_loop_goes_on_while_passwords_are_hashed(
    passwords: Argon2Passwords,
) -> None:
    hashing = asyncio.gather(*(passwords.hash("password") for _ in range(10)))
    beats = 0
    while not hashing.done():
        beats += 1
        await asyncio.sleep(0.001)
    await hashing
    # On the loop, there would be one beat before the hashes and one after them.
    assert beats > 20
