"""The queue for Argon2: which request is next, so that no requester keeps another one waiting."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from symphony.application.ports import Overloaded, Requester

PartyT = TypeVar("PartyT")

SECONDS_PER_COST = 0.04
"""The approximate duration of hashing a password, whose cost is 1."""
_MAX_REMEMBERED = 10_000  # requesters; about 1 MB


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """The numbers of requests that may wait.

    `total` is for each kind of requester: 512 passwords are 20 seconds of work for one thread.
    """

    per_requester: int = 64
    total: int = 512


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A hash to compute: it takes `cost` times as long as that of a password."""

    work: Callable[[], Any] = field(repr=False)
    requester: Requester
    cost: int
    result: "Future[Any]" = field(default_factory=Future[Any], repr=False)


class Kind(Enum):
    """A kind of requester. Each kind that waits gets the same share of the threads."""

    ACCOUNT = auto()
    """Callers with a token, and the operator."""
    FAMILIAR_ADDRESS = auto()
    """Client addresses that have sent the right password for some account."""
    OTHER_ADDRESS = auto()


class FairShares(Generic[PartyT]):
    """Which of several parties is next, so that each of them gets the same share of the work.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996): work starts at a virtual time, and the
    party whose work starts first is next. The next work of a party starts later by the cost of the
    work before. A party that returns starts at the current time, so it gains nothing from having
    been idle. Of several parties with the same time, one that was not served before is first.
    """

    def __init__(self) -> None:
        self._now = 0
        self._next_start: dict[PartyT, int] = {}

    def next_of(self, waiting: Iterable[PartyT]) -> PartyT:
        """Return the party that is next; of equal ones, the one that is listed first."""
        party = min(waiting, key=lambda each: (self._start(each), each in self._next_start))
        self._now = self._start(party)
        return party

    def charge(self, party: PartyT, cost: int) -> None:
        """Count the cost of the work that the party is served."""
        next_start = self._start(party) + cost
        self._next_start.pop(party, None)
        self._next_start[party] = next_start
        _forget_oldest(self._next_start)

    def _start(self, party: PartyT) -> int:
        return max(self._now, self._next_start.get(party, 0))


class WaitingJobs:
    """The waiting jobs of one kind of requester, fair by requester."""

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._jobs: dict[Requester, deque[Job]] = {}  # in the order in which they became first
        self._shares = FairShares[Requester]()
        self._length = 0

    def __bool__(self) -> bool:
        return self._length > 0

    def add(self, job: Job) -> None:
        """Add a job. If the queue is full, it takes the place of a requester with more of them.

        Raises: Overloaded when the requester has too many, or nobody has more.
        """
        own = self._jobs.get(job.requester, ())
        if len(own) >= self._limits.per_requester:
            raise self._overloaded("many requests of the same client or account wait for Argon2")
        if self._length >= self._limits.total:
            longest = max(self._jobs.values(), key=len)
            overloaded = self._overloaded("many requests wait for Argon2")
            if len(longest) <= len(own) + 1:
                raise overloaded
            last = longest[-1]
            self.discard(last)
            if not last.result.cancelled():
                last.result.set_exception(overloaded)
        self._jobs.setdefault(job.requester, deque()).append(job)
        self._length += 1

    def take(self) -> Job:
        """Remove and return the job that is next."""
        requester = self._shares.next_of(self._jobs)
        jobs = self._jobs.pop(requester)
        job = jobs.popleft()
        if jobs:
            self._jobs[requester] = jobs
        self._length -= 1
        self._shares.charge(requester, job.cost)
        if not self:
            self._shares = FairShares[Requester]()  # all of them have been served
        return job

    def discard(self, job: Job) -> None:
        """Remove a job, if it is waiting."""
        jobs = self._jobs.get(job.requester)
        if jobs and job in jobs:
            jobs.remove(job)
            self._length -= 1
            if not jobs:
                del self._jobs[job.requester]

    def _overloaded(self, reason: str) -> Overloaded:
        cost = sum(job.cost for jobs in self._jobs.values() for job in jobs)
        return Overloaded(reason, retry_after=math.ceil(cost * SECONDS_PER_COST))


class HashingQueue:
    """The waiting jobs of all requesters. Not safe for threads without a lock."""

    def __init__(self, limits: QueueLimits) -> None:
        self._waiting = {kind: WaitingJobs(limits) for kind in Kind}
        self._shares = FairShares[Kind]()
        self._familiar: dict[Requester, None] = {}

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def add(self, job: Job) -> None:
        """Add a job. Raises: Overloaded."""
        self._waiting[self._kind(job.requester)].add(job)

    def take(self) -> Job:
        """Remove and return the job that is next."""
        kind = self._shares.next_of(kind for kind, waiting in self._waiting.items() if waiting)
        job = self._waiting[kind].take()
        self._shares.charge(kind, job.cost)
        if not self:
            self._shares = FairShares[Kind]()
        return job

    def discard(self, job: Job) -> None:
        """Remove a job, if it is waiting."""
        for waiting in self._waiting.values():
            waiting.discard(job)

    def remember(self, requester: Requester) -> None:
        """Make an address familiar: it has sent a right password."""
        self._familiar.pop(requester, None)
        self._familiar[requester] = None
        _forget_oldest(self._familiar)

    def _kind(self, requester: Requester) -> Kind:
        if requester.has_token:
            return Kind.ACCOUNT
        return Kind.FAMILIAR_ADDRESS if requester in self._familiar else Kind.OTHER_ADDRESS


def _forget_oldest(remembered: dict[PartyT, Any]) -> None:
    """Bound what is remembered of requesters, of which there can be any number."""
    if len(remembered) > _MAX_REMEMBERED:
        del remembered[next(iter(remembered))]
