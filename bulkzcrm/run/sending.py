"""The second phase: pending rows leave the journal in source order, batch by batch, several batches at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from bulkzcrm.client import Client
from bulkzcrm.clock import Clock
from bulkzcrm.errors import BulkzcrmError, UnreachableError
from bulkzcrm.journal import Batch, BatchState, JournalWriter, Progress, Run, StoredRow
from bulkzcrm.retry import Cause
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.doubted import NAMED, failing_on
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.keeping import Keeper
from bulkzcrm.run.pending import Pending
from bulkzcrm.run.rereading import Rereading
from bulkzcrm.run.settling import Settled, Settling
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.send import Budget, Claim, Draft, Ledger, Precedence, Sendable, Sender
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation

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
    _pending: Pending = field(init=False)
    _rereading: Rereading = field(init=False)
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
        self.ledger = Ledger(self.writer, self.run.id, self.epoch, self.client.now, self.claim, self.client.traffic)
        composer = Composer(self.judge, self.organisation, self.client)
        self._rereading = Rereading(
            self.operation,
            self.run,
            self.writer,
            self.client,
            composer,
            self.ledger,
            self.organisation,
            self.judge.keys,
        )
        precedence = Precedence(lambda: self.client.limiter.is_filling)
        self._pending = Pending(
            self.run,
            self.writer,
            composer,
            self.ledger,
            self.budget,
            size=self.size,
            reread=self._rereading.read,
            precedence=precedence,
            look_up=self._rereading.ids_by_key if self.operation.key else None,
        )
        self._settling = Settling(
            self.operation,
            self.run,
            self.epoch,
            self.writer,
            self.client,
            composer,
            quiet_s=self.quiet_s,
            known_before=self.organisation.services or (),
            is_own_login=self.is_own_login,
            ids_recur=self.ids_recur,
            clock=self.clock,
            announce=self.judge.announce,
        )
        self._sender = Sender(
            self.operation,
            self.client,
            self.ledger,
            precedence,
            budget=self.budget,
            announce=self.judge.announce,
            recheck=self._rereading.holding,
            look_up=self._rereading.ids_by_key if self.operation.key else self._settling.own,
            go_on=self._go_on,
            may_begin=lambda: not self._settles_first,
            locate=self.judge.with_cell,
            quiet_s=self.quiet_s,
            zone=self.organisation.zone,
            triggers=self.triggers,
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
        if not counts[Progress.SUCCEEDED] or await self._rows(1, frozenset({Progress.PENDING}), attempts=0):
            return error
        left = frozenset({Progress.PENDING, Progress.IN_DOUBT})
        return failing_on(await self._rows(NAMED, left), sum(counts[status] for status in left))

    async def _send_pending(self) -> None:
        """Send pending rows until none is left, or until what is in doubt had better be settled first.

        Those that were sent least often go first: whichever of them the server fails on, no other waits for it.
        Nothing is under way when the next ones begin, since what is tried again looks like what came back.
        """
        attempts = None if self.operation.one_at_a_time else 0
        await self._send(attempts)
        while attempts is not None and not self._halted and not self._settles_first:
            attempts = await self._pending.next_attempts(attempts)
            if attempts is not None:
                await self._send(attempts)

    async def _send(self, attempts: int | None) -> None:
        """Send the pending rows that so many requests have carried; `None`: all of them, in source order."""
        giver, taker = anyio.create_memory_object_stream[Draft](self.ceiling)
        async with anyio.create_task_group() as group, taker:
            group.start_soon(self._feed, giver, attempts)
            # As many as may be in flight, and as many that stand ready to take their places; one alone keeps the order.
            for _ in range(1 if self.ceiling == 1 else 2 * self.ceiling):
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
                found += await self._rereading.settle(batch)
        return found

    async def _feed(self, giver: MemoryObjectSendStream[Draft], attempts: int | None) -> None:
        """Compose batches, and write their requests, ahead of the workers, as far as the stream takes them."""

        async def give(batch: tuple[Sendable, ...]) -> None:
            # Nobody takes it any more where sending has halted.
            with suppress(anyio.BrokenResourceError):
                await giver.send(self._sender.draft(batch))

        async with giver:
            try:
                await self._pending.give_all(attempts, lambda: self._halted or self._settles_first, give)
            except BulkzcrmError as error:
                self._halt(error)

    async def _work(self, taker: MemoryObjectReceiveStream[Draft]) -> None:
        async with taker:
            async for batch in taker:
                if self._halted or self._settles_first:
                    return
                try:
                    await self._sender.deliver(batch)
                except BulkzcrmError as error:
                    self._halt(error)
                    return
                self._since_doubt += len(batch.rows) if self._sender.open_doubts else 0

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

    async def _rows(self, limit: int, statuses: frozenset[Progress], attempts: int | None = None) -> list[StoredRow]:
        return await self.writer.do(lambda journal: journal.rows(self.run.id, 0, limit, statuses, attempts))
