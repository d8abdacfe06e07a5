"""What an earlier version has written is all there when its journal is brought up to date."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing

import pytest
from journal_samples import LATE, RUN, TWIN, ingested, new_row, new_run, send, sending
from old_formats import write_as_before
from test_report_pages import TYPED, filled

from bulkzcrm.journal import Journal, Progress, RunState


def test_rows_keep_what_they_say_and_how_far_they_are(home, tmp_path):
    with Journal.open(tmp_path / "new") as new:
        filled(new)
        new.keep_before_images(RUN, 0, {1: {"Price": 1, "Members": [{"id": "2"}]}})
        sending(new, 1_203, run="another")
        send(new, [501, 502], run="another")
        write_as_before(new, home)
        runs = {run.id: (new.rows(run.id, limit=2_000), new.batches(run.id)) for run in new.runs()}
    with Journal.open(home) as journal:
        assert {run.id: (journal.rows(run.id, limit=2_000), journal.batches(run.id)) for run in journal.runs()} == runs
        assert [type(cell) for cell in journal.rows(RUN)[7].cells] == [type(cell) for cell in TYPED]


@pytest.mark.parametrize("has_index", [True, False])
def test_blocks_whose_rows_told_their_cells_by_lists_are_read(home, has_index):
    """So they were in format 6."""
    with Journal.open(home) as journal:
        ingested(journal, [new_row(place, cells=(f"Service {place}", str(place % 7))) for place in range(1, 1_204)])
        path, rows = journal.path, journal.rows(RUN, limit=2_000)
    with closing(sqlite3.connect(path)) as connection:
        listed = 0
        for first, content in connection.execute("SELECT first_ordinal, content FROM row_block").fetchall():
            block = json.loads(content)
            for strip in block["strips"]:
                if "codes" in strip:
                    strip["codes"] = list(base64.b64decode(strip["codes"]))
                    listed += 1
            connection.execute("UPDATE row_block SET content = ? WHERE first_ordinal = ?", (json.dumps(block), first))
        assert listed
        if not has_index:
            connection.execute("DROP INDEX row_state_again")
        connection.execute("PRAGMA user_version = 6")
        connection.commit()
    with Journal.open(home) as journal:
        assert journal.rows(RUN, limit=2_000) == rows


def test_a_run_that_was_under_way_is_carried_on_with(home, tmp_path):
    with Journal.open(tmp_path / "new") as new:
        sending(new, 4)
        send(new, [1, 2])
        write_as_before(new, home)
    with Journal.open(home) as journal:
        (doubtful,) = journal.recover(RUN, 0)
        assert [row.ordinal for row in journal.batch_rows(RUN, doubtful.number)] == [1, 2]
        assert journal.in_doubt_elsewhere(journal.run(RUN), ["nobody"], [], 0) == []
        assert send(journal, [3, 4]) == 2
        assert journal.count_by_status(RUN)[Progress.SENDING] == 2


def test_rows_that_were_open_are_and_failed_ones_are_found(home, tmp_path):
    with Journal.open(tmp_path / "new") as new:
        new.add_run(new_run())
        new.add_rows(
            RUN,
            0,
            [
                new_row(1, is_open=True),
                new_row(2, status=Progress.INVALID, problems=(LATE,)),
                new_row(3, status=Progress.INVALID, problems=(TWIN,)),
            ],
        )
        write_as_before(new, home)
    with Journal.open(home) as journal:
        assert journal.run(RUN).state is RunState.INGESTING
        assert journal.next_open(RUN, 0) is not None
        assert [row.ordinal for row in journal.failed_rows(RUN)] == [2]
