"""The queue for Argon2 is fair: simulations in which time is the cost of the hashes."""

import heapq
from collections import Counter
from collections.abc import Iterable

import pytest

from symphony.application.ports import Overloaded, Requester
from symphony.domain.base import new_id
from symphony.infrastructure.hashing_queue import (
    SECONDS_PER_COST,
    HashingQueue,
    Job,
    QueueLimits,
)

OWNER = Requester.account(new_id())
HOME = Requester.address("198.51.100.7")
PASSPHRASE = 5  # cost


def stranger(number: int) -> Requester:
    return Requester.address(f"203.0.113.{number}")


def job(requester: Requester, cost: int = 1) -> Job:
    return Job(lambda: None, requester, cost)


def full(limits: QueueLimits, *requesters: Requester) -> HashingQueue:
    """A queue in which each requester has as many jobs as it may."""
    queue = HashingQueue(limits)
    for _ in range(limits.per_requester):
        for requester in requesters:
            queue.add(job(requester))
    return queue


def order(queue: HashingQueue) -> list[Requester]:
    jobs = list[Requester]()
    while queue:
        jobs.append(queue.take().requester)
    return jobs


class Simulation:
    """Clients that send the next request when they have the answer; one thread serves them."""

    def __init__(self, queue: HashingQueue) -> None:
        self.now = 0.0
        self.waits: dict[Requester, list[float]] = {}
        self.used = Counter[Requester]()
        self.refused = Counter[Requester]()
        self._queue = queue
        self._clients: list[tuple[float, int, Requester, int]] = []

    def client(self, requester: Requester, *, first_at: float = 0, cost: int = 1) -> None:
        self._clients.append((first_at, len(self._clients), requester, cost))

    def run(self, seconds: float) -> None:
        heapq.heapify(self._clients)
        sent = dict[Job, tuple[float, int]]()
        while self.now < seconds:
            while self._clients and self._clients[0][0] <= self.now:
                _, number, requester, cost = heapq.heappop(self._clients)
                new = job(requester, cost)
                try:
                    self._queue.add(new)
                    sent[new] = (self.now, number)
                except Overloaded as overloaded:
                    self.refused[requester] += 1
                    again = self.now + overloaded.retry_after
                    heapq.heappush(self._clients, (again, number, requester, cost))
            if not self._queue:
                self.now = self._clients[0][0]
                continue
            done = self._queue.take()
            self.now += done.cost * SECONDS_PER_COST
            at, number = sent.pop(done)
            self.waits.setdefault(done.requester, []).append(self.now - at)
            self.used[done.requester] += done.cost
            heapq.heappush(self._clients, (self.now, number, done.requester, done.cost))


ONE_ADDRESS = [stranger(1)] * 230
MANY_ADDRESSES = [stranger(number) for number in range(230)]


@pytest.mark.parametrize("strangers", [ONE_ADDRESS, MANY_ADDRESSES])
def test_230_strangers_stop_neither_an_owner_nor_a_sign_in_from_another_address(
    strangers: Iterable[Requester],
) -> None:
    queue = HashingQueue(QueueLimits())
    queue.remember(HOME)
    simulation = Simulation(queue)
    for each in strangers:
        simulation.client(each)
    simulation.client(OWNER, first_at=0.5, cost=PASSPHRASE)
    simulation.client(HOME, first_at=0.5)
    simulation.run(30)
    for requester in (OWNER, HOME):
        assert simulation.refused[requester] == 0
        assert len(simulation.waits[requester]) > 25
        assert max(simulation.waits[requester]) < 1


@pytest.mark.parametrize("first_at", [0.5, 10])
def test_a_sign_in_from_an_address_that_nobody_has_signed_in_from_is_soon_served(
    first_at: float,
) -> None:
    simulation = Simulation(HashingQueue(QueueLimits()))
    for each in ONE_ADDRESS:
        simulation.client(each)
    simulation.client(HOME, first_at=first_at)
    simulation.run(first_at + 5)
    assert max(simulation.waits[HOME]) < 0.2
    assert simulation.refused[HOME] == 0


