"""Keys from passphrases: Argon2id (RFC 9106), away from the event loop."""

import secrets
from functools import partial

from argon2.low_level import Type, hash_secret_raw

from symphony.domain.vaults.keys import KEY_BYTES, SALT_BYTES, Derivation
from symphony.infrastructure.hashing_threads import HashingThreads

# RFC 9106, section 4, the second recommendation: 64 MiB, three passes. One lane instead of four:
# on a busy machine four take as long, and one takes no more than one core.
MEMORY = 65_536  # KiB
PASSES = 3
LANES = 1
_COST = 5  # it takes as long as about so many passwords


class Argon2Passphrases:
    """Derives keys in the threads in which passwords are hashed."""

    def __init__(self, threads: HashingThreads) -> None:
        self._threads = threads

    def derivation(self, salt: bytes | None = None) -> Derivation:
        return Derivation(salt or secrets.token_bytes(SALT_BYTES), MEMORY, PASSES, LANES)

    async def key(self, passphrase: bytes, derivation: Derivation) -> bytes:
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
            cost=_COST,
        )
