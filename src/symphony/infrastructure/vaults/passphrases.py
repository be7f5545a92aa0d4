"""Keys from passphrases: Argon2id (RFC 9106), computed outside the event loop."""

import secrets
from functools import partial

from argon2.low_level import Type, hash_secret_raw

from symphony.application.ports import Requester
from symphony.domain.vaults.keys import KEY_BYTES, SALT_BYTES, Derivation
from symphony.infrastructure.argon2_costs import PASSPHRASE_COST, Argon2Cost
from symphony.infrastructure.hashing_threads import HashingThreads

_COST_IN_PASSWORDS = 5  # the approximate duration, relative to that of hashing a password


class Argon2Passphrases:
    """Keys from passphrases, derived in the threads that also hash passwords."""

    def __init__(self, threads: HashingThreads, cost: Argon2Cost = PASSPHRASE_COST) -> None:
        self._threads = threads
        self._cost = cost

    def derivation(self, salt: bytes | None = None) -> Derivation:
        cost = self._cost
        salt = salt or secrets.token_bytes(SALT_BYTES)
        return Derivation(salt, cost.memory, cost.passes, cost.lanes)

    async def key(self, passphrase: bytes, derivation: Derivation, requester: Requester) -> bytes:
        return await self._threads.run(
            partial(
                hash_secret_raw,
                passphrase,
                derivation.salt,
                derivation.passes,
                derivation.memory,
                derivation.lanes,
                KEY_BYTES,
                Type.ID,
            ),
            requester,
            cost=_COST_IN_PASSWORDS,
        )
