"""Hashes that cost next to nothing, for tests that are not about their cost."""

from symphony.application.ports import Requester
from symphony.domain.base import new_id
from symphony.infrastructure.argon2_costs import Argon2Cost, HashingCosts

CHEAP = HashingCosts(
    password=Argon2Cost(memory=64, passes=1), passphrase=Argon2Cost(memory=64, passes=1)
)
REQUESTER = Requester.account(new_id())
