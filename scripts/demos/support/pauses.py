"""Failed attempts, with the pauses that the service asks for between them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Failures:
    answers: list[httpx.Response]
    refusals: list[httpx.Response]
    """The 429 after each failure that has caused a pause."""


def fail(attempt: Callable[[int], httpx.Response], times: int) -> Failures:
    """Fail some times; after a refusal, wait as long as it says and retry."""
    failures = Failures([], [])
    while len(failures.answers) < times:
        answer = attempt(len(failures.answers) + 1)
        if answer.status_code == 429:
            failures.refusals.append(answer)
            time.sleep(int(answer.headers["retry-after"]))
        else:
            failures.answers.append(answer)
    return failures
