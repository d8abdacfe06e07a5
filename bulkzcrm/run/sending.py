"""The second phase: pending rows leave the journal in source order, batch by batch, several batches at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from bulkzcrm.batch import batches
from bulkzcrm.client import Client
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.journal import Batch, JournalWriter, Progress, RowOutcome, StoredRow
from bulkzcrm.readings import read_organisation
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.lease import LEASE_MS, RENEW_S
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.send import Budget, Ledger, Sendable, Sender
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation, Reading

__all__ = ["Sending"]


@final
@dataclass(slots=True, kw_only=True)
class Sending:
    """Sends what one run still has to send. `size` is the most records in a batch, `ceiling` the most at once."""

    operation: Operation
    run: str
    epoch: int
    writer: JournalWriter
    client: Client
    judge: Judge
    budget: Budget
    stop: StopSignal
    organisation: Organisation
    size: int
    ceiling: int
    triggers: bool
    error: BulkzcrmError | None = None
    ledger: Ledger = field(init=False)
    _composer: Composer = field(init=False)
    _sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        """Put together who does the work."""
        self.ledger = Ledger(self.writer, self.run, self.epoch, self.client.now)
        self._composer = Composer(self.judge, self.organisation, self.client)
        self._sender = Sender(
            self.operation,
            self.client,
            self.ledger,
            budget=self.budget,
            announce=self.judge.announce,
            recheck=self._recheck,
            go_on=self._go_on,
            locate=self.judge.with_cell,
            zone=self.organisation.zone,
            triggers=self.triggers,
        )

    async def send_all(self) -> None:
        """Send every pending row. Afterwards `error` holds why it stopped before the end, where it did.

        Returns early, without an error, when the run was asked to stop; what was in flight has then been answered.
        """
        giver, taker = anyio.create_memory_object_stream[tuple[Sendable, ...]](self.ceiling)
        with self.stop.covers(anyio.CancelScope()) as scope:
            async with anyio.create_task_group() as lease:
                lease.start_soon(self._renew_lease, scope)
                async with anyio.create_task_group() as group, taker:
                    group.start_soon(self._feed, giver)
                    for _ in range(self.ceiling):
                        group.start_soon(self._work, taker.clone())
                lease.cancel_scope.cancel()

    async def settle_doubts(self, in_doubt: Sequence[Batch]) -> None:
        """Read back what an earlier attempt left in doubt, where repeating is safe: what holds has succeeded."""
        for batch in in_doubt:
            rows = await self._batch_rows(batch.number)
            doubtful = [row for row in rows if row.status is Progress.IN_DOUBT]
            agreeing = await self._composer.holds(doubtful, self._refresh)
            outcomes = [
                RowOutcome(
                    ordinal=row.ordinal,
                    status=Progress.SUCCEEDED if row.ordinal in agreeing else Progress.PENDING,
                    record_id=self._composer.record_id(row) if row.ordinal in agreeing else "",
                )
                for row in doubtful
            ]
            await self.ledger.answered(batch.number, outcomes)

    async def _recheck(self, part: Sequence[Sendable]) -> frozenset[int]:
        """Read the records of a batch in doubt again; return the rows that are as they should be."""
        rows: list[StoredRow] = []
        for each in part:
            rows += await self._rows(each.ordinal - 1, 1)
        return await self._composer.holds(rows, self._refresh)

    async def _refresh(self) -> Organisation:
        """Read the current records anew, and nothing else; where that is not allowed, they stay unknown."""
        reading = self.operation.current
        if reading is not None and reading not in self.organisation.refused:
            fresh = await read_organisation(self.client, {reading: True})
            match reading:
                case Reading.SERVICES:
                    self.organisation.services = fresh.services
                case Reading.SCORING_RULES:
                    self.organisation.scoring_rules = fresh.scoring_rules
                case Reading.BUSINESS_HOURS:
                    self.organisation.business_hours = fresh.business_hours
                case _:
                    self.organisation.job_sheet_enabled = fresh.job_sheet_enabled
        return self.organisation

    async def _feed(self, giver: MemoryObjectSendStream[tuple[Sendable, ...]]) -> None:
        """Compose batches ahead of the workers, as far as the stream takes them."""
        async with giver:
            try:
                async for batch in self._batches():
                    if self._halted:
                        return
                    await giver.send(batch)
            except BulkzcrmError as error:
                self._halt(error)
            except anyio.BrokenResourceError:
                return

    async def _batches(self) -> AsyncIterator[tuple[Sendable, ...]]:
        after = 0
        ready: list[Sendable] = []
        while not self._halted:
            rows = await self._rows(after, self.size, frozenset({Progress.PENDING}))
            if not rows:
                break
            after = rows[-1].ordinal
            composed = await self._composer.compose(rows)
            await self.ledger.settle(composed.settled)
            self.budget.spend(sum(settled.status is Progress.INVALID for settled in composed.settled))
            await self.ledger.keep_before(composed.before)
            ready += composed.sendable
            full = len(ready) - len(ready) % self.size
            for batch in batches(ready[:full], self.size):
                yield batch
            ready = ready[full:]
        for batch in batches(ready, self.size):
            yield batch

    async def _work(self, taker: MemoryObjectReceiveStream[tuple[Sendable, ...]]) -> None:
        async with taker:
            async for batch in taker:
                if self._halted:
                    return
                try:
                    await self._sender.deliver(batch)
                except BulkzcrmError as error:
                    self._halt(error)
                    return

    def _go_on(self) -> None:
        """Raise when no further request may leave."""
        self.stop.go_on()
        if self.error is not None:
            raise self.error

    @property
    def _halted(self) -> bool:
        return self.error is not None or self.stop.requested

    def _halt(self, error: BulkzcrmError) -> None:
        # The first reason is the one to tell; what fails afterwards mostly follows from it.
        if self.error is None:
            self.error = error

    async def _renew_lease(self, work: anyio.CancelScope) -> None:
        while True:
            await anyio.sleep(RENEW_S)
            try:
                await self._extend_lease(int(self.client.now().timestamp() * 1000))
            except BulkzcrmError as error:
                # Whoever has lost the run must not send another byte of it.
                self._halt(error)
                work.cancel()
                return

    async def _extend_lease(self, now_ms: int) -> None:
        await self.writer.do(lambda journal: journal.extend_lease(self.run, self.epoch, now_ms, LEASE_MS))

    async def _rows(self, after: int, limit: int, statuses: frozenset[Progress] | None = None) -> list[StoredRow]:
        return await self.writer.do(lambda journal: journal.rows(self.run, after, limit, statuses))

    async def _batch_rows(self, number: int) -> list[StoredRow]:
        return await self.writer.do(lambda journal: journal.batch_rows(self.run, number))
