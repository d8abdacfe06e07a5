"""What a report is made of while others write, and whose turn it is to put one in place.

Every write to a run moves its `revision`, so that equal revisions are one moment. `reported` is the latest revision of
which a report may stand anywhere: it is on the disk before the first file of that report is put in its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, final

from bulkzcrm.errors import OutputError
from bulkzcrm.journal import report_pages, runs
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.failures import LostLeaseError, OvertakenError
from bulkzcrm.journal.records import Run
from bulkzcrm.journal.report_pages import ReportedBlock
from bulkzcrm.model import Json

__all__ = ["Reports"]

_PATIENCE_S: Final = 3.0
"""Others wait ten seconds for the journal before they give up; a copy takes about a second for a million rows."""
_ROWS: Final = 5_000
"""Copied between two looks at the clock."""


@final
class Reports:
    """The statements. Reports of one run, and its writers, may be at work at once, in any number of processes."""

    def __init__(self, database: Database, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._clock_ms = clock_ms

    def copy(self, run: str, patience_s: float = _PATIENCE_S) -> Run:
        """Copy what changes of a run's rows, and return the run as it is at that moment; nobody writes meanwhile.

        One copy at a time. Raises `OutputError` where others would have to wait for too long.
        """
        with self._database.transaction():
            begun = time.monotonic()
            found = runs.find(self._database, run)
            report_pages.begin_copy(self._database)
            after: int | None = 0
            while after is not None:
                after = report_pages.copy_some(self._database, run, after, _ROWS)
                if after is not None and time.monotonic() - begun > patience_s:
                    raise OutputError(
                        f"The run {run} changes while its report is written, and is too large to be held up for it.",
                        "Wait until it ends: it then writes its report.",
                    )
        return found

    def next_copied(self, run: str, after_ordinal: int) -> ReportedBlock | None:
        """Return what `JournalReader.next_reported` would have returned when the rows were copied."""
        return report_pages.next_copied(self._database, run, after_ordinal)

    @contextmanager
    def placing(
        self,
        run: str,
        revision: int,
        *,
        unchanged: bool,
        epoch: int | None = None,
        word: Callable[[Run], Mapping[str, Json]] = lambda _: {},
    ) -> Iterator[Run]:
        """Put a report of that revision in place inside, while nobody writes to the run or puts another one in place.

        What `word` returns of the run as it then is, is kept with it, on the disk, before anything is put in place.
        Both shall be brief. Raises `OvertakenError` when a report of a later revision may stand somewhere, and, with
        `unchanged` (its rows were read one page after the other), when the run has changed since that revision; with
        `epoch` (the claim that this process has) `LostLeaseError` when another one has taken the run over; and
        `UsageError` when the run has been pruned.
        """
        with self._database.transaction():
            found = self._held(run, epoch)
            if unchanged and found.revision != revision:
                raise OvertakenError(run)
            self._refuse_older(run, revision)
            self._database.change(
                "UPDATE run SET reported = ? WHERE id = ? AND reported < ?", (revision, run, revision)
            )
            # The run stays at its revision: what a report tells of it does not change.
            runs.update(self._database, run, {}, {"lookups": word(found)})
            self._database.change("UPDATE run SET updated_ms = ? WHERE id = ?", (self._clock_ms(), run))
        with self._database.transaction():
            found = self._held(run, epoch)
            # Again, since others had their turn in between.
            self._refuse_older(run, revision)
            yield found

    def at_work(self, now_ms: int) -> list[Run]:
        """Return the runs that somebody has a claim on at that moment, whether or not its process lives."""
        return runs.at_work(self._database, now_ms)

    def _held(self, run: str, epoch: int | None) -> Run:
        found = runs.find(self._database, run)
        if epoch is not None and found.epoch != epoch:
            raise LostLeaseError(run)
        return found

    def _refuse_older(self, run: str, revision: int) -> None:
        if self._database.one("SELECT 1 FROM run WHERE id = ? AND reported > ?", (run, revision)) is not None:
            raise OvertakenError(run)
