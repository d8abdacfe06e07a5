"""The second phase: pending rows leave the journal in source order, batch by batch, several batches at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from bulkzcrm.batch import batches
from bulkzcrm.client import Client
from bulkzcrm.clock import Clock
from bulkzcrm.errors import BulkzcrmError, UnreachableError
from bulkzcrm.journal import Batch, BatchState, Journal, JournalWriter, Progress, RowOutcome, Run, StoredRow
from bulkzcrm.lookup import folded
from bulkzcrm.readings import read_organisation, read_services
from bulkzcrm.retry import Cause
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.doubted import NAMED, by_size, failing_on
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.keeping import Keeper
from bulkzcrm.run.settling import Settled, Settling
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.send import Budget, Claim, Ledger, Sendable, Sender
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation, Reading

__all__ = ["Sending"]

_DOUBTS_IN_A_ROW = 3
"""So many batches in a row without a trustworthy answer, and the server is taken to be in trouble."""
_ROWS_SINCE_DOUBT = 25_000
"""So many rows go at most before a lost create is read back, which pages through all that was made since."""

_BATCHES_READ_BACK = 100
"""So many batches are read back at a time at most, so that memory stays flat."""


@final
@dataclass(slots=True, kw_only=True)
class Sending:
    """Sends what one run still has to send. `size` is the most records in a batch, `ceiling` the most at once.

    `quiet_s` is how long after a create it may be read back, in seconds; `clock` is the computer's. `is_own_login` and
    `ids_recur` are as in `Settling`.
    """

    operation: Operation
    run: Run
    epoch: int
    claim: Claim
    keeper: Keeper
    writer: JournalWriter
    client: Client
    judge: Judge
    budget: Budget
    stop: StopSignal
    organisation: Organisation
    size: int
    ceiling: int
    triggers: bool
    quiet_s: float
    is_own_login: bool
    ids_recur: bool
    clock: Clock
    error: BulkzcrmError | None = None
    left: str = ""
    """Why rows are in doubt still that were to be read back."""
    ledger: Ledger = field(init=False)
    _composer: Composer = field(init=False)
    _sender: Sender = field(init=False)
    _settling: Settling = field(init=False)
    _since_doubt: int = field(init=False, default=0)
    """Rows delivered since the first batch was lost that is not read back yet."""
    _failed: int = field(init=False, default=0)
    """How often in a row all pending rows went and nothing became known of any."""
    _stuck_since: float = field(init=False)
    """Since when that has been so (`Client.monotonic`)."""

    def __post_init__(self) -> None:
        """Put together who does the work."""
        self.ledger = Ledger(self.writer, self.run.id, self.epoch, self.client.now, self.claim)
        self._composer = Composer(self.judge, self.organisation, self.client)
        self._sender = Sender(
            self.operation,
            self.client,
            self.ledger,
            budget=self.budget,
            announce=self.judge.announce,
            recheck=self._recheck,
            look_up=self._look_up,
            go_on=self._go_on,
            locate=self.judge.with_cell,
            zone=self.organisation.zone,
            triggers=self.triggers,
        )
        self._settling = Settling(
            self.operation,
            self.run,
            self.epoch,
            self.writer,
            self.client,
            self._composer,
            quiet_s=self.quiet_s,
            known_before=self.organisation.services or (),
            is_own_login=self.is_own_login,
            ids_recur=self.ids_recur,
            clock=self.clock,
            announce=self.judge.announce,
        )

    async def send_all(self) -> None:
        """Settle what an earlier attempt left in doubt, send every pending row, and settle what becomes doubtful.

        Afterwards `error` holds why it stopped before the end, where it did, and `left` why rows are in doubt still.
        Returns early, without an error, when the run was asked to stop; what was in flight has then been answered.
        """
        with self.keeper.guarded(self.stop.covers(anyio.CancelScope())):
            try:
                await self._settle_and_send()
            except BulkzcrmError as error:
                self._halt(error)
        if self.keeper.lost is not None:
            # Whoever has lost the run must not send another byte of it.
            self.error = self.keeper.lost

    async def _settle_and_send(self) -> None:
        if self.operation.safe_to_repeat:
            await self._settle_repeatable()
        else:
            await self._settle_lost(of_this_call=False)
        self._stuck_since = self.client.monotonic()
        while True:
            answered = self._sender.answered
            await self._send_pending()
            if self._halted:
                return
            if self.operation.safe_to_repeat:
                if not self._sender.open_doubts:
                    return
                # Before they are read: what is given up now shall be unknown, and not taken for unsent.
                await self._note(moved=self._sender.answered > answered)
                if await self._settle_repeatable():
                    await self._note(moved=True)
                self._sender.doubts = self._sender.open_doubts = self._since_doubt = 0
                continue
            # Asked now, since it depends on what was left by the settling before.
            more_waits = self._settles_first
            settled = await self._settle_lost(of_this_call=not self.left)
            if not settled.absent and not more_waits:
                return
            if self._sender.doubts >= _DOUBTS_IN_A_ROW and settled.left:
                raise UnreachableError(
                    f"{self._sender.doubts} batches in a row were sent without a trustworthy answer.",
                    "Nothing more is sent, so that no further rows become unknown; resume when the server is well.",
                )
            await self._note(moved=self._sender.answered > answered or settled.found > 0)
            self._sender.doubts = self._sender.open_doubts = self._since_doubt = 0

    async def _note(self, *, moved: bool) -> None:
        """Begin to count anew where something has moved, else wait. Raises `UnreachableError` after long enough."""
        if moved:
            self._failed, self._stuck_since = 0, self.client.monotonic()
            return
        self._failed += 1
        reason = f"the server's answers to {'creates' if self.operation.creates else 'updates'} are lost"
        try:
            await self.client.wait(self._failed, Cause.LOST, begun=self._stuck_since, retry_after=None, reason=reason)
        except UnreachableError as error:
            raise await self._why_unreachable(error) from error

    async def _why_unreachable(self, error: UnreachableError) -> UnreachableError:
        """Return the error, or what names rows: where all others have got an answer, it is not for all to wait."""
        counts = await self.writer.do(lambda journal: journal.count_by_status(self.run.id))
        if not counts[Progress.SUCCEEDED] or await self._rows(0, 1, frozenset({Progress.PENDING}), 0):
            return error
        left = frozenset({Progress.PENDING, Progress.IN_DOUBT})
        return failing_on(await self._rows(0, NAMED, left), sum(counts[status] for status in left))

    async def _send_pending(self) -> None:
        """Send pending rows until none is left, or until what is in doubt had better be settled first.

        Those that were sent least often go first: whichever of them the server fails on, no other waits for it.
        Nothing is under way when the next ones begin, since what is tried again looks like what came back.
        """
        attempts = None if self.operation.one_at_a_time else 0
        await self._send(attempts)
        while attempts is not None and not self._halted and not self._settles_first:
            attempts = await self._next_attempts(attempts)
            if attempts is not None:
                await self._send(attempts)

    async def _next_attempts(self, attempts: int) -> int | None:
        return await self.writer.do(lambda journal: journal.fewest_attempts(self.run.id, attempts))

    async def _send(self, attempts: int | None) -> None:
        """Send the pending rows that so many requests have carried; `None`: all of them, in source order."""
        giver, taker = anyio.create_memory_object_stream[tuple[Sendable, ...]](self.ceiling)
        async with anyio.create_task_group() as group, taker:
            group.start_soon(self._feed, giver, attempts)
            for _ in range(self.ceiling):
                group.start_soon(self._work, taker.clone())

    @property
    def _settles_first(self) -> bool:
        """Whether lost creates are read back before more is sent.

        Either the server is in trouble, or there would be much to read: all that was made since the first one was lost.
        """
        return self._sender.doubts >= _DOUBTS_IN_A_ROW or (not self.left and self._since_doubt >= _ROWS_SINCE_DOUBT)

    async def _settle_lost(self, *, of_this_call: bool) -> Settled:
        """Read back creates whose answer was lost; all of them by this call, or perhaps not all."""
        settled = Settled()
        async for in_doubt in self._batches_in_doubt():
            settled += await self._settling.settle(
                in_doubt, of_this_call=of_this_call, last_left=self._sender.doubt_left
            )
        self.left = settled.left
        self.budget.spend(settled.ambiguous)
        return settled

    async def _batches_in_doubt(self) -> AsyncIterator[list[Batch]]:
        """Yield what is in doubt, so many batches at a time that memory stays flat."""
        number = 0
        while in_doubt := await self._page_in_doubt(number):
            yield in_doubt
            number = in_doubt[-1].number

    async def _page_in_doubt(self, after: int) -> list[Batch]:
        return await self.writer.do(
            lambda journal: journal.batches(self.run.id, {BatchState.IN_DOUBT}, after, _BATCHES_READ_BACK)
        )

    async def _settle_repeatable(self) -> int:
        """Read again what was left in doubt, where repeating is safe: what holds has succeeded. Return how many do."""
        found = 0
        async for in_doubt in self._batches_in_doubt():
            for batch in in_doubt:
                found += await self._settle_by_reading(batch)
        return found

    async def _settle_by_reading(self, batch: Batch) -> int:
        doubtful = [row for row in await self._batch_rows(batch.number) if row.status is Progress.IN_DOUBT]
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
        return len(agreeing)

    async def _recheck(self, part: Sequence[Sendable]) -> frozenset[int]:
        """Read the records of a batch in doubt again; return the rows that are as they should be."""
        rows: list[StoredRow] = []
        for each in part:
            rows += await self._rows(each.ordinal - 1, 1)
        return await self._composer.holds(rows, self._refresh)

    async def _look_up(self, rows: Sequence[Sendable]) -> dict[int, str]:
        """Find the records of rows by their unique field."""
        key = self.operation.key
        ids = {
            folded(str(each.record.get(key) or "")): each.id
            for each in (await read_services(self.client, key)).values()
        }
        values = {row.ordinal: folded(str(row.record.get(key) or "")) for row in rows}
        return {ordinal: ids[value] for ordinal, value in values.items() if value and value in ids}

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

    async def _feed(self, giver: MemoryObjectSendStream[tuple[Sendable, ...]], attempts: int | None) -> None:
        """Compose batches ahead of the workers, as far as the stream takes them."""
        async with giver:
            try:
                async for batch in self._batches(attempts):
                    if self._halted or self._settles_first:
                        return
                    await giver.send(batch)
            except BulkzcrmError as error:
                self._halt(error)
            except anyio.BrokenResourceError:
                return

    async def _batches(self, attempts: int | None) -> AsyncIterator[tuple[Sendable, ...]]:
        after = 0
        ready: list[Sendable] = []
        while not self._halted:
            rows = await self._rows(after, self.size, frozenset({Progress.PENDING}), attempts)
            if not rows:
                break
            after = rows[-1].ordinal
            doubted = await self._once_in_doubt(rows)
            composed = await self._composer.compose(rows, doubted)
            await self.ledger.settle(composed.settled)
            self.budget.spend(sum(settled.status is Progress.INVALID for settled in composed.settled))
            await self.ledger.keep_before(composed.before)
            for size, alike in by_size(composed.sendable, rows, doubted, self.size):
                if size < self.size:
                    for batch in batches(alike, size):
                        yield batch
                else:
                    ready += alike
            full = len(ready) - len(ready) % self.size
            for batch in batches(ready[:full], self.size):
                yield batch
            ready = ready[full:]
        for batch in batches(ready, self.size):
            yield batch

    async def _once_in_doubt(self, rows: Sequence[StoredRow]) -> dict[int, int]:
        """Return the batches that the rows were in doubt with until they were read back, and how many rows each had."""
        numbers = {row.batch for row in rows if row.attempts and row.batch is not None}
        if not numbers:
            return {}

        def read(journal: Journal) -> dict[int, int]:
            doubted = journal.once_in_doubt(self.run.id, numbers)
            return {number: journal.batch(self.run.id, number).size for number in doubted}

        return await self.writer.do(read)

    async def _work(self, taker: MemoryObjectReceiveStream[tuple[Sendable, ...]]) -> None:
        async with taker:
            async for batch in taker:
                if self._halted or self._settles_first:
                    return
                try:
                    await self._sender.deliver(batch)
                except BulkzcrmError as error:
                    self._halt(error)
                    return
                self._since_doubt += len(batch) if self._sender.open_doubts else 0

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
            # Nobody shall stand at the gate until a long pause is over.
            self.client.limiter.close(error)

    async def _rows(
        self, after: int, limit: int, statuses: frozenset[Progress] | None = None, attempts: int | None = None
    ) -> list[StoredRow]:
        return await self.writer.do(lambda journal: journal.rows(self.run.id, after, limit, statuses, attempts))

    async def _batch_rows(self, number: int) -> list[StoredRow]:
        return await self.writer.do(lambda journal: journal.batch_rows(self.run.id, number))
