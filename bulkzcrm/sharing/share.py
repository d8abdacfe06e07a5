"""One run's part of an organisation's limits: the gate for its requests, and the meter of its credits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar, final

import anyio

from bulkzcrm.cells import counted
from bulkzcrm.clock import Clock, system_clock
from bulkzcrm.errors import OutputError
from bulkzcrm.events import Listener, Noted, Waiting
from bulkzcrm.journal import LONGEST_PAUSE_MS, Holding, Journal, Spending
from bulkzcrm.limiter import Limiter
from bulkzcrm.owners import dead, owner_name
from bulkzcrm.sharing.agreement import Agreed, Position, part
from bulkzcrm.sharing.line import Line
from bulkzcrm.sharing.terms import Terms, below_floor, over_budget, used_up
from bulkzcrm.transport import Answer

__all__ = ["BEAT_S", "Share"]

_T = TypeVar("_T")

BEAT_S: Final = 1.0
"""How often a run looks what the others do."""
_FRESH_MS: Final = 5 * 60_000
"""What the server said of its credits counts for so long; the next request then finds out anew."""
_GONE: Final = b"24 hours"
"""What the server turns away with these words has no credits; others come too many at once."""
_BEATS_OF_PATIENCE: Final = 3
"""A run that has no place for so many beats says why."""
_BEATS_REMEMBERED: Final = 10
"""So many beats after a run last had a use for a place, others who want it get it."""


@final
class Share:
    """One run's part of an organisation. It is a `client.Meter`, and its `limiter` is the gate.

    `join` before the first request that is to be shared, `beat` about every `BEAT_S` seconds, `leave` in the end, all
    in one event loop; it works on a connection and in a thread of its own. `clock` is the one that all runs on the
    machine go by. Two shares in one process are two runs.
    """

    def __init__(
        self,
        journal: Journal,
        organisation_id: str,
        terms: Terms,
        *,
        announce: Listener,
        clock: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        owner: str | None = None,
        is_dead: Callable[[str], bool] = dead,
    ) -> None:
        self.owner = owner or owner_name()
        self._home = journal
        self._organisation_id = organisation_id
        self._terms = replace(terms, most=min(terms.most, terms.ceiling))
        self._announce = announce
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._is_dead = is_dead
        self._line: Line | None = None
        self._limiter: Limiter | None = None
        self._beating = anyio.Lock(fast_acquire=True)
        self._demands: deque[int] = deque([1], maxlen=_BEATS_REMEMBERED)
        self._holding: Holding | None = None
        self._started_ms = 0
        self._spent = 0
        self._outstanding = 0
        self._need = 0
        self._used = 0
        self._remaining: int | None = None
        self._seen_ms: int | None = None
        self._gone_for = 0
        self._cuts_told = 0
        self._was_cut = False
        self._paused_until_ms = 0
        self._beats_without_place = 0
        self._lately: deque[int] = deque([0, 0], maxlen=2)
        """Credits spent since the last beat, and between that and the one before."""
        self._ahead = 0
        """Credits that nothing had been set aside of when the others were last asked."""
        self._short = anyio.Event()

    @property
    def limiter(self) -> Limiter:
        """The gate for all requests of this run; `join` makes it."""
        if self._limiter is None:
            raise RuntimeError("The share has not been joined.")
        return self._limiter

    @property
    def held(self) -> int:
        """How many requests this run may have in flight, as the others see it."""
        return self._holding.held if self._holding else 0

    @property
    def is_current(self) -> bool:
        """Whether the holding has not run out. Afterwards others may have taken what it held."""
        return self._holding is not None and self._now() < self._holding.expires_ms

    async def join(self, *, spent: int = 0, remaining: int | None = None) -> None:
        """Become one of those who share. `spent` credits have left already; `remaining` is what the server said then.

        Raises `OutputError` when the journal cannot be written.
        """
        self._spent = spent
        self._started_ms = self._now()
        if spent:
            self._remaining, self._seen_ms = remaining, self._started_ms
        line = self._line = Line(self._home, self._organisation_id)
        try:
            standing = await line.begin(self._started_ms)
            start = standing.learned_limit
            if start is not None:
                start //= len(standing.holdings) + 1
            self._limiter = Limiter(self._terms.most, start, clock=self._monotonic, sleep=self._sleep)
            self._limiter.allot(0)
            await self.beat()
        except BaseException:
            self._line = None
            line.close()
            raise

    async def beat(self) -> None:
        """Renew the holding, take the places that are ours now, count credits, and hear of pauses and cuts.

        Writes nothing while nothing changes, but for the renewal every ten seconds. Raises `OutputError` when the
        journal cannot be written.
        """
        self._demands.append(self.limiter.take_demand())
        self._lately.append(0)
        async with self._beating:
            await self._agree()

    async def runs_short(self) -> None:
        """Wait until half of what was reserved ahead is set aside for requests."""
        await self._short.wait()

    async def top_up(self) -> None:
        """Reserve more credits before any request has to wait for them. Raises `OutputError`."""
        # Also where that fails: who really needs them asks again, and says what is wrong.
        self._short = anyio.Event()
        async with self._beating:
            await self._agree()

    async def write(self, work: Callable[[Journal], _T]) -> _T:
        """Do something else in the journal, by the same thread and connection. Raises what `work` raises."""
        return await self._open_line.write(work)

    async def leave(self) -> None:
        """Give everything back. A failure is not told, since the holding runs out by itself."""
        with anyio.CancelScope(shield=True):
            async with self._beating:
                line, self._line = self._line, None
                if line is None:
                    return
                own = self._position()
                self.limiter.allot(0)
                self._holding = None
                try:
                    with suppress(OutputError):
                        await line.do(lambda shares: part(shares, self._terms, own))
                finally:
                    line.close()

    async def admit(self, cost: int) -> bool:
        """Set credits aside for one request that has its place in flight; `False`: go and queue for a place again.

        Raises `StoppedError` when the credits may not be spent, and `OutputError`.
        """
        if not self.is_current:
            # This process was suspended, or kept from its beats, and others may have what was ours.
            await self.beat()
            return False
        await self.go_on()
        await self._stay_above_floor(cost)
        self._need += cost
        try:
            async with self._beating:
                if self._free < cost:
                    await self._agree()
        finally:
            self._need -= cost
        if self._free < cost:
            raise over_budget(self._terms, cost, self._used, await self._spendings(), self._now())
        # Others may have been let in meanwhile.
        await self._stay_above_floor(cost)
        self._outstanding += cost
        if self._free < self._ahead // 2:
            self._short.set()
        return True

    async def _stay_above_floor(self, cost: int) -> None:
        """Raise `StoppedError` if so few credits would be left that they are for others."""
        remaining = self._known_remaining()
        if self._terms.floor and remaining is not None:
            left = remaining - self._outstanding
            if left - cost < self._terms.floor:
                raise below_floor(self._terms, cost, left, await self._spendings(), self._now())

    def spent(self, cost: int, answer: Answer | None) -> None:
        """Learn that a request has left, and its answer where one came. Raises nothing."""
        self._spent += cost
        self._lately[-1] += cost
        if answer is None:
            return
        if answer.credits_remaining is not None or answer.status < 300:
            # Where it says nothing, there is more than half of a day's credits.
            self._see(answer.credits_remaining, answer.elapsed)
        if answer.status == 429:
            remaining = self._known_remaining()
            is_gone = _GONE in answer.body if remaining is None else remaining < cost
            self._gone_for = cost if is_gone else self._gone_for
            self._tell_others()

    def _see(self, remaining: int | None, elapsed: float) -> None:
        """Take the server's word on its credits; of answers to requests that flew together the least counts."""
        now = self._now()
        is_overtaken = self._seen_ms is not None and now - self._seen_ms <= elapsed * 1000
        if is_overtaken and remaining is not None and self._remaining is not None:
            remaining = min(remaining, self._remaining)
        self._remaining, self._seen_ms = remaining, now

    def release(self, cost: int) -> None:
        """Give back what `admit` has set aside: the request is over, or never left."""
        self._outstanding -= cost

    async def go_on(self) -> None:
        """Raise `StoppedError` when the credits of the organisation are gone: waiting a little is of no use then."""
        if self._gone_for:
            raise used_up(self._gone_for, self._known_remaining(), await self._spendings(), self._now())

    @property
    def _free(self) -> int:
        """Credits that are reserved and neither spent nor set aside for a request."""
        return (self._holding.reserved if self._holding else 0) - self._spent - self._outstanding

    def _known_remaining(self) -> int | None:
        if self._seen_ms is None or not 0 <= self._now() - self._seen_ms < _FRESH_MS:
            return None
        return self._remaining

    async def _spendings(self) -> list[Spending]:
        now = self._now()
        return await self._open_line.do(lambda shares: shares.spendings(now))

    def _tell_others(self) -> None:
        """Let all pause who share the organisation, and halve their limits where ours was halved."""
        has_cut = self.limiter.cuts != self._cuts_told
        now = self._now()
        until = now + min(int(self.limiter.pause_left * 1000), LONGEST_PAUSE_MS)
        if self._line is not None and (has_cut or until > self._known_pause(now)):
            self._cuts_told = self.limiter.cuts
            self._was_cut = self._was_cut or has_cut
            self._paused_until_ms = max(until, self._known_pause(now))
            self._line.tell(until, now, has_cut=has_cut)

    def _known_pause(self, now_ms: int) -> int:
        """Return until when all pause, as far as this run knows; a later moment is from before its clock was set."""
        return self._paused_until_ms if self._paused_until_ms <= now_ms + LONGEST_PAUSE_MS else 0

    async def _agree(self) -> None:
        """Agree with the others; once more at once where places can be given back."""
        with anyio.CancelScope(shield=True):
            await self._agree_once()
            if self.held > self._in_use:
                await self._agree_once()

    async def _agree_once(self) -> None:
        own = self._position()
        agreed, new_cuts = await self._open_line.agree(self._terms, own, self._is_dead)
        self._holding = agreed.holding
        self._used = agreed.used
        self._spent -= own.spent
        self._ahead = self._free
        self._take_over(agreed, new_cuts)

    def _take_over(self, agreed: Agreed, new_cuts: int) -> None:
        known = agreed.standing
        for _ in range(new_cuts):
            self._was_cut = True
            self.limiter.cut()
        until, now = known.paused_until_ms or 0, self._now()
        if until > self._known_pause(now):
            self._paused_until_ms = until
            seconds = (until - now) / 1000
            if seconds > 0:
                self.limiter.pause(seconds)
                self._announce(Waiting(seconds=seconds, reason="another run on this machine was told to slow down"))
        if (known.credits_seen_ms or 0) > (self._seen_ms or 0):
            self._remaining, self._seen_ms = known.credits_remaining, known.credits_seen_ms
        self.limiter.allot(min(agreed.target, agreed.holding.held))
        without_place = not self.limiter.allotted and agreed.others and max(self._demands)
        self._beats_without_place = self._beats_without_place + 1 if without_place else 0
        if self._beats_without_place == _BEATS_OF_PATIENCE:
            self._announce(
                Noted(
                    f"{counted(agreed.others, 'other run')} on this machine use all the requests at once that the "
                    "organisation allows; this run goes on when a place comes free."
                )
            )

    def _position(self) -> Position:
        return Position(
            owner=self.owner,
            started_ms=self._started_ms,
            now_ms=self._now(),
            has_joined=self._holding is not None,
            in_use=self._in_use,
            wanted=max(self._demands),
            pace=self.limiter.pace,
            was_cut=self._was_cut,
            spent=self._spent,
            lately=max(self._lately),
            outstanding=self._outstanding,
            need=self._need,
            remaining=self._remaining,
            seen_ms=self._seen_ms,
        )

    @property
    def _in_use(self) -> int:
        return max(self.limiter.allotted, self.limiter.in_flight)

    @property
    def _open_line(self) -> Line:
        if self._line is None:
            raise RuntimeError("The share has been left, or was never joined.")
        return self._line

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)
