"""What a report reads of a row is what the journal holds of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from journal_samples import LATE, RUN, TWIN, new_row, new_run, send, succeed

from bulkzcrm.journal import Progress, RowOutcome, RowSettlement, RunState, contents
from bulkzcrm.model import CellError, FormulaWithoutValue

TYPED = (
    "text [1]",
    None,
    True,
    60,
    -2.5,
    Decimal("19.90"),
    dt.datetime(2031, 2, 3, 4, 5),  # noqa: DTZ001 - cells have no zone
    dt.date(2031, 2, 3),
    dt.time(4, 5),
    dt.timedelta(hours=26),
    CellError("#N/A"),
    FormulaWithoutValue("=A1"),
)


def filled(journal):
    """Row 1 succeeds, 2 is rejected, 3 invalid, 4 a duplicate, 5 in doubt, 6 pending, 7 unchanged, 8 has all kinds."""
    journal.add_run(new_run())
    invalid = {"status": Progress.INVALID}
    journal.add_rows(
        RUN,
        0,
        [
            new_row(1),
            new_row(2),
            new_row(3, problems=(LATE, TWIN), surplus=("more", None, 5), **invalid),
            new_row(4, problems=(TWIN,), **invalid),
            *map(new_row, (5, 6, 7)),
            new_row(8, cells=TYPED),
        ],
    )
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=7, status=Progress.UNCHANGED, code="SAME", record_id="7")])
    journal.set_state(RUN, 0, RunState.INGESTED)
    journal.set_state(RUN, 0, RunState.SENDING)
    refused = RowOutcome(ordinal=2, status=Progress.REJECTED, problems=(LATE,))
    journal.mark_in_doubt(RUN, 0, send(journal, [1, 2, 5]), [*succeed([1]), refused])


def reported(journal):
    """Return the blocks of a report, and all its rows with what the source says of them."""
    blocks, rows = [], []
    while (found := journal.next_reported(RUN, blocks[-1].block.last if blocks else 0)) is not None:
        blocks.append(found)
        for place, (number, status, *others) in enumerate(found.rows):
            problems, block = found.problems.get(place, ()), found.block
            how_far = (block.first + place, number, Progress(status), problems, *others)
            rows.append((*how_far, block.cells(place), block.surplus(place)))
    return blocks, rows


def told(row):
    return (
        *(row.ordinal, row.number, row.status, row.problems, row.code),
        *(row.record_id, row.batch, row.attempts, row.cells, row.surplus),
    )


def test_a_report_reads_what_the_journal_holds(journal):
    filled(journal)
    _, rows = reported(journal)
    assert rows == [told(row) for row in journal.rows(RUN)]
    cells = rows[-1][-2]
    assert cells == TYPED
    assert [type(value) for value in cells] == [type(value) for value in TYPED]


def test_failed_rows_are_those_that_a_retry_would_take(journal):
    filled(journal)
    blocks, _ = reported(journal)
    failed = [found.block.first + place for found in blocks for place in found.failed]
    assert failed == [row.ordinal for row in journal.failed_rows(RUN)] == [2, 3]


def test_blocks_follow_each_other_without_a_gap(journal):
    journal.add_run(new_run())
    bad = {600, 601, 2100}
    for first in range(1, 2101, 300):
        rows = [
            new_row(each, **({"status": Progress.INVALID, "problems": (LATE,)} if each in bad else {}))
            for each in range(first, first + 300)
        ]
        journal.add_rows(RUN, 0, rows)
    blocks, rows = reported(journal)
    assert [row[0] for row in rows] == list(range(1, 2101))
    assert [found.block.first for found in blocks] == list(range(1, 2101, 300))
    assert {found.block.first + place for found in blocks for place in found.failed} == bad


def test_a_copy_of_a_run_that_is_being_read_ends_where_it_was_made(journal):
    journal.add_run(new_run())
    journal.add_rows(RUN, 0, [new_row(1), new_row(2)])
    beside = journal.beside()
    reports = beside.reports()
    reports.copy(RUN)
    journal.add_rows(RUN, 0, [new_row(3)])
    first = reports.next_copied(RUN, 0)
    assert first is not None
    assert [number for number, *_ in first.rows] == [2, 3]
    assert reports.next_copied(RUN, first.block.last) is None
    beside.close()


def test_a_page_is_of_one_moment_though_others_write(journal, monkeypatch):
    """What it says of a run that is pruned between two of its questions would be half a page."""
    filled(journal)
    beside = journal.beside()
    next_block = contents.next_block
    within: list[bool] = []

    def watched(database, *facts):
        within.append(database.in_transaction)
        return next_block(database, *facts)

    monkeypatch.setattr(contents, "next_block", watched)
    assert beside.next_reported(RUN, 0) is not None
    assert within == [True]
    assert not beside.in_transaction
    beside.close()
