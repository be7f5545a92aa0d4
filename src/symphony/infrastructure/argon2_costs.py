"""The costs of Argon2id (RFC 9106) for passwords and for passphrases."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """The cost of one hash; `memory` in KiB."""

    memory: int
    passes: int
    lanes: int = 1


PASSWORD_COST = Argon2Cost(memory=19_456, passes=2)
"""OWASP's password storage cheat sheet: 19 MiB, two passes, one lane."""

PASSPHRASE_COST = Argon2Cost(memory=65_536, passes=3)
"""RFC 9106, section 4, the second recommendation: 64 MiB, three passes.

One lane instead of four: on a busy machine four take as long, and one uses no more than one core.
"""


@dataclass(frozen=True, slots=True)
class HashingCosts:
    """The costs of all hashes of the service."""

    password: Argon2Cost = PASSWORD_COST
    passphrase: Argon2Cost = PASSPHRASE_COST


STANDARD_COSTS = HashingCosts()
