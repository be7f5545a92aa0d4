"""Gates for the attempts of one counter or client in this process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from symphony.application.ports import Overloaded, Requester
from symphony.domain.attempts import MAX_FAILURES, Counter

MAX_WAITING = 100
"""Attempts at one gate, those in progress included."""


@dataclass(slots=True)
class _Gate:
    open: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FAILURES))
    attempts: int = 0


class AttemptGates:
    """A queue of attempts for each counter, or client address in the case of sign-ins.

    So few of them use the database at the same time, and none of those that are refused.

    Many parallel sign-ins with the right password all succeed: those for which the counter has no
    room wait here. The counter in the database decides alone how many get a result.
    """

    def __init__(self) -> None:
        self._gates: dict[Counter | Requester, _Gate] = {}

    @asynccontextmanager
    async def passed(self, key: Counter | Requester) -> AsyncGenerator[None]:
        """Wait for a place among the attempts in progress, and keep it. Raises: Overloaded."""
        gate = self._gates.setdefault(key, _Gate())
        if gate.attempts >= MAX_WAITING:
            raise Overloaded
        gate.attempts += 1
        try:
            async with gate.open:
                yield
        finally:
            gate.attempts -= 1
            if not gate.attempts:
                del self._gates[key]
