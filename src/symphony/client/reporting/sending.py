"""Sending a report: retries, and what the answers mean for the next attempt."""

import asyncio
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from symphony.client.connection import Connection
from symphony.client.documents import as_object, as_objects, number
from symphony.client.errors import ServerProblem, UnexpectedAnswer, Unreachable, numbered
from symphony.client.reporting.added_members import are_refused, without_added
from symphony.client.reporting.document import Document, encode_document
from symphony.infrastructure.git.process.threads import start_thread

T = TypeVar("T")
_HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
_MAX_REASON = 500  # characters
_MAX_REPLACED = 10  # rounds in which checkouts are replaced that the server does not accept
_RETRIED = {429, 500, 502, 503, 504}
_POINTER = re.compile(r"/checkouts/(\d{1,6})/(\w+).*")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` in total. Before each further one is a random pause of up to `base` seconds,
    doubled each time, up to `cap` (full jitter); a pause that the server asks for is not shortened,
    and one above `longest` ends the attempts."""

    attempts: int = 5
    base: float = 1.0
    cap: float = 15.0
    longest: float = 60.0

    def pause(self, failed: int, retry_after: int | None) -> float | None:
        """Return the seconds to wait after so many failed attempts; None to give up."""
        if failed >= self.attempts or (retry_after or 0) > self.longest:
            return None
        jitter = random.uniform(0, min(self.cap, self.base * 2 ** (failed - 1)))  # noqa: S311
        return (retry_after or 0) + jitter


class TakeSequence(Protocol):
    def __call__(self, *, above: int) -> int:
        """Return a sequence that is greater than all before, and than `above`."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """The counts are None when an earlier attempt arrived whose answer did not."""

    sequence: int
    matched: int | None
    unmatched: int | None
    notes: Sequence[str] = ()


async def retried(work: Callable[[], T], policy: RetryPolicy) -> T:
    """Run requests in a thread, again while the server does not answer or is overloaded.

    Raises: ClientError.
    """
    failed = 0
    while True:
        try:
            return await in_thread(work)
        except (Unreachable, ServerProblem) as error:
            failed += 1
            await asyncio.sleep(_pause(error, failed, policy))


def _pause(error: Unreachable | ServerProblem, failed: int, policy: RetryPolicy) -> float:
    """Return the seconds until the next attempt. Raises: the error when there is none."""
    is_problem = isinstance(error, ServerProblem)
    if is_problem and error.http_status not in _RETRIED:
        raise error
    pause = policy.pause(failed, error.retry_after if is_problem else None)
    if pause is None:
        raise error
    return pause


@dataclass(slots=True)
class Sender:
    """Sends one report at a time for a machine."""

    connection: Connection
    take_sequence: TakeSequence
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    async def send(self, machine_id: str, document: Document) -> Accepted:
        """Raises: ClientError."""
        return await _Delivery(self, f"/machines/{machine_id}/report", document).complete()


class _Delivery:
    """The attempts to deliver one report."""

    def __init__(self, sender: Sender, path: str, document: Document) -> None:
        self._sender = sender
        self._path = path
        self._document = document
        self._failed = 0
        self._may_have_arrived = False
        self._has_new_sequence = False
        self._replaced = 0
        self._is_without_added = False
        self._notes = list(document.notes)

    @property
    def _sequence(self) -> int:
        return self._document.content["sequence"]

    async def complete(self) -> Accepted:
        """Raises: ClientError."""
        while True:
            try:
                return self._accepted(as_object(await in_thread(self._put)) or {})
            except Unreachable as error:
                self._may_have_arrived = True
                await self._wait(error)
            except ServerProblem as problem:
                if problem.http_status in _RETRIED:
                    self._may_have_arrived |= problem.http_status != 429
                    await self._wait(problem)
                elif (accepted := self._resolved(problem)) is not None:
                    return accepted

    def _put(self) -> Any:
        body = self._document.compressed()
        return self._sender.connection.request("PUT", self._path, body=body, headers=_HEADERS)

    async def _wait(self, error: Unreachable | ServerProblem) -> None:
        self._failed += 1
        await asyncio.sleep(_pause(error, self._failed, self._sender.policy))

    def _accepted(self, answer: Mapping[str, Any]) -> Accepted:
        matched, unmatched = number(answer, "matched"), number(answer, "unmatched")
        if matched is None or unmatched is None or min(matched, unmatched) < 0:
            raise UnexpectedAnswer("The server's answer to the report is not one of Symphony.")
        return Accepted(self._sequence, matched, unmatched, self._notes)

    def _resolved(self, problem: ServerProblem) -> Accepted | None:
        """Return the result if the report was stored before; otherwise prepare the next attempt.

        Raises: ServerProblem when no other attempt can succeed.
        """
        if problem.code == "report-outdated":
            current = problem.members.get("current_sequence")
            if not isinstance(current, int):
                raise problem
            if current == self._sequence and self._may_have_arrived:
                return Accepted(self._sequence, None, None, self._notes)
            if self._has_new_sequence:
                raise problem
            self._renumber(current)
        elif problem.http_status == 422:
            self._replace_refused(problem)
        else:
            raise problem
        return None

    def _renumber(self, current: int) -> None:
        """The state of this reporter was lost, or another one reports for the same machine."""
        self._has_new_sequence = True
        sequence = self._sender.take_sequence(above=current)
        self._document = encode_document({**self._document.content, "sequence": sequence})
        self._notes.append(
            "The server had a later report of this machine than this reporter has sent. If another"
            " computer reports as the same machine, use --machine to give it another name."
        )

    def _replace_refused(self, problem: ServerProblem) -> None:
        """Replace the checkouts that the server does not accept, so that it accepts the others;
        first leave out what one of an older version does not know.

        Raises: ServerProblem when the problem is not about checkouts.
        """
        checkouts: list[Mapping[str, Any]] = list(self._document.content["checkouts"])
        problem.name_fields(numbered("checkouts", [each["path"] for each in checkouts]))
        errors = as_objects(problem.members.get("errors"))
        if are_refused(errors) and not self._is_without_added:
            self._is_without_added = True
            self._document = encode_document(without_added(self._document.content))
            return
        refused = dict[int, tuple[str, str]]()
        for error in errors:
            pointer = _POINTER.fullmatch(str(error.get("pointer")))
            if pointer is None:
                raise problem
            refused[int(pointer[1])] = pointer[2], str(error.get("detail"))
        self._replaced += 1
        if not refused or self._replaced > _MAX_REPLACED or max(refused) >= len(checkouts):
            raise problem
        for index, (field_name, detail) in sorted(refused.items(), reverse=True):
            checkout, reason = checkouts[index], f"`{field_name}`: {detail}"
            self._notes.append(
                f"The server does not accept what was found in {checkout['path']}: {reason}"
            )
            if field_name == "path":
                del checkouts[index]  # without it, there is no checkout
            else:
                checkouts[index] = _unreported(checkout, field_name, reason)
        self._document = encode_document({**self._document.content, "checkouts": checkouts})


def _unreported(checkout: Mapping[str, Any], refused: str, reason: str) -> Mapping[str, Any]:
    """Return the checkout with a status that says nothing but why, and without what was refused."""
    counts = dict.fromkeys(("staged", "modified", "untracked", "conflicted", "stashes"), 0)
    status: Mapping[str, Any] = {
        **dict.fromkeys(checkout["status"]),
        **counts,
        "observed_at": checkout["status"]["observed_at"],
        "state": "error",
        "reason": f"The server does not accept what was found. {reason}"[:_MAX_REASON],
        "remotes": {},
        "work": [],
        "work_truncated": True,
        "worktrees": [],
    }
    return {**checkout, "remote_heads": [], refused: [], "status": status}


async def in_thread(work: Callable[[], T]) -> T:
    """Run work that blocks, in a thread that does not keep the process alive."""
    return await asyncio.wrap_future(start_thread(work, "report"))
