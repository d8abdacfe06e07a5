"""Whether a request goes again, and when."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.retry import Cause, GiveUp, Retry, decide

BACKING_OFF = [cause for cause in Cause if cause is not Cause.TOKEN]


def verdict(attempt=1, cause=Cause.SERVER, *, waited=0.0, max_wait=600.0, retry_after=None, seed=1):
    dice = Random(seed)  # noqa: S311 - a fixed sequence for a test
    return decide(attempt, cause, waited=waited, max_wait=max_wait, retry_after=retry_after, random=dice)


@pytest.mark.parametrize("cause", BACKING_OFF)
@pytest.mark.parametrize(("attempt", "bound"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (50, 60), (10**9, 60)])
def test_waits_are_jittered_below_a_bound_that_doubles_up_to_a_minute(cause, attempt, bound):
    waits = [verdict(attempt, cause, seed=seed).after_s for seed in range(300)]
    assert 0 <= min(waits) < bound * 0.1
    assert bound * 0.9 < max(waits) <= bound


@pytest.mark.parametrize("cause", BACKING_OFF)
def test_when_the_time_is_up_the_reason_is_a_sentence(cause):
    decision = verdict(9, cause, waited=600.0)
    assert isinstance(decision, GiveUp)
    assert decision.reason.startswith("The server")
    assert decision.reason.endswith("for 10 minutes.")


def test_a_wait_too_short_for_a_clock_to_show_ends_it():
    """Sums of waits are off by a rounding error: what that leaves over must not be waited for again and again."""
    assert isinstance(verdict(9, waited=600.0 - 1e-13), GiveUp)


def test_no_waiting_at_all_can_be_asked_for():
    assert isinstance(verdict(max_wait=0.0), GiveUp)


def test_last_wait_ends_when_the_time_is_up():
    assert verdict(40, waited=599.5, seed=3) == Retry(0.5)


def test_server_that_names_a_wait_is_obeyed_with_a_little_jitter():
    waits = [verdict(8, Cause.THROTTLED, retry_after=30.0, seed=seed).after_s for seed in range(100)]
    assert all(30 <= wait <= 31 for wait in waits)
    assert len(set(waits)) > 50


def test_server_that_asks_for_more_than_is_left_ends_it_at_once():
    decision = verdict(1, Cause.THROTTLED, waited=580.0, retry_after=21.0)
    assert decision == GiveUp("The server asks to wait 21 seconds, longer than the 20 seconds that are left.")


@pytest.mark.parametrize("nonsense", [-1.0, float("nan"), float("inf")])
def test_senseless_retry_after_does_not_count(nonsense):
    assert verdict(retry_after=nonsense) == verdict(retry_after=None)


def test_token_is_renewed_once_without_a_wait():
    assert verdict(1, Cause.TOKEN, waited=10_000.0) == Retry(0.0)
    assert isinstance(verdict(2, Cause.TOKEN), GiveUp)


SECONDS = st.floats(0, 1e6)


@given(
    attempt=st.integers(1, 10**6),
    cause=st.sampled_from(Cause),
    waited=SECONDS,
    max_wait=SECONDS,
    retry_after=st.none() | st.floats(),
    seed=st.integers(),
)
def test_decision_is_pure_and_never_waits_beyond_the_time(*, attempt, cause, waited, max_wait, retry_after, seed):
    arguments = {"waited": waited, "max_wait": max_wait, "retry_after": retry_after, "seed": seed}
    decision = verdict(attempt, cause, **arguments)
    assert decision == verdict(attempt, cause, **arguments)
    if isinstance(decision, Retry) and cause is not Cause.TOKEN:
        assert 0 <= decision.after_s <= max_wait - waited
    if isinstance(decision, GiveUp):
        assert decision.reason.endswith(".")
