"""Gates for the attempts of one counter in this process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from symphony.application.ports import Overloaded
from symphony.domain.attempts import MAX_FAILURES, Counter

MAX_WAITING = 100
"""Attempts of one counter in this process, those in progress included."""


@dataclass(slots=True)
class _Gate:
    open: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FAILURES))
    attempts: int = 0


class AttemptGates:
    """A queue of attempts for each counter, so that few of them ask the database for a result.

    Many parallel sign-ins with the right password all succeed: those for which the counter has no
    room wait here. The counter in the database decides alone how many get a result.
    """

    def __init__(self) -> None:
        self._gates: dict[Counter, _Gate] = {}

    @asynccontextmanager
    async def passed(self, counter: Counter) -> AsyncGenerator[None]:
        """Wait for a place among the attempts in progress, and keep it. Raises: Overloaded."""
        gate = self._gates.setdefault(counter, _Gate())
        if gate.attempts >= MAX_WAITING:
            raise Overloaded
        gate.attempts += 1
        try:
            async with gate.open:
                yield
        finally:
            gate.attempts -= 1
            if not gate.attempts:
                del self._gates[counter]
