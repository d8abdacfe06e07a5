"""How many requests may be in flight for one organisation: as many as it stands, found out by what it answers.

Additive increase, multiplicative decrease: the limit doubles from a low start until the organisation says "too many"
for the first time, is halved whenever it says so, and grows by one a round after that; where it was turned away several
times it takes ever more rounds before it goes there again. One pause holds for everybody, and the first one no longer
than a request takes: by then the organisation has done with one of those that it was busy with.
Others who know more (those who share the organisation with this process) may allot less, pause it, cut it, or close it.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import final

import anyio

from bulkzcrm.errors import BulkzcrmError

__all__ = ["Limiter"]

_LOW_START = 4
_FIRST_PAUSE_S = (0.05, 1.0)
"""The shortest and the longest."""
_LONGEST_PAUSE_S = 60.0
_LAST_DOUBLING = 16
_PATIENCE = (1, 2, 8, 32, 64)
"""Rounds before a limit is tried: one that never proved too high, one that did so once, twice, and so on."""
_NEWS = 0.2
"""How much the last request's time counts in the usual one."""
_LOOK_AGAIN_S = 1.0
"""Nobody is let in: so often the queue's head looks whether it was asked to stop."""


@final
class Limiter:
    """The gate that every request of one organisation passes; first come, first served.

    `ceiling` is never exceeded. `start` is the limit that an earlier run has learned (None: begin low). `clock` gives
    seconds that never go back, `sleep` waits for seconds. `cuts` counts how often an answer to us has halved the limit.
    """

    def __init__(
        self,
        ceiling: int,
        start: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        random: Random | None = None,
    ) -> None:
        if ceiling < 1:
            raise ValueError("The ceiling is at least 1.")
        self.ceiling = ceiling
        self._limit = min(ceiling, max(1, _LOW_START if start is None else start))
        self._doubling = start is None
        self._clock = clock
        self._sleep = sleep
        self._random = random or Random()  # noqa: S311 - spreads pauses, guards nothing
        # Without a detour through the loop, which may be busy, where nobody is in the way.
        self._turn = anyio.Lock(fast_acquire=True)
        self._change = anyio.Event()
        self._flying: set[int] = set()
        self._next = 0
        self._cut_at = 0
        self._clean = 0
        self._was_full = False
        self._rounds = 0
        self._round_s: float | None = None
        self._misses: dict[int, int] = {}
        self._cuts_in_a_row = 0
        self._paused_until = -math.inf
        self._allotted = ceiling
        self._closed: BulkzcrmError | None = None
        self._sleeper: anyio.CancelScope | None = None
        self._waiting = 0
        self._peak = 0
        self.cuts = 0

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return min(self._limit, self._allotted)

    @property
    def allotted(self) -> int:
        """How many requests others allow to be in flight, whatever the organisation answers; the ceiling at first."""
        return self._allotted

    @property
    def pace(self) -> int:
        """How many requests the organisation bears, by its answers so far and whatever others allow."""
        return self._limit

    @property
    def learned(self) -> int | None:
        """The limit that the organisation taught by turning requests away; `None` if it never did."""
        return None if self._doubling else self._limit

    @property
    def in_flight(self) -> int:
        """How many slots are held now. After a cut this may stand above the limit until some are given back."""
        return len(self._flying)

    @property
    def pause_left(self) -> float:
        """For how many seconds no slot will be given."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def is_filling(self) -> bool:
        """Whether there is room in flight that somebody who waits is about to take."""
        return self._waiting > 0 and len(self._flying) < self.limit and self.pause_left == 0

    def take_demand(self) -> int:
        """Return how many places were held or waited for at once, at most, since this was last asked."""
        demand = max(self._peak, self._demand)
        self._peak = self._demand
        return demand

    @property
    def _demand(self) -> int:
        return len(self._flying) + self._waiting

    def allot(self, places: int) -> None:
        """Let no more than so many in from now on; 0 lets nobody in. Who is in flight already stays there."""
        self._allotted = max(0, min(places, self.ceiling))
        self._stir()

    def pause(self, seconds: float) -> None:
        """Let nobody in for so many seconds; a longer pause that is under way stands."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def cut(self) -> None:
        """Halve the limit because the organisation has turned others away who share it."""
        self._limit = max(1, min(self._limit, self._allotted) // 2)
        self._doubling = False
        self._clean = 0
        self._rounds = 0
        self._was_full = False
        self._cut_at = self._next

    def close(self, reason: BulkzcrmError) -> None:
        """Let nobody in any more: who waits, and who comes later, gets `reason` raised. The first reason stands."""
        self._closed = self._closed or reason
        self._stir()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a place in flight. Say `clean()` or `throttled()` of the answer before leaving.

        Raises what the gate was closed with.
        """
        number = await self._enter()
        begun = self._clock()
        try:
            yield
        finally:
            self._flying.discard(number)
            self._change.set()
            took = self._clock() - begun
            self._round_s = took if self._round_s is None else self._round_s + _NEWS * (took - self._round_s)

    async def _enter(self) -> int:
        self._waiting += 1
        self._peak = max(self._peak, self._demand)
        try:
            return await self._queue()
        finally:
            self._waiting -= 1

    async def _queue(self) -> int:
        # Only the head of the queue waits for room; the lock is fair, so the rest queue behind it in their order.
        async with self._turn:
            while True:
                if self._closed is not None:
                    raise self._closed
                self._change = anyio.Event()
                if (pause := self.pause_left) > 0:
                    await self._doze(pause)
                elif self._allotted == 0:
                    await self._doze(_LOOK_AGAIN_S)
                elif len(self._flying) >= self.limit:
                    await self._change.wait()
                else:
                    break
            number = self._next
            self._next += 1
            self._flying.add(number)
            self._was_full = self._was_full or len(self._flying) >= self._limit
            return number

    async def _doze(self, seconds: float) -> None:
        with anyio.CancelScope() as self._sleeper:
            await self._sleep(seconds)

    def _stir(self) -> None:
        """Let the head of the queue look again at once."""
        self._change.set()
        if self._sleeper is not None:
            self._sleeper.cancel()

    def clean(self) -> None:
        """Report an answer that was not "too many". A round is as many of them as the limit; each lets the limit grow.

        It grows only if it was reached in that round: nothing is learned about places that nobody took.
        """
        if self._old_ones_flying():
            return
        self._cuts_in_a_row = 0
        self._clean += 1
        if self._clean < self._limit:
            return
        if self._was_full:
            self._rounds += 1
            self._misses = {limit: misses for limit, misses in self._misses.items() if limit > self._limit}
            higher = min(self.ceiling, self._limit * 2 if self._doubling else self._limit + 1)
            if self._rounds >= _PATIENCE[self._misses.get(higher, 0)]:
                self._limit = higher
                self._rounds = 0
                self._change.set()
        self._clean = 0
        self._was_full = False

    def throttled(self, retry_after: float | None = None) -> None:
        """Report a 429: halve the limit and pause everybody, for `retry_after` seconds where the server named them.

        Requests that left before the limit was last cut tell nothing new: they lengthen the pause at most.
        """
        if not self._old_ones_flying():
            self._misses[self._limit] = min(len(_PATIENCE) - 1, self._misses.get(self._limit, 0) + 1)
            self.cut()
            self.cuts += 1
            self._cuts_in_a_row += 1
            self.pause(self._own_pause())
        if retry_after is not None and math.isfinite(retry_after) and retry_after > 0:
            self.pause(retry_after)

    def _old_ones_flying(self) -> bool:
        return any(number < self._cut_at for number in self._flying)

    def _own_pause(self) -> float:
        shortest, longest = _FIRST_PAUSE_S
        first = longest if self._round_s is None else min(longest, max(shortest, self._round_s))
        bound = min(_LONGEST_PAUSE_S, first * 2.0 ** min(self._cuts_in_a_row - 1, _LAST_DOUBLING))
        return self._random.uniform(bound / 2, bound)
