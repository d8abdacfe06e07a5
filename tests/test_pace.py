"""How quickly it goes is told by the last minute; how long it will take, in words of people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.pace import Pace, spoken_time


def test_nothing_is_told_of_the_first_moments():
    pace = Pace(100.0)
    pace.count(50, 101.0)
    assert (pace.rate, pace.left_s(50)) == (None, None)
    pace.count(100, 102.0)
    assert (pace.rate, pace.left_s(500)) == (50.0, 10.0)


def test_a_pause_long_ago_is_forgotten():
    pace = Pace(0.0)
    for moment in range(1, 200):
        pace.count(10 * max(0, moment - 100), float(moment))
    assert pace.rate == pytest.approx(10.0)


def test_where_nothing_moves_nothing_is_foretold():
    pace = Pace(0.0)
    for moment in range(100):
        pace.count(7, float(moment))
    assert pace.rate is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (3_540, "59 min"), (3_600, "1 h"), (7_800, "2 h 10 min")],
)
def test_spans_are_told_as_people_say_them(seconds, told):
    assert spoken_time(seconds) == told


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 500)), max_size=300))
def test_a_rate_is_never_negative_and_never_more_than_was_seen(steps):
    pace, now, rows, most = Pace(0.0), 0.0, 0, 0.0
    for seconds, more in steps:
        now, rows = now + seconds, rows + more
        pace.count(rows, now)
        rate = pace.rate
        if rate is not None:
            most = rows / 2.0
            assert 0 < rate <= most
