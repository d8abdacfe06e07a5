"""Requests over time: however long a run takes, few bars hold all of its requests, and rests are left out."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.report.charts import duration, latency_chart, requests_chart
from bulkzcrm.report.timeline import Timeline, timeline
from bulkzcrm.traffic import Second


def second(begin_s: int, requests: int = 4, throttled: int = 1, failed: int = 1) -> Second:
    return Second(
        begin_ms=begin_s * 1000, requests=requests, throttled=throttled, failed=failed, latency_ms=900, slowest_ms=400
    )


def line_of(*moments: int, most_bars: int = 60) -> Timeline:
    return timeline(map(second, moments), most_bars=most_bars)


@given(st.sets(st.integers(0, 200_000), max_size=80), st.integers(1, 70))
def test_every_request_is_in_one_bar_and_there_are_never_too_many(moments, most_bars):
    line = line_of(*sorted(moments), most_bars=most_bars)
    assert len(line.bars) <= most_bars
    assert sum(bar.requests for bar in line.bars) == line.total.requests == 4 * len(moments)
    assert sum(bar.answered for bar in line.bars) == 2 * len(moments)
    assert sum(bar.latency_ms for bar in line.bars) == line.total.latency_ms
    assert line.begin_ms == (min(moments) * 1000 if moments else None)


def test_a_rest_is_left_out_and_told():
    line = line_of(100, 101, 101 + 7200, 7303)
    assert [(rest.after_s, rest.lasted_s) for rest in line.rests] == [(2, 7199)]
    assert [bar.requests for bar in line.bars] == [4, 4, 4, 0, 4]


def test_waiting_for_an_answer_is_no_rest():
    line = line_of(0, 60)
    assert (line.rests, line.width_s, len(line.bars)) == ([], 2, 31)


def test_the_mean_is_that_of_all_requests():
    assert line_of(0, 1).total.mean_ms == 225
    assert Timeline().total.mean_ms == 0


def test_drawings_bring_no_script_no_style_and_no_link():
    line = line_of(*range(40))
    for drawing in (requests_chart(line), latency_chart(line)):
        assert drawing.startswith("<svg ")
        for forbidden in ("<script", "<style", "style=", "href", "xlink", "id=", "<!--", "pygal"):
            assert forbidden not in drawing
        assert len(drawing) < 30_000


def test_the_library_that_draws_leaves_nothing_behind_that_looks_for_modules():
    code = (
        "import sys; from bulkzcrm.report.timeline import Timeline; before = list(sys.meta_path)\n"
        "from bulkzcrm.report.charts import requests_chart; requests_chart(Timeline())\n"
        "import concurrent.futures.process; sys.exit(before != sys.meta_path)"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0  # noqa: S603 - our own words


def test_durations_are_told_as_people_say_them():
    told = {0: "0 s", 0.25: "250 ms", 1.5: "1.5 s", 59.7: "1 min", 181.4: "3 min 1 s", 5400: "1 h 30 min"}
    told |= {3599.7: "1 h", 86_400: "1 day", 187_200: "2 days 4 h"}
    assert {seconds: duration(seconds) for seconds in told} == told
