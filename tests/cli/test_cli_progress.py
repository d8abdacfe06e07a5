"""What a person sees of a run that goes on: lines that count every row once."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from bulkzcrm import progress
from bulkzcrm.events import (
    BatchAnswered,
    Begun,
    Event,
    ReadBack,
    RecordsRead,
    RowsJudged,
    RowsRead,
    SendingEnded,
    SendingStarted,
)
from bulkzcrm.progress import Voice


def lines(monkeypatch: pytest.MonkeyPatch, folder: Path, *events: Event) -> list[str]:
    """What is said of events that come an hour after one another, each of which is told at once."""
    hours = iter(range(0, 3600 * 1000, 3600))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(hours)))
    stream = io.StringIO()
    voice = Voice(quiet=False, verbose=False, stream=stream)
    with voice.speaking():
        voice(Begun(run="a run", folder=folder))
        for event in events:
            voice(event)
    return stream.getvalue().splitlines()


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_on_a_narrow_terminal_what_counts_is_seen(monkeypatch, tmp_path, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    stream = Screen()
    voice = Voice(quiet=False, verbose=False, stream=stream)
    with voice.speaking():
        voice(Begun(run="a run", folder=tmp_path))
        voice(SendingStarted(rows=20_000, ceiling=10))
        voice(answered(succeeded=3_500))
    drawn = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "\n", stream.getvalue().replace("\r", "\n")).splitlines()
    last = [line for line in "".join(drawn).split("sending") if line][-1]
    assert "3500/20000" in last, drawn
    assert "…" not in "".join(drawn)
    assert ("batch 1" in last) == (width >= 60)
    assert ("credits" in last) == (width >= 100)


def answered(*, succeeded: int = 0, rejected: int = 0, unknown: int = 0) -> BatchAnswered:
    return BatchAnswered(
        batch=1,
        rows=succeeded + rejected + unknown,
        succeeded=succeeded,
        rejected=rejected,
        unknown=unknown,
        status=200,
        seconds=0.1,
        in_flight=1,
        limit=10,
        credits=1_230,
    )


def test_what_is_final_is_not_told_twice(monkeypatch, tmp_path):
    events = (RowsRead(rows=2, final=True), RowsJudged(rows=2), RowsJudged(rows=2, final=True))
    assert lines(monkeypatch, tmp_path, *events) == ["reading: 2 rows", "judging: 2 rows"]


def test_the_steps_of_a_job_are_told_each(monkeypatch, tmp_path):
    judged = RowsJudged(rows=2, final=True)
    events = (judged, Begun(run="another", folder=tmp_path), judged)
    assert lines(monkeypatch, tmp_path, *events) == ["judging: 2 rows"] * 2


def test_rows_whose_answer_was_lost_are_not_done_until_they_have_a_verdict(monkeypatch, tmp_path):
    told = lines(
        monkeypatch,
        tmp_path,
        SendingStarted(rows=700, ceiling=10),
        answered(succeeded=300),
        answered(unknown=100),
        answered(succeeded=200),
        ReadBack(found=40, absent=60, ambiguous=0),
        answered(succeeded=50, rejected=10),
        answered(succeeded=100),
        SendingEnded(left=0),
    )
    counts = [line.partition(";")[0] for line in told]
    assert counts == [f"sending: {done} of 700 rows" for done in (300, 500, 540, 600, 700)]


def test_a_line_tells_how_quickly_it_goes_and_how_long_it_will_take(monkeypatch, tmp_path):
    told = lines(monkeypatch, tmp_path, SendingStarted(rows=72_000, ceiling=10), answered(succeeded=36_000))
    # An hour for each time that the clock is asked.
    (line,) = told
    done, speed, traffic = line.split("; ")
    assert done == "sending: 36,000 of 72,000 rows"
    assert speed == "10 rows/s, about 1 h left"
    assert traffic == "batch 1, 1 of 10 requests at once, 1,230 credits"


def test_a_large_organisation_is_read_with_a_word_now_and_then(monkeypatch, tmp_path):
    events = [RecordsRead(what="services", records=number) for number in (200, 400)]
    assert lines(monkeypatch, tmp_path, *events) == ["reading services: 200 records", "reading services: 400 records"]


def test_rows_that_are_settled_by_reading_count_at_the_end(monkeypatch, tmp_path):
    events = (SendingStarted(rows=400, ceiling=10), answered(succeeded=350), SendingEnded(left=0))
    assert lines(monkeypatch, tmp_path, *events)[-1] == "sending: 400 of 400 rows"


def test_what_was_left_in_doubt_belongs_to_the_total_of_the_call_that_settles_it(monkeypatch, tmp_path):
    told = lines(
        monkeypatch,
        tmp_path,
        Begun(run="a run", folder=tmp_path, in_doubt=30),
        SendingStarted(rows=20, ceiling=10),
        ReadBack(found=10, absent=19, ambiguous=1),
        answered(succeeded=20, rejected=19),
        SendingEnded(left=0),
    )
    assert told == [f"sending: {done} of 50 rows" for done in (11, 50)]
