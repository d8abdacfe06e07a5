"""Everything that can be asked of a journal. Asking changes nothing, and holds no lock once the answer is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from bulkzcrm.blocks import Block
from bulkzcrm.journal import (
    batches,
    contents,
    doubts,
    given_again,
    organisations,
    repeats,
    report_pages,
    rows,
    runs,
    traffic,
    waiting,
)
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.doubts import Doubted
from bulkzcrm.journal.records import Batch, Duplicate, Organisation, Run, StoredRow, TouchedRow
from bulkzcrm.journal.report_pages import ReportedBlock
from bulkzcrm.journal.states import BatchState, Progress, RunState
from bulkzcrm.journal.waiting import WaitingBlock
from bulkzcrm.traffic import Second

__all__ = ["JournalReader"]


class JournalReader:
    """The questions. Reports and summaries need no more than this.

    Pages are asked for with the last ordinal (or number) of the page before; a page shorter than `limit` is the last.
    Raises `UsageError` for a run or a batch that does not exist, `OutputError` when the file cannot be read.
    """

    def __init__(self, database: Database, path: Path | None) -> None:
        self._database = database
        self._path = path

    @property
    def path(self) -> Path | None:
        """The journal's file; None for a temporary journal."""
        return self._path

    def run(self, run: str) -> Run:
        """Return one run."""
        return runs.find(self._database, run)

    def runs(self, limit: int = 50, before: str | None = None, states: Collection[RunState] | None = None) -> list[Run]:
        """Return at most `limit` runs, newest first; `before` is the last id of the page before.

        With `states`, those alone that are in one of them.
        """
        return runs.newest(self._database, limit, before, states)

    def runs_of_job(self, job: str) -> list[Run]:
        """Return all runs of a job, in the order of its steps."""
        return runs.of_job(self._database, job)

    def latest_resumable(self) -> Run | None:
        """Return the newest run that is neither finished nor still at ingest; its owner may be at work on it."""
        return runs.latest_resumable(self._database)

    def find_run_by_content(
        self,
        source_sha256: str,
        operation: str,
        organisation_id: str,
        besides: str | None = None,
        *,
        api_domain: str = "",
    ) -> Run | None:
        """Return the newest run of that content through that operation on that organisation.

        Where the organisation of one of the two is not known (blank), being at that address counts as the same one.
        Runs in a sandbox, runs that never came through ingest, and the run `besides` do not count; of those that began
        after it only those that have sent something. A run that has been pruned counts (`pruned_ms` tells that it was).
        """
        return runs.find_by_content(self._database, source_sha256, operation, organisation_id, api_domain, besides)

    def given_back_before(self, run: Run) -> Iterator[Run]:
        """Yield the runs before this one that were read from reports or are retries, the newest first.

        Only those of the same operation and organisation, in no sandbox, whose rows the journal still holds.
        """
        return (self.run(each) for each in given_again.earlier(self._database, run))

    def outputs(self) -> list[tuple[str, str]]:
        """Return all runs that have a folder for their report, each with the folder; the newest first."""
        return given_again.outputs(self._database)

    def rows_given_before(self, run: Run, before: Run, *, by_identity: bool) -> tuple[int, int]:
        """Return how many rows are to be sent that an earlier run has sent or may send yet, and the first's number.

        The same is what holds the same cells, or with `by_identity` what is known by the same.
        """
        return given_again.rows(self._database, run.id, before.id, by_identity=by_identity)

    def rows(
        self,
        run: str,
        after_ordinal: int = 0,
        limit: int = 1000,
        statuses: Collection[Progress] | None = None,
        attempts: int | None = None,
    ) -> list[StoredRow]:
        """Return the next rows in source order, all of them or those with one of the `statuses`.

        With `attempts` only those of them that so many requests have carried.
        """
        return rows.page(self._database, run, after_ordinal, limit, statuses, attempts)

    def rows_without_cells(
        self,
        run: str,
        after_ordinal: int,
        limit: int,
        statuses: Collection[Progress] = frozenset({Progress.PENDING}),
        attempts: int | None = None,
    ) -> list[StoredRow]:
        """Return the same as `rows`, but without what nobody needs who judges or sends: cells and before-images."""
        return rows.page(self._database, run, after_ordinal, limit, statuses, attempts, whole=False)

    def rows_at(self, run: str, ordinals: Collection[int], *, whole: bool = True) -> list[StoredRow]:
        """Return the rows at some places, in source order; without cells and before-images if not `whole`."""
        return rows.at(self._database, run, ordinals, whole=whole)

    def rows_of(self, run: str, block: Block, ordinals: Collection[int]) -> list[StoredRow]:
        """Return rows of a block that is at hand, in source order; without cells and before-images."""
        return rows.at(self._database, run, ordinals, whole=False, block=block)

    def touched_rows(self, run: str, first: int, last: int) -> list[TouchedRow]:
        """Return, of the rows between two places, those that do not just wait to be sent for the first time."""
        return rows.touched(self._database, run, first, last)

    def next_block(self, run: str, after_ordinal: int) -> Block | None:
        """Return the first block of rows that holds one after an ordinal; nothing at the end."""
        return contents.next_block(self._database, run, after_ordinal)

    def next_open(self, run: str, after_ordinal: int) -> tuple[Block, dict[int, int]] | None:
        """Return the first block that holds rows after an ordinal which wait for the whole source to be known.

        With it the numbers of these rows, by their places in it. Nothing at the end.
        """
        return rows.next_open(self._database, run, after_ordinal)

    def next_waiting(
        self,
        run: str,
        after_ordinal: int,
        statuses: Collection[Progress] = frozenset({Progress.PENDING}),
        attempts: int | None = None,
    ) -> WaitingBlock | None:
        """Return the first block with a row that waits after an ordinal, and all its rows that do; nothing at the end.

        A row waits that has one of the `statuses`; with `attempts`, only if so many requests have carried it.
        """
        return waiting.next_block(self._database, run, after_ordinal, statuses, attempts)

    def last_batch(self, run: str) -> int:
        """Return the number of the last batch, 0 where there is none."""
        return batches.last_number(self._database, run)

    def first_unfinished(self, run: str, after_ordinal: int) -> int | None:
        """Return the ordinal of the first row after that one which may still move; `None` where all have ended."""
        return rows.first_unfinished(self._database, run, after_ordinal)

    def fewest_attempts(
        self, run: str, more_than: int, statuses: Collection[Progress] = frozenset({Progress.PENDING})
    ) -> int | None:
        """Return the fewest requests, of those above `more_than`, that have carried a row with one of the `statuses`.

        None has: `None`.
        """
        return rows.fewest_attempts(self._database, run, more_than, statuses)

    def failed_rows(
        self, run: str, after_ordinal: int = 0, limit: int = 1000, *, untaken_only: bool = False
    ) -> list[StoredRow]:
        """Return the next rows of failed.csv: `rejected`, and `invalid` other than `DUPLICATE_ROW`.

        With `untaken_only` those that an earlier retry took are left out.
        """
        return rows.failed_page(self._database, run, after_ordinal, limit, untaken_only=untaken_only)

    def next_reported(self, run: str, after_ordinal: int = 0) -> ReportedBlock | None:
        """Return the first block that ends after an ordinal, with all its rows as a report needs them.

        Nothing where there is none. That is quicker than `rows`.
        """
        return report_pages.next_block(self._database, run, after_ordinal)

    def count_by_status(self, run: str) -> dict[Progress, int]:
        """Count the rows under every status (`states.reported_counts` makes the report's counts of it)."""
        return rows.count_by_status(self._database, run)

    def duplicates_by_fingerprint(self, run: str, limit: int = 10_000) -> list[Duplicate]:
        """Return the first rows that are equal to an earlier one; rows that are invalid count on neither side.

        So: mark the answer as invalid and ask again, until the answer is empty.
        """
        return repeats.duplicates(self._database, run, limit, by_identity=False)

    def duplicates_by_identity(self, run: str, limit: int = 10_000) -> list[Duplicate]:
        """Return the first rows that change the same record as an earlier one, as `duplicates_by_fingerprint` does."""
        return repeats.duplicates(self._database, run, limit, by_identity=True)

    def repeats(self, run: str, limit: int, *, by_identity: bool) -> Iterator[list[Duplicate]]:
        """Yield all rows that repeat an earlier one, a page at a time, in source order; invalid ones are left out.

        They are found once, when the first page is asked for: what is written between two pages changes none of them.
        One such question at a time.
        """
        repeats.set_aside(self._database, run, by_identity=by_identity)
        after = 0
        while page := repeats.page(self._database, run, after, limit):
            yield page
            after = page[-1].ordinal
        repeats.forget(self._database)

    def batch(self, run: str, number: int) -> Batch:
        """Return one batch."""
        return batches.find(self._database, run, number)

    def batches(
        self, run: str, states: Collection[BatchState] = tuple(BatchState), after_number: int = 0, limit: int = 1000
    ) -> list[Batch]:
        """Return the next batches in one of the `states`, in order."""
        return batches.page(self._database, run, states, after_number, limit)

    def once_in_doubt(self, run: str, numbers: Collection[int]) -> set[int]:
        """Return those of at most 500 batches whose last request was in doubt until it was read back."""
        return batches.once_in_doubt(self._database, run, numbers)

    def batch_rows(self, run: str, number: int) -> list[StoredRow]:
        """Return the rows whose last batch this is, in source order."""
        found = batches.find(self._database, run, number)
        return rows.in_batch(self._database, run, number, found.first_ordinal, found.last_ordinal)

    def traffic(self, run: str, after_ms: int = -1, limit: int = 1000) -> list[Second]:
        """Return the next seconds in which requests of the run were over, the earliest first."""
        return traffic.page(self._database, run, after_ms, limit)

    def accounted_for(self, run: Run, record_ids: Collection[str], since_ms: int) -> dict[str, tuple[str, int, int]]:
        """Return which of these records rows have as their own, id → run, sent and answered (milliseconds UTC).

        Only rows of this run's operation on this run's organisation count, in batches answered since `since_ms`.
        """
        return doubts.accounted_for(self._database, run, record_ids, since_ms)

    def answered_before(self, run: Run, since_ms: int, before_ms: int) -> set[str]:
        """Return ids of records that this run has certainly made before a moment, the last ones, made since another."""
        return doubts.answered_before(self._database, run, since_ms, before_ms)

    def under_way_elsewhere(self, run: Run, identities: Collection[str], now_ms: int) -> set[str]:
        """Return those identities that a row of another live run on the same organisation has in flight."""
        return doubts.under_way_elsewhere(self._database, run, identities, now_ms)

    def in_doubt_elsewhere(
        self, run: Run, identities: Collection[str], ours: Collection[int], since_ms: int
    ) -> list[Doubted]:
        """Return the rows, of all runs like this one, that are in doubt; `ours` (places) are left out.

        What was left to people as ambiguous is in doubt, too, if that was since then.
        """
        return doubts.in_doubt_elsewhere(self._database, run, identities, ours, since_ms)

    def organisation(self, organisation_id: str) -> Organisation:
        """Return what was learned about an organisation; nothing but its id when it is new."""
        return organisations.find(self._database, organisation_id)
