"""A run at one moment, as its report tells it: its circumstances, its counts and its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import final

from bulkzcrm.blocks import strip_of
from bulkzcrm.journal import Journal, Progress, ReportedBlock, Run, reported, reported_counts
from bulkzcrm.model import Outcome, Problem, Status
from bulkzcrm.report import ReportPage, plain_result, report_row

__all__ = ["Told", "counts_of"]


@final
class Told:
    """The rows of a run as its report tells them, read anew from the journal for each of its files.

    They are read one page after the other while others may write, and are of one moment only if the run is at the same
    revision afterwards; or, if `from_copy`, from a copy that is made here, which holds up others for a moment. Raises
    `OutputError` where that would take too long.
    """

    def __init__(self, journal: Journal, run: str, *, checking: bool, from_copy: bool) -> None:
        reports = journal.reports()
        self.run: Run = reports.copy(run) if from_copy else journal.run(run)
        self.from_copy = from_copy
        self.failed_rows = 0
        self._checking = checking
        self._next: Callable[..., ReportedBlock | None] = reports.next_copied if from_copy else journal.next_reported
        self._count = reports.count_copied if from_copy else partial(journal.count_by_status, run)
        self._statuses = {progress: reported(progress, checking=checking) for progress in Progress}
        self._left_open = {progress: _left_open(status, self.run) for progress, status in self._statuses.items()}

    def counts(self) -> dict[Status, int]:
        """Count the rows that ended in each status."""
        return counts_of(self._count(), checking=self._checking)

    def rows(self) -> Iterator[ReportPage]:
        """Begin all rows."""
        return map(self._page, self._blocks(failed=False))

    def failed(self) -> Iterator[ReportPage]:
        """Begin those of failed.csv, and count them."""
        self.failed_rows = 0
        for each in self._blocks(failed=True):
            self.failed_rows += len(each.rows)
            yield self._page(each)

    def _blocks(self, *, failed: bool) -> Iterator[ReportedBlock]:
        after = 0
        while (found := self._next(self.run.id, after, failed=failed)) is not None:
            yield found
            after = found.rows[-1].ordinal

    def _page(self, found: ReportedBlock) -> ReportPage:
        block, rows = found
        results = []
        problems_of: dict[int, tuple[Problem, ...]] = {}
        for place, (ordinal, number, progress, problems, code, record_id, batch, attempts) in enumerate(rows):
            status = self._statuses[progress]
            told = problems or self._left_open[progress]
            in_block = ordinal - block.first
            if not told and in_block not in block.apart:
                results.append(plain_result(number, status.value, code, record_id, batch, attempts))
                continue
            outcome = Outcome(
                status=status, problems=told, record_id=record_id, batch=batch, attempts=attempts, code=code
            )
            row = report_row(number=number, cells=(), surplus=block.surplus(in_block), outcome=outcome)
            results.append(row.result)
            problems_of[place] = told
        strips = block.strips
        if len(rows) < block.rows:
            cells = (block.cells(row.ordinal - block.first) for row in rows)
            strips = [strip_of(column) for column in zip(*cells, strict=True)]
        return ReportPage(strips, results, problems_of)


def counts_of(progress: dict[Progress, int], *, checking: bool = False) -> dict[Status, int]:
    """Return the counts of a report; with `checking` those of a `check`."""
    if not checking:
        return reported_counts(progress)
    counts: dict[Status, int] = {}
    for state, number in progress.items():
        status = reported(state, checking=True)
        counts[status] = counts.get(status, 0) + number
    return counts


def _left_open(status: Status, run: Run) -> tuple[Problem, ...]:
    """Return why a row has not ended, and what to do; it has no code, since nothing is wrong with the row itself."""
    match status:
        case Status.UNSENT:
            because = f" The run stopped before: {run.stopped_because}" if run.stopped_because else ""
            message = f"This row has not been written.{because}"
            remedy = "Resume the run, which sends the row; do not send it by a run of its own."
        case Status.UNKNOWN:
            message = (
                "This row was sent, but its answer was lost or cannot be trusted: it may be written or not, or still "
                "be on its way."
            )
            remedy = (
                "Resume the run, which settles the row; sent again by other means, a new record might be there twice, "
                "and a change might be overtaken by this one."
            )
        case _:
            return ()
    return (Problem(code="", field="", message=message, remedy=remedy),)
