"""The journal's moves for one run, as the sender makes them: each is on the disk when its call returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import final

from bulkzcrm.clock import milliseconds
from bulkzcrm.journal import Journal, JournalWriter, RowOutcome, RowSettlement
from bulkzcrm.model import Record
from bulkzcrm.send.claim import Claim

__all__ = ["Ledger"]


@final
class Ledger:
    """Writes for one run under one claim (its `epoch`); `now` tells the moment."""

    def __init__(self, writer: JournalWriter, run: str, epoch: int, now: Callable[[], datetime], claim: Claim) -> None:
        self._writer = writer
        self._run = run
        self._epoch = epoch
        self._now = now
        self._claim = claim
        self.batches = 0
        """Batches sent at least once, each part of a split among them."""
        self._not_sent_yet: set[int] = set()

    def _moment(self) -> int:
        return milliseconds(self._now())

    def may_leave(self) -> None:
        """Raise `NotSentError` when a request may no longer leave, since the run may be another process's by now."""
        self._claim.may_leave()

    async def extend_lease(self) -> None:
        """Keep the run for as long as a lease lasts. Raises `LostLeaseError` when another process has it."""
        self._claim.extended(await self._writer.do(self._claim.extend))

    async def plan(self, ordinals: Sequence[int], parent: int | None = None) -> int:
        """Put rows into a new batch and return its number."""
        number = await self._writer.do(lambda journal: journal.plan_batch(self._run, self._epoch, ordinals, parent))
        self._not_sent_yet.add(number)
        return number

    async def sending(self, number: int, ordinals: Sequence[int], body_sha256: str, sent: datetime) -> None:
        """Write the intent to send, at the moment `sent`: only then may the request leave.

        The lease is extended by the same stroke, so that a process that wakes up late but still has its run goes on.
        """

        def intend(journal: Journal) -> int:
            journal.mark_sending(
                self._run,
                self._epoch,
                number,
                ordinals=ordinals,
                body_sha256=body_sha256,
                sent_ms=milliseconds(sent),
            )
            return self._claim.extend(journal)

        self._claim.extended(await self._writer.do(intend))
        if number in self._not_sent_yet:
            self._not_sent_yet.remove(number)
            self.batches += 1

    async def answered(self, number: int, outcomes: Sequence[RowOutcome], http_status: int | None = None) -> None:
        """Write the outcomes of all rows of a batch."""
        moment = self._moment()
        await self._writer.do(
            lambda journal: journal.mark_answered(
                self._run, self._epoch, number, outcomes, answered_ms=moment, http_status=http_status
            )
        )

    async def not_applied(self, number: int, http_status: int | None = None) -> None:
        """Write that a request certainly changed nothing."""
        moment = self._moment()
        await self._writer.do(
            lambda journal: journal.mark_not_applied(
                self._run, self._epoch, number, answered_ms=moment, http_status=http_status
            )
        )

    async def in_doubt(self, number: int, known: Sequence[RowOutcome] = (), http_status: int | None = None) -> None:
        """Write that nobody can tell what became of the rows that are not `known`."""
        moment = self._moment()
        await self._writer.do(
            lambda journal: journal.mark_in_doubt(
                self._run, self._epoch, number, known, answered_ms=moment, http_status=http_status
            )
        )

    async def plan_again(self, number: int) -> None:
        """Plan a batch once more of which no row was applied."""
        await self._writer.do(lambda journal: journal.plan_again(self._run, self._epoch, number))

    async def settle(self, settlements: Sequence[RowSettlement]) -> None:
        """Write what became of rows without sending them."""
        if settlements:
            await self._writer.do(lambda journal: journal.settle_rows(self._run, self._epoch, settlements))

    async def keep_before(self, images: Mapping[int, Record]) -> None:
        """Keep current records as they are before the write."""
        if images:
            await self._writer.do(lambda journal: journal.keep_before_images(self._run, self._epoch, images))
