"""A journal of many runs and rows answers as quickly as one of few: no question reads what it does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from journal_samples import ORGANISATION, RUN, SHA, ingested, new_row, new_run, send, sending, succeed
from old_formats import write_as_before

from bulkzcrm.journal import BatchState, Journal, Progress, RunState
from bulkzcrm.journal.place import FILE_NAME
from bulkzcrm.journal.states import RESUMABLE

QUESTIONS: dict[str, Callable[[Journal], object]] = {
    "runs": lambda journal: journal.runs(limit=20),
    "the next runs": lambda journal: journal.runs(limit=20, before=RUN),
    "runs that can be resumed": lambda journal: journal.runs(limit=20, states=RESUMABLE),
    "the latest of them": lambda journal: journal.latest_resumable(),
    "one run": lambda journal: journal.run(RUN),
    "the runs of a job": lambda journal: journal.runs_of_job("a job"),
    "runs of a content": lambda journal: journal.find_run_by_content(SHA, "create-services", ORGANISATION),
    "counts": lambda journal: journal.count_by_status(RUN),
    "a page of the report": lambda journal: journal.rows(RUN, 2, 2),
    "rows to be sent": lambda journal: journal.rows(RUN, 0, 2, {Progress.PENDING}),
    "failed rows": lambda journal: journal.failed_rows(RUN, 0, 2),
    "failed rows for a retry": lambda journal: journal.failed_rows(RUN, 0, 1, untaken_only=True),
    "open rows": lambda journal: journal.next_open(RUN, 0),
    "rows that wait": lambda journal: journal.next_waiting(RUN, 0),
    "rows that wait again": lambda journal: journal.next_waiting(RUN, 0, attempts=1),
    "the first that may move": lambda journal: journal.first_unfinished(RUN, 0),
    "the fewest requests": lambda journal: journal.fewest_attempts(RUN, 0),
    "a batch": lambda journal: journal.batch_rows(RUN, 1),
    "batches in doubt": lambda journal: journal.batches(RUN, {BatchState.IN_DOUBT}),
    "whose records": lambda journal: journal.accounted_for(journal.run(RUN), ["1"], 0),
    "in doubt elsewhere": lambda journal: journal.in_doubt_elsewhere(journal.run(RUN), ["a"], [], 0),
    "under way elsewhere": lambda journal: journal.under_way_elsewhere(journal.run(RUN), ["a"], 0),
    "what an earlier pruning left": lambda journal: journal.pruning().begun(),
}
READS_IN_ORDER = re.compile(r"SCAN run USING INDEX sqlite_autoindex_run_1")
"""The list of runs: from the newest on, as many as are shown."""


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_no_question_reads_a_whole_table(home, journal, question):
    sending(journal, 6)
    journal.mark_answered(RUN, 0, send(journal, [1, 2]), succeed([1, 2]), answered_ms=2_000)
    asked: list[str] = []
    journal._database._connection.set_trace_callback(asked.append)
    question(journal)
    journal._database._connection.set_trace_callback(None)
    assert asked
    for statement in asked:
        plan = [row[3] for row in journal._database.all(f"EXPLAIN QUERY PLAN {statement}")]
        # What a statement has made itself (a part of it, a list of values) may be read as a whole.
        scans = [step for step in plan if re.match(r"SCAN (run|row_\w+|\w*row|before_image|batch|u|b|r|s)\b", step)]
        assert not [step for step in scans if not READS_IN_ORDER.match(step)], (statement, plan)


@pytest.mark.parametrize("question", ["rows that wait again", "the fewest requests"])
def test_what_waits_to_be_sent_again_is_found_beside_all_other_rows(journal, question):
    """It is asked for whenever something was lost, and there may be millions of rows that have ended."""
    sending(journal, 3)
    asked: list[str] = []
    journal._database._connection.set_trace_callback(asked.append)
    QUESTIONS[question](journal)
    journal._database._connection.set_trace_callback(None)
    of_rows = [each for each in asked if "row_state" in each]
    plans = [row[3] for each in of_rows for row in journal._database.all(f"EXPLAIN QUERY PLAN {each}")]
    assert plans
    assert all("INDEX row_state_again (status=? AND attempts" in plan for plan in plans if "row_state" in plan)


def test_what_has_ended_at_the_beginning_is_told(journal):
    sending(journal, 4)
    assert journal.first_unfinished(RUN, 0) == 1
    journal.mark_answered(RUN, 0, send(journal, [1, 2]), succeed([1, 2]), answered_ms=2_000)
    number = send(journal, [3])
    assert journal.first_unfinished(RUN, 0) == journal.first_unfinished(RUN, 2) == 3
    journal.mark_in_doubt(RUN, 0, number, [])
    assert journal.first_unfinished(RUN, 2) == 3
    assert journal.first_unfinished(RUN, 3) == 4
    assert journal.first_unfinished(RUN, 4) is None


def finished(journal: Journal, run: str) -> None:
    sending(journal, 4, run)
    journal.mark_answered(run, 0, send(journal, [1, 2, 3, 4], run), succeed([1, 2, 3, 4]), answered_ms=2_000)
    journal.set_state(run, 0, RunState.FINISHED)


def test_the_rows_of_a_finished_run_are_counted_once(journal):
    finished(journal, "run-1")
    counted = journal.count_by_status("run-1")
    assert counted == {**dict.fromkeys(Progress, 0), Progress.SUCCEEDED: 4}
    asked: list[str] = []
    journal._database._connection.set_trace_callback(asked.append)
    assert journal.count_by_status("run-1") == counted
    assert not [each for each in asked if "row_state" in each]


def test_the_counts_of_a_run_go_with_it(journal):
    ingested(journal, [])
    journal.drop_run(RUN, 0)
    finished(journal, "run-1")
    journal._database.change("DELETE FROM run")
    assert journal._database.all("SELECT * FROM ended_count") == []


def test_runs_that_an_earlier_version_finished_are_counted_when_the_journal_is_brought_up_to_date(home, tmp_path):
    with Journal.open(tmp_path / "new") as new:
        finished(new, "run-1")
        sending(new, 3, "run-2")
        write_as_before(new, home)
    with Journal.open(home) as journal:
        kept = journal._database.all("SELECT run, status, total FROM ended_count")
        assert [tuple(row) for row in kept] == [("run-1", "succeeded", 4)]
        assert journal.count_by_status("run-1")[Progress.SUCCEEDED] == 4
        assert journal.count_by_status("run-2")[Progress.PENDING] == 3
        assert journal.run("run-1").pruned_ms is None


def test_a_row_takes_little_more_room_than_what_it_says(home):
    """Cells and record of a row are what takes room: all the rest of it, its indexes included, is bounded."""
    rows = 2_000
    cells = tuple(f"cell {place} of a row" for place in range(15))
    record = {f"Field_{place}": cell for place, cell in enumerate(cells)}
    said = sum(len(cell) + 3 for cell in cells) + sum(len(name) + len(cell) + 6 for name, cell in record.items())
    with Journal.open(home) as journal:
        journal.add_run(new_run())
        empty = (home / FILE_NAME).stat().st_size
        for first in range(1, rows, 500):
            new = [
                new_row(ordinal, cells=cells, record=record, identity=f"{ordinal:018}", fingerprint=b"x" * 16)
                for ordinal in range(first, first + 500)
            ]
            journal.add_rows(RUN, 0, new)
        grown = (home / FILE_NAME).stat().st_size - empty
    assert grown / rows - said < 360
