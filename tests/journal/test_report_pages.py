"""What a report reads of a row is what the journal holds of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from journal_samples import LATE, RUN, TWIN, new_row, new_run, send, succeed

from bulkzcrm.journal import Progress, RowOutcome, RowSettlement, RunState
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


def told(row):
    return (
        *(row.ordinal, row.number, row.cells, row.surplus, row.status),
        *(row.problems, row.code, row.record_id, row.batch, row.attempts),
    )


def test_a_report_reads_what_the_journal_holds(journal):
    filled(journal)
    assert [tuple(row) for row in journal.report_rows(RUN)] == [told(row) for row in journal.rows(RUN)]
    assert journal.report_rows(RUN)[-1].cells == TYPED
    assert [type(value) for value in journal.report_rows(RUN)[-1].cells] == [type(value) for value in TYPED]


def test_failed_rows_are_those_that_a_retry_would_take(journal):
    filled(journal)
    failed = journal.report_rows(RUN, failed=True)
    assert [row.ordinal for row in failed] == [2, 3]
    assert [tuple(row) for row in failed] == [told(row) for row in journal.failed_rows(RUN)]


def test_pages_follow_each_other_without_a_gap(journal):
    filled(journal)
    for failed, wanted in ((False, [1, 2, 3, 4, 5, 6, 7, 8]), (True, [2, 3])):
        for limit in (1, 2, 3, 8):
            found: list[int] = []
            while page := journal.report_rows(RUN, found[-1] if found else 0, limit, failed=failed):
                assert len(page) <= limit
                found += [row.ordinal for row in page]
            assert found == wanted
