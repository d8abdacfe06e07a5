"""The journal: the durable account of all runs, from which a run can be resumed and its report made again at any time.

It never holds a secret, because it stores only what it is given; callers keep tokens and passwords out of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Self

from bulkzcrm.blocks import Block
from bulkzcrm.journal import batches, contents, intents, organisations, repeats, row_writes, runs, traffic
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.opening import open_again, open_file, open_temporary
from bulkzcrm.journal.pruning import Pruning
from bulkzcrm.journal.reader import JournalReader
from bulkzcrm.journal.records import (
    Batch,
    Beginning,
    Counters,
    Intent,
    NewRow,
    NewRun,
    Organisation,
    RowOutcome,
    RowSettlement,
)
from bulkzcrm.journal.reports import Reports
from bulkzcrm.journal.shares import Shares
from bulkzcrm.journal.states import BatchState, RunState
from bulkzcrm.model import Json, Problem, Record
from bulkzcrm.spec.certainty import Observed, Proof, proof_of
from bulkzcrm.traffic import Second

__all__ = ["Journal"]

_READING = frozenset({RunState.INGESTING})
_SENDING = frozenset({RunState.SENDING})
_BEFORE_THE_END = frozenset(RunState) - {RunState.FINISHED}
_AFTER_INGEST = _BEFORE_THE_END - _READING


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Journal(JournalReader):
    """All that can be asked of a journal and all that can be written to it, over one connection.

    Callable from one thread at a time. Every write is a transaction of its own, or joins the one that `transaction`
    opened. Writes to a run carry the `epoch` that `claim` gave (0 until the run is first claimed) and raise
    `LostLeaseError` when another process has claimed the run since; a change that `states` does not allow raises
    `IllegalMoveError`; both leave everything as it was. When the disk refuses, `OutputError` is raised, and what was
    committed stays. Moments are milliseconds UTC.
    """

    @classmethod
    def open(cls, home: Path, clock_ms: Callable[[], int] = _now_ms) -> Self:
        """Open `journal.sqlite3` in a folder, making both where they are missing.

        Raises `JournalError` for a file that is foreign, damaged, not writable or written by a newer version, and for
        an older one that an older version is at work in.
        """
        connection, path = open_file(home, clock_ms())
        return cls(Database(connection, str(path)), path, clock_ms)

    @classmethod
    def temporary(cls, clock_ms: Callable[[], int] = _now_ms) -> Self:
        """Open a journal that is gone when it is closed (for `check`)."""
        return cls(Database(open_temporary(), "in the folder for temporary files"), None, clock_ms)

    def __init__(self, database: Database, path: Path | None, clock_ms: Callable[[], int]) -> None:
        super().__init__(database, path)
        self._clock_ms = clock_ms

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def beside(self) -> Self:
        """Open the same file once more, for another thread. Raises `OutputError`; a temporary journal has no file."""
        if self._path is None:
            raise ValueError("A temporary journal is open once and no more.")
        return type(self)(Database(open_again(self._path), str(self._path)), self._path, self._clock_ms)

    def shares(self, organisation_id: str) -> Shares:
        """Return what all runs on one organisation share; to be used within one `transaction` at a time."""
        return Shares(self._database, organisation_id)

    def pruning(self) -> Pruning:
        """Return what deletes runs for good."""
        return Pruning(self._database)

    def reports(self) -> Reports:
        """Return what reports are made of while others write, and who puts his in place."""
        return Reports(self._database, self._clock_ms)

    def close(self) -> None:
        """Close the file; a transaction that is still open is undone."""
        self._database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Make all writes inside happen together or not at all; one inside another is undone alone when it fails."""
        return self._database.transaction()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open. After some failures of the disk SQLite ends one by itself, undone."""
        return self._database.in_transaction

    def add_run(self, run: NewRun) -> None:
        """Begin a run, in state `ingesting`, at epoch 0 and claimed by nobody."""
        with self.transaction():
            runs.add(self._database, run, self._clock_ms())

    def claim(self, run: str, owner: str, now_ms: int, lease_ms: int, dead_owner: str | None = None) -> int | None:
        """Take a run for `owner` until `now_ms + lease_ms`, and return the epoch that its writes must carry.

        None: another owner's lease is not over. A `dead_owner` (one whose process is known to have ended) need not be
        waited for. Every claim ends the epoch before it, the same owner's too.
        """
        owners = [owner] if dead_owner is None else [owner, dead_owner]
        with self.transaction():
            return runs.claim(self._database, run, owners, now_ms, lease_ms)

    def extend_lease(self, run: str, epoch: int, now_ms: int, lease_ms: int) -> None:
        """Keep a claimed run until `now_ms + lease_ms`."""
        runs.extend_lease(self._database, run, epoch, self._clock_ms(), now_ms + lease_ms)

    def release(self, run: str, epoch: int) -> None:
        """Give a claimed run back, so that anybody may claim it at once."""
        with self._holding(run, epoch):
            runs.release(self._database, run)

    def set_state(self, run: str, epoch: int, state: RunState, stopped_because: str | None = None) -> None:
        """Move a run on; `finished` is refused while a row is pending, sending or in doubt."""
        with self.transaction():
            now = runs.hold(self._database, run, epoch, self._clock_ms())
            runs.move(self._database, run, now, state, stopped_because)

    def update_run(
        self,
        run: str,
        epoch: int,
        *,
        organisation_id: str | None = None,
        organisation: str | None = None,
        source_sha256: str | None = None,
        sandbox_state: str | None = None,
        output: str | None = None,
        options: Mapping[str, Json] | None = None,
        notes: Sequence[str] | None = None,
        reading: Mapping[str, str] | None = None,
        decisions: Mapping[str, Json] | None = None,
        lookups: Mapping[str, Json] | None = None,
        formats: Sequence[str] | None = None,
    ) -> None:
        """Write what has become known about a run; what is None stays as it is, and so do other keys of `lookups`."""
        texts = {
            "organisation_id": organisation_id,
            "organisation": organisation,
            "source_sha256": source_sha256,
            "sandbox_state": sandbox_state,
            "output": output,
        }
        structures: dict[str, Json | None] = {
            "options": options,
            "notes": notes,
            "reading": reading,
            "decisions": decisions,
            "lookups": lookups,
            "formats": formats,
        }
        with self._holding(run, epoch):
            runs.update(self._database, run, texts, structures)

    def add_counts(self, run: str, epoch: int, more: Counters) -> None:
        """Add to what the run has cost."""
        with self._holding(run, epoch):
            runs.count(self._database, run, more)

    def add_traffic(self, run: str, epoch: int, seconds: Sequence[Second]) -> None:
        """Add to what is known of the run's requests over time."""
        with self._holding(run, epoch):
            traffic.add(self._database, run, seconds)

    def drop_run(self, run: str, epoch: int) -> None:
        """Forget a run that was refused before anything of it was sent; rows that it took as a retry are free again.

        Raises `JournalError` when something was sent, or the run is finished.
        """
        with self.transaction():
            state = runs.hold(self._database, run, epoch, self._clock_ms())
            runs.drop(self._database, run, state)

    def add_block(
        self,
        run: str,
        epoch: int,
        block: Block,
        *,
        numbers: Sequence[int],
        identities: Sequence[str | None],
        others: Mapping[int, Beginning],
    ) -> None:
        """Write rows while the run is `ingesting`, their numbers and identities; blocks come in source order.

        All wait to be sent but for `others` (by their places in the block), of which it is told how they begin.
        """
        with self._holding(run, epoch, _READING):
            row_writes.add_block(self._database, run, block, numbers, identities, others)

    def add_rows(self, run: str, epoch: int, new: Sequence[NewRow]) -> None:
        """Write rows one by one while the run is `ingesting`; a block is quicker, and takes less room."""
        with self._holding(run, epoch, _READING):
            for part in row_writes.in_blocks(sorted(new, key=attrgetter("ordinal"))):
                block, numbers = row_writes.block_of(part), [row.number for row in part]
                others = {place: Beginning.of(row) for place, row in enumerate(part)}
                row_writes.add_block(self._database, run, block, numbers, [None] * len(part), others)

    def replace_block(self, run: str, epoch: int, block: Block) -> None:
        """Write anew what the rows of a block say, once the whole source is known, while the run is `ingesting`."""
        with self._holding(run, epoch, _READING):
            contents.replace(self._database, run, block)

    def settle_rows(self, run: str, epoch: int, settlements: Sequence[RowSettlement]) -> None:
        """Write what became of pending rows without sending them; invalid ones may be told of more problems."""
        with self._holding(run, epoch, _BEFORE_THE_END):
            planned_in = batches.holders(self._database, run, [settlement.ordinal for settlement in settlements])
            row_writes.settle(self._database, run, settlements)
            batches.dissolve_empty(self._database, run, planned_in)

    def keep_before_images(self, run: str, epoch: int, images: Mapping[int, Record]) -> None:
        """Keep current records by ordinal, as they were before the first write; a later reading changes nothing."""
        with self._holding(run, epoch, _BEFORE_THE_END):
            row_writes.keep_before(self._database, run, images)

    def mark_taken_by_retry(self, run: str, ordinals: Sequence[int], retry_run: str) -> None:
        """Mark rows as taken by a later run; raises `JournalError` when another retry has one of them already.

        Raises `UsageError` when the run has been pruned meanwhile: rows that were not read any more would be missing.
        """
        with self.transaction():
            runs.find(self._database, run)
            repeats.take(self._database, run, ordinals, retry_run)

    def plan_batch(
        self,
        run: str,
        epoch: int,
        ordinals: Sequence[int],
        parent: int | None = None,
        *,
        in_doubt: Collection[int] = (),
        number: int | None = None,
    ) -> int:
        """Put pending rows into a new batch, as a part of `parent` where that one is split, and return its number.

        Rows leave the batch that they were planned in before; one that has none left to send is `dissolved`. Those of
        them that are `in_doubt` stay so until `plan_again`, since repeating what may yet be carried out settles nothing
        before it is answered; the batch that they leave is `answered` once none is left in it.
        """
        with self._holding(run, epoch, _SENDING):
            return batches.plan(self._database, run, ordinals, parent, frozenset(in_doubt), number)

    def send_batch(self, run: str, epoch: int, intent: Intent) -> None:
        """Do what `plan_batch` and `mark_sending` do for a new batch without rows in doubt, by one stroke."""
        with self._holding(run, epoch, _SENDING):
            intents.intend(self._database, run, intent)

    def mark_sending(
        self, run: str, epoch: int, number: int, *, ordinals: Sequence[int], body_sha256: str, sent_ms: int
    ) -> None:
        """Write the intent to send a batch: once this is committed, and only then, the request may leave.

        `ordinals` are the rows in the request's body: exactly the batch's pending rows. Each counts one attempt more.
        """
        with self._holding(run, epoch, _SENDING):
            batches.mark_sending(
                self._database, run, number, ordinals=ordinals, body_sha256=body_sha256, sent_ms=sent_ms
            )

    def mark_answered(
        self,
        run: str,
        epoch: int,
        number: int,
        outcomes: Sequence[RowOutcome],
        *,
        answered_ms: int,
        http_status: int | None = None,
    ) -> None:
        """Write the outcomes of a batch that is sending, or in doubt and settled: one for each row not settled yet."""
        with self._holding(run, epoch, _AFTER_INGEST):
            batches.mark_answered(
                self._database, run, number, outcomes, answered_ms=answered_ms, http_status=http_status
            )

    def mark_not_applied(
        self,
        run: str,
        epoch: int,
        number: int,
        *,
        answered_ms: int,
        http_status: int | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Write that a request certainly changed nothing: its rows are pending, with `problems` if they stay unsent."""
        with self._holding(run, epoch, _AFTER_INGEST):
            batches.mark_not_applied(
                self._database, run, number, problems=problems, answered_ms=answered_ms, http_status=http_status
            )

    def mark_in_doubt(
        self,
        run: str,
        epoch: int,
        number: int,
        known: Sequence[RowOutcome] = (),
        *,
        problems: tuple[Problem, ...] = (),
        answered_ms: int | None = None,
        http_status: int | None = None,
    ) -> None:
        """Write that for rows of a batch, all but the `known` ones, nobody can tell whether the request was applied."""
        with self._holding(run, epoch, _AFTER_INGEST):
            batches.mark_in_doubt(
                self._database, run, number, known, problems=problems, answered_ms=answered_ms, http_status=http_status
            )

    def settle_doubts(
        self, run: str, epoch: int, number: int, outcomes: Sequence[RowOutcome], *, answered_ms: int
    ) -> None:
        """Write what was found out about some rows of a batch in doubt; the others stay so, and the batch with them."""
        with self._holding(run, epoch, _AFTER_INGEST):
            batches.settle_doubts(self._database, run, number, outcomes, answered_ms=answered_ms)

    def plan_again(self, run: str, epoch: int, number: int) -> None:
        """Plan a batch once more that was not applied, or whose rows in doubt were read back, or are repeated now."""
        with self._holding(run, epoch, _AFTER_INGEST):
            batches.plan_again(self._database, run, number)

    def recover(self, run: str, epoch: int) -> list[Batch]:
        """Put in doubt what an earlier process left in flight, and return every batch that is in doubt now.

        To be called after `claim` and before anything is sent.
        """
        nobody_knows = proof_of(Observed.PROCESS_DIED) is Proof.UNKNOWN
        with self._holding(run, epoch, _AFTER_INGEST):
            for batch in self._every_batch(run, BatchState.SENDING):
                if nobody_knows:
                    batches.mark_in_doubt(
                        self._database, run, batch.number, (), problems=(), answered_ms=None, http_status=None
                    )
                else:
                    batches.mark_not_applied(
                        self._database, run, batch.number, problems=(), answered_ms=self._clock_ms(), http_status=None
                    )
            return list(self._every_batch(run, BatchState.IN_DOUBT))

    def learn(self, news: Organisation) -> None:
        """Keep what was learned about an organisation; what is None in `news` stays as it was."""
        with self.transaction():
            organisations.learn(self._database, news)

    def _every_batch(self, run: str, state: BatchState) -> Iterator[Batch]:
        number = 0
        while page := self.batches(run, {state}, number):
            yield from page
            number = page[-1].number

    @contextmanager
    def _holding(self, run: str, epoch: int, allowed: frozenset[RunState] = frozenset(RunState)) -> Iterator[None]:
        with self.transaction():
            runs.hold_in(self._database, run, epoch, self._clock_ms(), allowed)
            yield
