"""Requests whose answers are looked at: what is not expected fails the run."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Any

import httpx

API = "/api/v1"
ANSWERS_WITHIN = 30  # seconds; longer than any limit that the service sets itself
SETTLES_WITHIN = 30  # seconds until a service that is up must do what it is asked
_PAUSE = 0.1  # seconds between two tries
_UNAVAILABLE = "503 service-unavailable"


class Violation(Exception):
    """The service has done what it must never do."""


class Unanswered(Exception):
    """The request may have been carried out, or not: nobody has told."""


class NotSent(Exception):
    """Nobody was there to take the request."""


class Calls:
    """Sends requests, counts how they ended, and stands nothing but what the contract allows."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.counted: Counter[str] = Counter()
        self.may_break = False
        """Whether the server is being killed: otherwise it must answer whatever it has taken."""

    async def send(
        self, method: str, path: str, expected: Collection[str], **options: Any
    ) -> httpx.Response:
        """The answer, when its status (`200`), or status and code (`423 vault-locked`), is one
        of the expected.

        Raises: Unanswered, also for a 503; NotSent; Violation for everything else.
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
        """The answer of a service that is up again, or will be in a moment: tries until it comes.

        Raises: Violation.
        """
        deadline = time.monotonic() + SETTLES_WITHIN
        while time.monotonic() < deadline:
            try:
                return await self.send(method, path, expected, **options)
            except (Unanswered, NotSent):
                await asyncio.sleep(_PAUSE)
        raise Violation(f"{method} {path}: not done within {SETTLES_WITHIN} s of trying")

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
    """Raises: Violation when an error is no problem as it should be."""
    if answer.status_code < 400:
        return str(answer.status_code)
    try:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        return f"{answer.status_code} {problem['code']}"
    except (AssertionError, KeyError, ValueError) as error:
        raise Violation(f"{what}: {answer.status_code} that is no problem document") from error
