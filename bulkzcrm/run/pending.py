"""Pending rows, out of the journal in source order, as batches that are ready to be sent; made ahead of their turn.

Rows are read a block at a time, the next one while this one is composed; records that have to be read by their ids are
read ahead as well, those of a few batches at once. Rows that turn out to need no request are settled on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from operator import attrgetter
from typing import TypeVar, final

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct

from bulkzcrm.batch import batches
from bulkzcrm.client import ReadRefusedError
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.journal import Journal, JournalWriter, Progress, RowOutcome, Run, StoredRow, UntouchedRows, WaitingBlock
from bulkzcrm.run.composing import Composer, Looked
from bulkzcrm.run.doubted import by_size
from bulkzcrm.send import Budget, Ledger, LookUp, Precedence, Sendable
from bulkzcrm.spec.organisation import Current

__all__ = ["Pending"]

_READ_AHEAD = 1
"""For so many batches beyond the one that is composed, records are read by their ids meanwhile."""

_S = TypeVar("_S")
_T = TypeVar("_T")

Give = Callable[[tuple[Sendable, ...]], Awaitable[None]]


@final
class Pending:
    """The pending rows of one run; `size` is the most records in a batch.

    Rows in doubt are among them if their batch is one of the `reread`: its records were read again, and may go again.
    `look_up` finds what was written of new records, where they are known by a unique field.
    """

    def __init__(
        self,
        run: Run,
        writer: JournalWriter,
        composer: Composer,
        ledger: Ledger,
        budget: Budget,
        *,
        size: int,
        reread: Collection[int],
        precedence: Precedence,
        look_up: LookUp | None = None,
    ) -> None:
        self._run = run
        self._writer = writer
        self._composer = composer
        self._ledger = ledger
        self._budget = budget
        self._size = size
        self._reread = reread
        self._precedence = precedence
        self._look_up = look_up
        self._ready: list[Sendable] = []
        self._ended = 0
        """All rows up to that place have ended, and need not be looked at again."""

    async def next_attempts(self, attempts: int) -> int | None:
        """Return the fewest requests, yet more than so many, that carried a pending row; `None` if none is left."""
        return await self._writer.do(lambda journal: journal.fewest_attempts(self._run.id, attempts, self._statuses))

    async def give_all(self, attempts: int | None, halted: Callable[[], bool], give: Give) -> None:
        """Give the pending rows that so many requests have carried (`None`: all of them) until sending is `halted`.

        Rows that are settled without being sent are written here. Raises what composing raises, and `StoppedError`
        where more of them are invalid than may be.
        """
        failure: BulkzcrmError | None = None
        self._ready = []
        async with anyio.create_task_group() as group:
            try:
                await self._give_all(group, attempts, halted, give)
            except BulkzcrmError as error:
                # A task group would wrap it in a group of exceptions.
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _give_all(self, group: TaskGroup, attempts: int | None, halted: Callable[[], bool], give: Give) -> None:
        under_way: deque[_Reading] = deque()
        async with aclosing(self._pages(attempts)) as pages:
            async for page in pages:
                if halted():
                    return
                # What they need is composed, and the next batches can wait.
                await self._precedence.give_way()
                reading = _Reading(page, self._composer.look(page.rows))
                under_way.append(reading)
                if reading.looked.lacking:
                    group.start_soon(reading.read, self._composer)
                while under_way and (len(under_way) > _READ_AHEAD or not under_way[0].looked.lacking):
                    await self._compose(under_way.popleft(), halted, give)
        while under_way:
            await self._compose(under_way.popleft(), halted, give)
        await self._give(batches(self._ready, self._size), halted, give)

    async def _compose(self, reading: _Reading, halted: Callable[[], bool], give: Give) -> None:
        """Compose a page of rows, and give away the batches that are full with them."""
        rows = reading.looked.rows
        whole = await reading.result()
        if halted():
            return
        doubted = await self._once_in_doubt(rows)
        composed = self._composer.composed(reading.looked, whole, doubted)
        if composed.settled:
            doubtful = {row.ordinal: row.batch for row in rows if row.status is Progress.IN_DOUBT and row.batch}
            settled = {each.ordinal for each in composed.settled}
            in_doubt = {ordinal: number for ordinal, number in doubtful.items() if ordinal in settled}
            await self._ledger.settle(composed.settled, in_doubt)
            self._budget.spend(sum(each.status is Progress.INVALID for each in composed.settled))
        for number, stranded in composed.stranded.items():
            await self._settle_stranded(number, stranded)
        await self._ledger.keep_before(composed.before)
        if doubted:
            for size, alike in by_size(composed.sendable, rows, doubted, self._size):
                if size < self._size:
                    await self._give(batches(alike, size), halted, give)
                else:
                    self._ready += alike
            self._ready += reading.page.written
        else:
            self._ready += _in_order(reading.page.written, composed.sendable)
        full = len(self._ready) - len(self._ready) % self._size
        ready, self._ready = self._ready[:full], self._ready[full:]
        await self._give(batches(ready, self._size), halted, give)

    async def _settle_stranded(self, number: int, stranded: Sequence[tuple[Sendable, RowOutcome]]) -> None:
        """Settle rows of a batch in doubt that cannot go again: whose record is found has succeeded."""
        there: Mapping[int, str | None] = {}
        if self._look_up is not None:
            try:
                there = await self._look_up([(each, "") for each, _ in stranded], ())
            except (BulkzcrmError, ReadRefusedError):
                # They stay in doubt, until it can be read.
                return
        outcomes = [
            RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=record_id)
            if (record_id := there.get(each.ordinal))
            else unknown
            for each, unknown in stranded
        ]
        await self._ledger.settle_doubts(number, outcomes)
        self._budget.spend(sum(each.status is Progress.UNKNOWN for each in outcomes))

    async def _give(self, made: Iterable[tuple[Sendable, ...]], halted: Callable[[], bool], give: Give) -> None:
        for batch in made:
            if halted():
                return
            await give(batch)

    @property
    def _statuses(self) -> frozenset[Progress]:
        return frozenset({Progress.PENDING, Progress.IN_DOUBT} if self._reread else {Progress.PENDING})

    async def _pages(self, attempts: int | None) -> AsyncGenerator[_Page, None]:
        """Yield the rows that are due, as many at a time as go in a batch; the next block is read meanwhile."""
        import asyncio  # noqa: PLC0415 - as in the journal's writer

        upcoming = self._block(await self._writer.do(self._all_ended), attempts)
        while (found := await asyncio.wrap_future(upcoming)) is not None:
            upcoming = self._block(found.ordinals[-1], attempts)
            written, left = self._composer.write(self._due(found))
            if not left:
                for some in batches(written, self._size):
                    yield _Page(some, ())
                continue
            for page in batches(_in_order(written, await self._stored(left)), self._size):
                yield _Page(
                    [each for each in page if isinstance(each, Sendable)],
                    [each for each in page if isinstance(each, StoredRow)],
                )

    def _due(self, found: WaitingBlock) -> WaitingBlock:
        """Return a block without rows in doubt that may not go again."""
        if isinstance(found.rows, UntouchedRows):
            return found
        due = [row for row in found.rows if row.status is Progress.PENDING or row.batch in self._reread]
        return WaitingBlock(found.block, due)

    def _block(self, after: int, attempts: int | None) -> Future[WaitingBlock | None]:
        statuses = self._statuses
        return self._writer.submit(lambda journal: journal.next_waiting(self._run.id, after, statuses, attempts))

    def _all_ended(self, journal: Journal) -> int:
        """Return up to where all rows have ended by now. What has ended while sending stays as it is."""
        first = journal.first_unfinished(self._run.id, self._ended)
        self._ended = self._ended if first is None else first - 1
        return self._ended

    async def _stored(self, ordinals: Sequence[int]) -> list[StoredRow]:
        if not ordinals:
            return []
        return await self._writer.do(lambda journal: journal.rows_at(self._run.id, ordinals, whole=False))

    async def _once_in_doubt(self, rows: Sequence[StoredRow]) -> dict[int, int]:
        """Return the batches that the rows are in doubt with, or were until read back, and how many rows each had."""
        numbers = {row.batch for row in rows if row.attempts and row.batch is not None}
        if not numbers:
            return {}

        def read(journal: Journal) -> dict[int, int]:
            doubted = journal.once_in_doubt(self._run.id, numbers)
            doubted |= {row.batch for row in rows if row.status is Progress.IN_DOUBT and row.batch is not None}
            return {number: journal.batch(self._run.id, number).size for number in doubted}

        return await self._writer.do(read)


class _Page(Struct, frozen=True):
    """Rows that are due: such as are written already, and such as are still to be composed."""

    written: Sequence[Sendable]
    rows: Sequence[StoredRow]


def _in_order(some: Sequence[_T], others: Sequence[_S]) -> Sequence[_T | _S]:
    """Return rows of two kinds in source order."""
    return sorted([*some, *others], key=attrgetter("ordinal")) if some and others else some or others


@final
class _Reading:
    """A page of rows, and the records that are read for it by their ids."""

    def __init__(self, page: _Page, looked: Looked) -> None:
        self.page = page
        self.looked = looked
        self._is_over = anyio.Event()
        self._whole: Mapping[str, Current] = {}
        self._failure: BulkzcrmError | None = None

    async def read(self, composer: Composer) -> None:
        """Read them; a failure is told to whoever wants the result."""
        try:
            self._whole = await composer.read_by_id(self.looked.lacking)
        except BulkzcrmError as error:
            self._failure = error
        finally:
            self._is_over.set()

    async def result(self) -> Mapping[str, Current]:
        """Return the records by their ids, once they are there."""
        if self.looked.lacking:
            await self._is_over.wait()
        if self._failure is not None:
            raise self._failure
        return self._whole
