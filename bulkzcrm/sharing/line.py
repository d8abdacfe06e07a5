"""The line to the other runs: a thread with a connection of its own, so that nothing waits for it but who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar, final

from bulkzcrm.journal import Journal, JournalWriter, Shares, Standing
from bulkzcrm.sharing.agreement import Agreed, Position, agree
from bulkzcrm.sharing.terms import Terms

__all__ = ["Line"]

_T = TypeVar("_T")


@final
class Line:
    """Speaks with the other runs on one organisation through the journal; a word is on the disk when it is answered.

    Raises `OutputError` where the journal cannot be read or written, and in `agree` also for what was told before.
    """

    def __init__(self, journal: Journal, organisation_id: str) -> None:
        self._organisation_id = organisation_id
        self._journal = journal.beside()
        self._writer = JournalWriter(self._journal)
        self._writer.__enter__()
        self._told: list[Future[None]] = []
        # Of the writer's thread alone, where telling and hearing have one order.
        self._cuts_seen = 0

    def close(self) -> None:
        """Say what is still to be said, and hang up."""
        self._writer.__exit__(None, None, None)
        self._journal.close()

    async def do(self, work: Callable[[Shares], _T]) -> _T:
        """Do something in one transaction, and return its result once it is on the disk."""
        return await self._writer.do(lambda journal: work(journal.shares(self._organisation_id)))

    async def write(self, work: Callable[[Journal], _T]) -> _T:
        """Do something else in the journal, in one transaction, and return its result once it is on the disk."""
        return await self._writer.do(work)

    async def begin(self, now_ms: int) -> Standing:
        """Return how things stand; cuts from before do not concern us."""

        def work(shares: Shares) -> Standing:
            standing = shares.standing(now_ms)
            self._cuts_seen = standing.cuts
            return standing

        return await self.do(work)

    async def agree(self, terms: Terms, own: Position, is_dead: Callable[[str], bool]) -> tuple[Agreed, int]:
        """Agree with the others; return also how many cuts there have been that we have not heard of yet."""

        def work(shares: Shares) -> tuple[Agreed, int]:
            agreed = agree(shares, terms, own, is_dead)
            new = agreed.standing.cuts - self._cuts_seen
            self._cuts_seen = agreed.standing.cuts
            return agreed, new

        told, self._told = self._told, []
        for each in told:
            await asyncio.wrap_future(each)
        return await self.do(work)

    def tell(self, paused_until_ms: int, now_ms: int, *, has_cut: bool) -> None:
        """Let all others pause, and halve their limits where ours was; without waiting for it."""

        def work(journal: Journal) -> None:
            shares = journal.shares(self._organisation_id)
            shares.pause(paused_until_ms, now_ms)
            if has_cut:
                self._cuts_seen = shares.cut(self._cuts_seen)

        self._told.append(self._writer.submit(work))
