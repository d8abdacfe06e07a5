"""The journal's moves for one run, as the sender makes them: each is on the disk when its call returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import final

from bulkzcrm.clock import milliseconds
from bulkzcrm.journal import Intent, Journal, JournalWriter, Progress, RowOutcome, RowSettlement
from bulkzcrm.model import Record
from bulkzcrm.send.claim import Claim
from bulkzcrm.traffic import Traffic

__all__ = ["Ledger"]


@final
class Ledger:
    """Writes for one run under one claim (its `epoch`); `now` tells the moment.

    What `traffic` has counted goes into the journal with an answer, once a second.
    """

    def __init__(
        self,
        writer: JournalWriter,
        run: str,
        epoch: int,
        now: Callable[[], datetime],
        claim: Claim,
        traffic: Traffic,
    ) -> None:
        self._writer = writer
        self._run = run
        self._epoch = epoch
        self._now = now
        self._claim = claim
        self._traffic = traffic
        self.batches = 0
        """Batches sent at least once, each part of a split among them."""
        self._last = 0
        """The number of the last batch, 0 until it is known."""
        self._not_sent_yet: dict[int, tuple[int | None, frozenset[int]]] = {}
        """Batches that are in the journal with their first intent and not before: the batch that each is a part of, and
        its rows in doubt."""
        self._in_doubt: set[int] = set()
        """Batches that are in doubt and may go again."""

    def _moment(self) -> int:
        return milliseconds(self._now())

    def may_leave(self) -> None:
        """Raise `NotSentError` when a request may no longer leave, since the run may be another process's by now."""
        self._claim.may_leave()

    async def extend_lease(self) -> None:
        """Keep the run for as long as a lease lasts. Raises `LostLeaseError` when another process has it."""
        self._claim.extended(await self._writer.do(self._claim.extend))

    async def plan(self, parent: int | None = None, in_doubt: Collection[int] = ()) -> int:
        """Return the number of a new batch, perhaps a part of another; its rows that are `in_doubt` stay so for now.

        The journal learns of the batch by the same stroke as of the intent to send it.
        """
        if not self._last:
            last = await self._writer.do(lambda journal: journal.last_batch(self._run))
            # Others may have asked as well, and may have taken numbers since.
            self._last = max(self._last, last)
        self._last += 1
        self._not_sent_yet[self._last] = parent, frozenset(in_doubt)
        return self._last

    async def sending(self, number: int, ordinals: Sequence[int], body_sha256: str, sent: datetime) -> None:
        """Write the intent to send, at the moment `sent`: only then may the request leave.

        The lease is extended by the same stroke, so that a process that wakes up late but still has its run goes on.
        Until then rows in doubt are in doubt: whatever keeps them from going again, an earlier request may yet arrive.
        """
        sent_ms = milliseconds(sent)
        is_new = number in self._not_sent_yet
        parent, in_doubt = self._not_sent_yet.get(number, (None, frozenset()))
        goes_again = number in self._in_doubt

        def intend(journal: Journal) -> int:
            if is_new and not in_doubt:
                journal.send_batch(
                    self._run,
                    self._epoch,
                    Intent(number=number, ordinals=ordinals, parent=parent, body_sha256=body_sha256, sent_ms=sent_ms),
                )
                return self._claim.extend(journal)
            if in_doubt:
                journal.plan_batch(self._run, self._epoch, ordinals, parent, in_doubt=in_doubt, number=number)
            if in_doubt or goes_again:
                journal.plan_again(self._run, self._epoch, number)
            journal.mark_sending(
                self._run, self._epoch, number, ordinals=ordinals, body_sha256=body_sha256, sent_ms=sent_ms
            )
            return self._claim.extend(journal)

        self._claim.extended(await self._writer.do(intend))
        self._in_doubt.discard(number)
        if is_new:
            del self._not_sent_yet[number]
            self.batches += 1

    async def answered(
        self, number: int, outcomes: Sequence[RowOutcome], http_status: int | None = None, *, patient: bool = False
    ) -> None:
        """Write the outcomes of all rows of a batch; `patient` where somebody stands in line to write an intent."""
        moment = self._moment()
        await self._with_traffic(
            lambda journal: journal.mark_answered(
                self._run, self._epoch, number, outcomes, answered_ms=moment, http_status=http_status
            ),
            patient=patient,
        )

    async def not_applied(self, number: int, http_status: int | None = None) -> None:
        """Write that a request certainly changed nothing."""
        moment = self._moment()
        await self._with_traffic(
            lambda journal: journal.mark_not_applied(
                self._run, self._epoch, number, answered_ms=moment, http_status=http_status
            )
        )

    async def in_doubt(self, number: int, known: Sequence[RowOutcome] = (), http_status: int | None = None) -> None:
        """Write that nobody can tell what became of the rows that are not `known`."""
        moment = self._moment()
        self._in_doubt.add(number)
        await self._with_traffic(
            lambda journal: journal.mark_in_doubt(
                self._run, self._epoch, number, known, answered_ms=moment, http_status=http_status
            )
        )

    async def settle_doubts(self, number: int, outcomes: Sequence[RowOutcome]) -> None:
        """Write what was found out about some rows of a batch in doubt; the others stay so."""
        moment = self._moment()
        await self._writer.do(
            lambda journal: journal.settle_doubts(self._run, self._epoch, number, outcomes, answered_ms=moment)
        )

    async def settle(self, settlements: Sequence[RowSettlement], in_doubt: Mapping[int, int] | None = None) -> None:
        """Write what became of rows without sending them, those among them that are `in_doubt` (ordinal → batch).

        Raises `ValueError` for one in doubt that has not succeeded: nobody knows that it was not written.
        """
        if not settlements:
            return
        if any(each.ordinal in (in_doubt or {}) and each.status is not Progress.SUCCEEDED for each in settlements):
            raise ValueError("what is in doubt is neither invalid nor unchanged")
        moment = self._moment()

        def settle(journal: Journal) -> None:
            for ordinal, number in (in_doubt or {}).items():
                pending = RowOutcome(ordinal=ordinal, status=Progress.PENDING)
                journal.settle_doubts(self._run, self._epoch, number, [pending], answered_ms=moment)
            journal.settle_rows(self._run, self._epoch, settlements)

        await self._writer.do(settle)

    async def keep_before(self, images: Mapping[int, Record]) -> None:
        """Keep current records as they are before the write."""
        if images:
            await self._writer.do(lambda journal: journal.keep_before_images(self._run, self._epoch, images))

    async def _with_traffic(self, write: Callable[[Journal], None], *, patient: bool = False) -> None:
        """Write what came of a request, and by the same stroke the seconds that are over."""
        ended = self._traffic.take_ended()

        def both(journal: Journal) -> None:
            write(journal)
            journal.add_traffic(self._run, self._epoch, ended)

        await self._writer.do(both if ended else write, patient=patient)
