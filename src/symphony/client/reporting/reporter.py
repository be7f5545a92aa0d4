"""Rounds of reports: each finds, inspects and sends."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symphony.client.connection import Connection
from symphony.client.errors import ClientError, ServerProblem
from symphony.client.reporting.document import Document, create_document
from symphony.client.reporting.inspection import find_repositories, inspect_all, real_roots
from symphony.client.reporting.machines import ReportedMachine, find_or_create_machine
from symphony.client.reporting.sending import Accepted, RetryPolicy, Sender, retried
from symphony.client.reporting.state import State, StateDirectory
from symphony.client.this_machine import machine_of_host
from symphony.domain.machines.checkouts import Report

_MAX_LATER = 0.1  # of the interval: so that machines do not report all at the same moment


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report that the server has accepted; `seconds` is the time of the whole round."""

    machine: ReportedMachine
    checkouts: int
    accepted: Accepted
    seconds: float


class Reporter:
    """Reports to one server; the caller holds the lock of the state directory."""

    def __init__(
        self, roots: Sequence[Path], directory: StateDirectory, *, fetch_state: bool = False
    ) -> None:
        self._roots = roots
        self._directory = directory
        self._fetch_state = fetch_state

    async def rounds(
        self,
        connection: Connection,
        machine_name: str | None,
        minutes: int,
        *,
        succeeded: Callable[[Outcome], None],
        failed: Callable[[ClientError], None],
    ) -> None:
        """Report every so many minutes, until the server does not accept the token any more.

        A round that fails otherwise is tried again at the next one.

        Raises: ServerProblem.
        """
        while True:
            started = time.monotonic()
            try:
                succeeded(await self.report(connection, machine_name))
            except ServerProblem as problem:
                if problem.http_status in {401, 403}:
                    raise
                failed(problem)
            except ClientError as error:
                failed(error)
            later = random.uniform(0, _MAX_LATER)  # noqa: S311 - no secret
            pause = started + minutes * 60 * (1 + later) - time.monotonic()
            await asyncio.sleep(max(1.0, pause))

    async def report(self, connection: Connection, machine_name: str | None) -> Outcome:
        """Report once. Raises: ClientError."""
        started = time.monotonic()
        # A token that is refused is known before the inspections.
        known = machine_of_host(connection.url)
        machine = await retried(
            lambda: find_or_create_machine(connection, machine_name, known), RetryPolicy()
        )
        document, count = await self._document(self._directory.load(), is_stored=True)

        def take_sequence(*, above: int) -> int:
            return self._directory.take_sequence(self._directory.load(), above=above).sequence

        sender = Sender(connection, take_sequence)
        accepted = await sender.send(machine.id, document)
        self._directory.save_machine(machine.id, is_host=machine_name is None)
        return Outcome(machine, count, accepted, time.monotonic() - started)

    async def preview(self) -> Document:
        """Return what would be sent; nothing is stored. Raises: ClientError."""
        document, _ = await self._document(self._directory.load(), is_stored=False)
        return document

    async def _document(self, state: State, *, is_stored: bool) -> tuple[Document, int]:
        """Return the next report, and its number of checkouts. Raises: ClientError."""
        roots = real_roots(self._roots)
        paths = await find_repositories(roots)
        memories, state = self._directory.memories(state)
        checkouts = await inspect_all(roots, paths, memories, fetch_state=self._fetch_state)
        if is_stored:
            self._directory.save_memories(memories)
            state = self._directory.take_sequence(state)
        else:
            state = replace(state, sequence=state.sequence + 1)
        report = Report(
            sequence=state.sequence, roots=[str(each) for each in roots], checkouts=checkouts
        )
        return create_document(report), len(checkouts)
