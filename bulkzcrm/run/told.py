"""A run at one moment, as its report tells it: its circumstances, its counts and its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import final

from bulkzcrm.journal import Journal, Progress, ReportedBlock, Run, reported, reported_counts
from bulkzcrm.model import Outcome, Problem, Status
from bulkzcrm.report import ReportPage, Result, report_row

__all__ = ["Told", "counts_of"]

_progress_of = itemgetter(1)


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
        self._counts: Counter[str] = Counter()
        self._statuses = {progress.value: reported(progress, checking=checking) for progress in Progress}
        self._shown = {progress: status.value for progress, status in self._statuses.items()}
        told = {progress: _left_open(status, self.run) for progress, status in self._statuses.items()}
        self._left_open = {progress: problems for progress, problems in told.items() if problems}

    def counts(self) -> dict[Status, int]:
        """Return how many of the rows that were last told ended in each status."""
        return counts_of({progress: self._counts[progress.value] for progress in Progress}, checking=self._checking)

    def rows(self) -> Iterator[ReportPage]:
        """Begin all rows, and count those of failed.csv."""
        self.failed_rows = after = 0
        self._counts.clear()
        while (found := self._next(self.run.id, after)) is not None:
            page = self._page(found)
            self.failed_rows += len(page.failed)
            self._counts.update(map(_progress_of, found.rows))
            yield page
            after = found.block.last

    def _page(self, found: ReportedBlock) -> ReportPage:
        block, rows = found.block, found.rows
        shown = self._shown
        results: list[Result] = [
            (number, shown[progress], code, "", "", "", "", record_id, batch, attempts)
            for number, progress, code, record_id, batch, attempts in rows
        ]
        problems_of: dict[int, tuple[Problem, ...]] = {}
        for place in self._not_plain(found):
            number, progress, code, record_id, batch, attempts = rows[place]
            status = self._statuses[progress]
            problems_of[place] = found.problems.get(place) or self._left_open.get(progress, ())
            outcome = Outcome(
                status=status,
                problems=problems_of[place],
                record_id=record_id,
                batch=batch,
                attempts=attempts,
                code=code,
            )
            results[place] = report_row(number=number, cells=(), surplus=block.surplus(place), outcome=outcome).result
        return ReportPage(block.strips, results, problems_of, found.failed)

    def _not_plain(self, found: ReportedBlock) -> Iterable[int]:
        """Return the places of rows of which more is told than how far they are."""
        if self._left_open.keys().isdisjoint({row[1] for row in found.rows}):
            return {*found.problems, *found.block.apart}
        left_open = [place for place, row in enumerate(found.rows) if row[1] in self._left_open]
        return {*found.problems, *found.block.apart, *left_open}


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