def test_an_address_that_sends_its_first_request_is_served_before_those_that_were_served() -> None:
    simulation = Simulation(HashingQueue(QueueLimits()))
    for each in MANY_ADDRESSES:
        simulation.client(each)
    simulation.client(HOME, first_at=10)
    simulation.run(11)
    assert simulation.waits[HOME][0] < 0.2


def test_accounts_get_the_same_share_whatever_their_hashes_cost() -> None:
    simulation = Simulation(HashingQueue(QueueLimits()))
    other = Requester.account(new_id())
    for _ in range(20):
        simulation.client(OWNER, cost=PASSPHRASE)
        simulation.client(other)
    simulation.run(40)
    assert abs(simulation.used[OWNER] - simulation.used[other]) <= PASSPHRASE


def test_each_kind_of_requester_that_waits_gets_the_same_share() -> None:
    queue = HashingQueue(QueueLimits())
    queue.remember(HOME)
    simulation = Simulation(queue)
    for _ in range(20):
        simulation.client(OWNER, cost=PASSPHRASE)
        simulation.client(HOME)
        for number in range(3):
            simulation.client(stranger(number))
    simulation.run(60)
    strangers = sum(simulation.used[stranger(number)] for number in range(3))
    used = (simulation.used[OWNER], simulation.used[HOME], strangers)
    assert max(used) - min(used) <= PASSPHRASE


def test_a_requester_that_was_idle_has_gained_nothing() -> None:
    queue = full(QueueLimits(per_requester=8), stranger(1))
    assert [queue.take().requester for _ in range(4)] == [stranger(1)] * 4
    for _ in range(3):
        queue.add(job(stranger(2)))
    assert order(queue) == [stranger(2), stranger(1)] * 3 + [stranger(1)]


def test_64_requests_of_an_address_may_wait_and_the_next_one_should_be_retried_later() -> None:
    queue = full(QueueLimits(), stranger(1))
    with pytest.raises(Overloaded) as overloaded:
        queue.add(job(stranger(1)))
    assert len(order(queue)) == 64
    assert overloaded.value.retry_after == 3  # 64 hashes take 2.6 seconds
    assert "same client" in str(overloaded.value)


def test_in_a_full_queue_the_last_request_of_the_requester_with_most_of_them_is_refused() -> None:
    queue = HashingQueue(QueueLimits(per_requester=4, total=6))
    jobs = [job(stranger(1)) for _ in range(4)]
    for each in (*jobs, job(stranger(2)), job(stranger(2))):
        queue.add(each)
    queue.add(job(HOME))
    assert isinstance(jobs[3].result.exception(), Overloaded)
    assert Counter(order(queue)) == {stranger(1): 3, stranger(2): 2, HOME: 1}


def test_in_a_full_queue_a_requester_gets_no_more_places_than_others() -> None:
    queue = full(QueueLimits(per_requester=1, total=6), *map(stranger, range(6)))
    with pytest.raises(Overloaded, match="many requests wait"):
        queue.add(job(HOME))
    queue.add(job(OWNER))  # accounts have places of their own
    assert len(order(queue)) == 7


def test_a_job_that_is_discarded_frees_its_place() -> None:
    limits = QueueLimits(per_requester=1, total=1)
    queue = HashingQueue(limits)
    for _ in range(3):
        waiting = job(HOME)
        queue.add(waiting)
        queue.discard(waiting)
        queue.discard(waiting)
    assert not queue


def test_what_is_remembered_of_requesters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symphony.infrastructure.hashing_queue._MAX_REMEMBERED", 2)
    queue = HashingQueue(QueueLimits(per_requester=2))
    queue.remember(HOME)
    for number in range(2):
        queue.remember(stranger(number))
    for requester in (stranger(0), stranger(0), stranger(2), stranger(2), HOME, HOME):
        queue.add(job(requester))
    # `HOME` was forgotten, so it has no share of its own any more.
    assert order(queue) == [stranger(0), stranger(2), stranger(0), HOME, stranger(2), HOME]
