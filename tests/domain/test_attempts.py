"""Counted attempts: when pauses begin, how they grow, and when failures are forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from symphony.domain.attempts import (
    CLOCK_DIFFERENCE,
    LONGEST_ATTEMPT,
    LONGEST_PAUSE,
    MAX_FAILURES,
    MAX_FAILURES_OF_STRANGERS,
    Attempts,
    Outcome,
    StrangerAttempts,
    TooManyAttempts,
)

NOW = datetime(2026, 11, 16, 8, 30, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def failed(times: int, at: datetime = NOW, kind: type[Attempts] = Attempts) -> Attempts:
    """The attempts after consecutive failures at one time."""
    attempts = kind.none(at)
    for _ in range(times):
        attempts = attempts.reserved(at).finished(Outcome.FAILED, at)
    return attempts


def pause(attempts: Attempts, at: datetime) -> int:
    """The seconds for which attempts are refused; 0 if one may start."""
    try:
        assert attempts.at(at).may_start(at)
    except TooManyAttempts as refused:
        return refused.retry_after
    return 0


def test_pauses_begin_with_the_fifth_failure_and_double_up_to_15_minutes() -> None:
    pauses = [pause(failed(times), NOW) for times in range(1, 19)]
    assert pauses[:4] == [0] * 4
    assert pauses[4:] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
    assert pause(failed(10_000), NOW) == LONGEST_PAUSE.total_seconds()


def test_after_each_pause_one_attempt_gets_a_result() -> None:
    attempts, now, pauses = failed(MAX_FAILURES), NOW, list[int]()
    for _ in range(12):
        pauses.append(pause(attempts, now))
        assert pause(attempts, now + SECOND * (pauses[-1] - 0.5)) == 1
        now += SECOND * pauses[-1]
        started = attempts.at(now).reserved(now)
        assert started.may_start(now) is False
        attempts = started.finished(Outcome.FAILED, now)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_no_more_attempts_start_at_the_same_time_than_failures_are_left() -> None:
    for failures in range(MAX_FAILURES):
        attempts, started = failed(failures), 0
        while attempts.may_start(NOW):
            attempts, started = attempts.reserved(NOW), started + 1
        assert started == MAX_FAILURES - failures


def test_a_success_ends_the_count_and_a_withdrawal_changes_nothing() -> None:
    attempts = failed(4).reserved(NOW)
    assert attempts.finished(Outcome.SUCCEEDED, NOW) == Attempts.none(NOW)
    assert attempts.finished(Outcome.WITHDRAWN, NOW) == failed(4)


def test_pauses_are_forgotten_a_day_after_the_last_failure_and_less_after_an_hour() -> None:
    for failures, kept in ((4, HOUR), (5, HOUR * 24), (20, HOUR * 24)):
        attempts = failed(failures)
        assert attempts.at(NOW + kept - SECOND).failures == failures
        assert attempts.at(NOW + kept) == Attempts.none(NOW + kept)
        assert attempts.expires_at == NOW + kept


def test_an_attempt_without_a_result_counts_as_a_failure_after_half_a_minute() -> None:
    attempts = failed(4).reserved(NOW)
    for later, expected in ((LONGEST_ATTEMPT - SECOND, 4), (LONGEST_ATTEMPT, 5)):
        assert attempts.at(NOW + later).failures == expected
    assert attempts.at(NOW + LONGEST_ATTEMPT).pending == 0


@pytest.mark.parametrize("step", [SECOND * 2, SECOND * 30, HOUR, HOUR * 24 * 365])
def test_a_clock_that_is_set_back_prolongs_no_pause_by_more_than_clocks_differ(
    step: timedelta,
) -> None:
    for failures in (MAX_FAILURES, 14):
        attempts = failed(failures, NOW + step)
        length = pause(attempts, NOW + step)
        left = pause(attempts, NOW)
        assert left == (length if step <= CLOCK_DIFFERENCE else 0)
        again = attempts.at(NOW).reserved(NOW).finished(Outcome.FAILED, NOW)
        assert again.failures == failures + 1
        assert pause(again, NOW) > length


def test_a_clock_that_is_set_forward_ends_a_pause() -> None:
    assert pause(failed(20), NOW + HOUR) == 0


def test_an_attempt_that_was_reserved_in_the_future_has_failed() -> None:
    attempts = failed(0).reserved(NOW + HOUR).at(NOW)
    assert (attempts.failures, attempts.pending) == (1, 0)


@pytest.mark.parametrize("step", [SECOND * 30, HOUR, HOUR * 24 * 365])
def test_abandoned_attempts_cause_no_pause_after_the_clock_was_set_back(step: timedelta) -> None:
    attempts = failed(4, NOW + step).reserved(NOW + step)
    assert pause(attempts, NOW + step + LONGEST_ATTEMPT) == 0
    assert attempts.at(NOW).failures == MAX_FAILURES
    assert pause(attempts, NOW) == 0


def test_the_pause_of_an_abandoned_attempt_begins_with_the_last_failure_or_reservation() -> None:
    later = NOW + LONGEST_ATTEMPT
    for attempts in (
        failed(13).reserved(NOW),
        Attempts(13, 1, failed_at=NOW, reserved_at=NOW - SECOND),
    ):
        assert attempts.at(later).failed_at == NOW
        assert pause(attempts, later) == 512 - LONGEST_ATTEMPT.total_seconds()


def strangers(times: int, at: datetime = NOW) -> Attempts:
    return failed(times, at, StrangerAttempts)


def test_strangers_have_100_failures_in_an_hour() -> None:
    attempts = strangers(MAX_FAILURES_OF_STRANGERS - 1)
    assert pause(attempts, NOW + HOUR / 2) == 0
    attempts = attempts.reserved(NOW + HOUR / 2)
    assert pause(attempts, NOW + HOUR / 2) == 1800
    attempts = attempts.finished(Outcome.FAILED, NOW + HOUR / 2)
    assert pause(attempts, NOW + HOUR - SECOND) == 1
    assert pause(attempts, NOW + HOUR) == 0
    assert attempts.at(NOW + HOUR) == StrangerAttempts.none(NOW + HOUR)


def test_the_hour_of_strangers_begins_with_the_first_failure() -> None:
    attempts = StrangerAttempts.none(NOW).reserved(NOW)
    attempts = attempts.finished(Outcome.FAILED, NOW + SECOND)
    assert attempts.expires_at == NOW + HOUR + SECOND
    later = NOW + HOUR / 2
    assert attempts.reserved(later).finished(Outcome.FAILED, later).expires_at == (
        NOW + HOUR + SECOND
    )


def test_the_success_of_one_stranger_does_not_forget_the_failures_of_others() -> None:
    attempts = strangers(50).reserved(NOW)
    for outcome in (Outcome.SUCCEEDED, Outcome.WITHDRAWN):
        assert attempts.finished(outcome, NOW) == strangers(50)


def test_the_hour_of_strangers_ends_when_the_clock_is_set_back() -> None:
    for step, expected in ((SECOND * 2, True), (SECOND * 30, False), (HOUR * 9000, False)):
        attempts = strangers(MAX_FAILURES_OF_STRANGERS, NOW + step)
        assert (pause(attempts, NOW) > 0) is expected
        assert pause(attempts, NOW) <= HOUR.total_seconds()


@pytest.mark.parametrize(
    ("seconds", "detail"),
    [(0.2, "retry in 1 second."), (1.2, "retry in 2 seconds."), (3599, "retry in 3,599 seconds.")],
)
def test_the_error_says_when_to_retry(seconds: float, detail: str) -> None:
    assert TooManyAttempts(timedelta(seconds=seconds)).detail.endswith(detail)
