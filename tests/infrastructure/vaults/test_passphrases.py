"""Keys from passphrases: slow to derive, without blocking anything else."""

import asyncio
from collections.abc import Generator
from dataclasses import replace

import pytest

from symphony.domain.vaults.keys import Derivation
from symphony.infrastructure.hashing_threads import HashingThreads
from symphony.infrastructure.vaults.passphrases import Argon2Passphrases
from tests.support.hashing import CHEAP, REQUESTER

PASSPHRASE = b"a horse, a battery and a staple"


@pytest.fixture
def passphrases() -> Generator[Argon2Passphrases]:
    threads = HashingThreads(1)
    yield Argon2Passphrases(threads, CHEAP.passphrase)
    threads.close()


@pytest.fixture
def real_passphrases() -> Generator[Argon2Passphrases]:
    threads = HashingThreads(1)
    yield Argon2Passphrases(threads)
    threads.close()


async def test_the_same_passphrase_and_derivation_give_the_same_key(
    passphrases: Argon2Passphrases,
) -> None:
    derivation = passphrases.derivation()
    key = await passphrases.key(PASSPHRASE, derivation, REQUESTER)
    assert len(key) == 32
    assert await passphrases.key(PASSPHRASE, derivation, REQUESTER) == key
    for other in (
        passphrases.derivation(),
        replace(derivation, passes=derivation.passes + 1),
        replace(derivation, memory=derivation.memory * 2),
    ):
        assert await passphrases.key(PASSPHRASE, other, REQUESTER) != key
    assert await passphrases.key(PASSPHRASE + b".", derivation, REQUESTER) != key


def test_derivations_are_those_of_rfc_9106(real_passphrases: Argon2Passphrases) -> None:
    passphrases = real_passphrases
    derivation = passphrases.derivation()
    assert (derivation.memory, derivation.passes, derivation.lanes) == (65_536, 3, 1)
    assert len(derivation.salt) == 16
    assert passphrases.derivation().salt != derivation.salt
    assert derivation.is_within_bounds


@pytest.mark.parametrize(
    "change",
    [
        {"memory": 2**32 - 1},
        {"memory": 7},
        {"passes": 0},
        {"passes": 2**31},
        {"lanes": 0},
        {"lanes": 2**24},
        {"salt": b""},
        {"salt": bytes(17)},
    ],
)
def test_costs_that_would_exhaust_the_machine_are_out_of_bounds(change: dict[str, int]) -> None:
    assert Derivation(bytes(16), 65_536, 3, 1).is_within_bounds
    assert not replace(Derivation(bytes(16), 65_536, 3, 1), **change).is_within_bounds


@pytest.mark.long
async def test_the_event_loop_goes_on_while_keys_are_derived(
    real_passphrases: Argon2Passphrases,
) -> None:
    passphrases = real_passphrases
    deriving = asyncio.gather(
        *(passphrases.key(PASSPHRASE, passphrases.derivation(), REQUESTER) for _ in range(4))
    )
    beats = 0
    while not deriving.done():
        beats += 1
        await asyncio.sleep(0.001)
    await deriving
    # On the loop, there would be one beat before the keys and one after them.
    assert beats > 20
