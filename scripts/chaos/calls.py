"""Requests with expected answers: any other answer fails the run."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Any

import httpx

API = "/api/v1"
ANSWERS_WITHIN = 30  # seconds; longer than any time limit of the service
SETTLES_WITHIN = 30  # seconds in which a running service must answer
_PAUSE = 0.1  # seconds between two tries
_UNAVAILABLE = "503 service-unavailable"


class Violation(Exception):
    """The service has done something that it must never do."""


class Unanswered(Exception):
    """The request may have taken effect or not: there is no answer."""


class NotSent(Exception):
    """No server accepted the connection, so the request had no effect."""


class Calls:
    """Sends requests, counts their outcomes, and accepts only what the contract allows."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.counted: Counter[str] = Counter()
        self.may_break = False
        """Whether the server is being killed; otherwise it must answer every request it accepts."""

    async def send(
        self, method: str, path: str, expected: Collection[str], **options: Any
    ) -> httpx.Response:
        """Send a request; `expected` are statuses (`200`) or statuses and codes
        (`423 vault-locked`).

        Raises: Unanswered, also for a 503; NotSent; Violation for any other outcome.
        """
        what = f"{method} {path}"
        try:
            answer = await self._client.request(method, API + path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._broken(what, error, NotSent()) from error
        except httpx.TimeoutException as error:
            raise Violation(f"{what}: no answer within {ANSWERS_WITHIN} s") from error
        except httpx.TransportError as error:
            raise self._broken(what, error, Unanswered()) from error
        outcome = _outcome(what, answer)
        self.counted[outcome] += 1
        if outcome == _UNAVAILABLE:
            if not answer.headers.get("Retry-After", "").isdecimal():
                raise Violation(f"{what}: 503 without the seconds to wait in Retry-After")
            raise Unanswered
        if outcome not in expected:
            raise Violation(f"{what}: {outcome}, expected was {' or '.join(expected)}")
        return answer

    async def settle(
        self, method: str, path: str, expected: Collection[str], **options: Any
    ) -> httpx.Response:
        """Send a request to a service that runs again, or soon will; retries until it answers.

        Raises: Violation.
        """
        deadline = time.monotonic() + SETTLES_WITHIN
        while time.monotonic() < deadline:
            try:
                return await self.send(method, path, expected, **options)
            except (Unanswered, NotSent):
                await asyncio.sleep(_PAUSE)
        raise Violation(f"{method} {path}: no answer after {SETTLES_WITHIN} s of retries")

    def _broken(self, what: str, error: Exception, meaning: Exception) -> Exception:
        if self.may_break:
            self.counted[type(meaning).__name__.lower()] += 1
            return meaning
        return Violation(f"{what}: {type(error).__name__} though the server was not being killed")


@asynccontextmanager
async def calls_to(address: str) -> AsyncGenerator[Calls]:
    """Calls to the server at an address."""
    async with httpx.AsyncClient(base_url=address, timeout=ANSWERS_WITHIN) as client:
        yield Calls(client)


def _outcome(what: str, answer: httpx.Response) -> str:
    """The status, with the code of an error. Raises: Violation for an invalid problem document."""
    if answer.status_code < 400:
        return str(answer.status_code)
    try:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        return f"{answer.status_code} {problem['code']}"
    except (AssertionError, KeyError, ValueError) as error:
        raise Violation(f"{what}: {answer.status_code} that is no problem document") from error
