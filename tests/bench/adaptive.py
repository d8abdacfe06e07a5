"""How quickly the tool finds out what an organisation bears: the real limiter, simulated servers, virtual time.

A server takes `limit` requests at once, each for a latency that may change on the way, and turns others away with 429
after 50 ms at most. As many workers as the ceiling allows go on for ever; one that was turned away waits as the tool
decides. A round is one latency: ideally `limit` requests are answered in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import anyio
from virtual_time import VirtualTime, live

from bulkzcrm.limiter import Limiter
from bulkzcrm.retry import Cause, Retry, decide

from .stopwatch import Stopwatch

__all__ = ["CEILING", "LATENCIES", "LIMITS", "Course", "find_limits", "simulated"]

LIMITS = (3, 5, 10, 25)
CEILING = 25
"""What the largest edition allows at once."""
LATENCIES = {
    "50 ms": (0.05,),
    "200 ms": (0.2,),
    "2 s": (2.0,),
    "changing": (0.2, 1.0, 0.05, 2.0, 0.5),
}
"""Seconds; where there are several, one after the other, so many rounds each."""
_ROUNDS_EACH = 30
_GRACE = 20
"""Rounds until the limit has to be found."""
_LEAST_ROUNDS = 150
_LEAST_REQUESTS = 1500
_TURNED_AWAY_S = 0.05


@dataclass(slots=True)
class Course:
    """One server's time, and what has come of it: when requests were answered (in rounds), and how many were not."""

    limit: int
    latencies: Sequence[float]
    answered: list[float] = field(default_factory=list)
    turned_away: int = 0
    at_once: int = 0

    @property
    def rounds(self) -> int:
        """How long it goes."""
        return max(_LEAST_ROUNDS, _LEAST_REQUESTS // self.limit)

    @property
    def seconds(self) -> float:
        """How long that is."""
        return sum(self._latency(number) for number in range(self.rounds))

    @property
    def throughput(self) -> float:
        """What was answered after the first twenty rounds, in parts of the ideal."""
        late = sum(moment > _GRACE for moment in self.answered)
        return late / (self.limit * (self.rounds - _GRACE))

    @property
    def share_turned_away(self) -> float:
        """How many of all requests were turned away, in parts of them."""
        return self.turned_away / max(1, self.turned_away + len(self.answered))

    def _latency(self, number: int) -> float:
        return self.latencies[number // _ROUNDS_EACH % len(self.latencies)]

    def _round_at(self, seconds: float) -> float:
        number = 0
        while seconds >= self._latency(number):
            seconds -= self._latency(number)
            number += 1
        return number + seconds / self._latency(number)

    async def request(self, now: float) -> bool:
        """Serve a request that arrives `now`; false when it is turned away."""
        latency = self._latency(int(self._round_at(now)))
        if self.at_once >= self.limit:
            self.turned_away += 1
            await anyio.sleep(min(latency, _TURNED_AWAY_S))
            return False
        self.at_once += 1
        await anyio.sleep(latency)
        self.at_once -= 1
        self.answered.append(self._round_at(asyncio.get_running_loop().time()))
        return True


def simulated(limit: int, latencies: Sequence[float], seed: int) -> Course:
    """Let a server's time pass."""
    course = Course(limit, latencies)
    time = VirtualTime()
    dice = Random(seed)  # noqa: S311 - the same course every time

    async def work(limiter: Limiter) -> None:
        while True:
            failures, begun = 0, 0.0
            while True:
                async with limiter.slot():
                    is_served = await course.request(time.seconds)
                    if is_served:
                        limiter.clean()
                        break
                    limiter.throttled()
                failures += 1
                begun = begun or time.seconds
                decision = decide(
                    failures,
                    Cause.THROTTLED,
                    waited=time.seconds - begun,
                    max_wait=600.0,
                    retry_after=None,
                    random=dice,
                )
                assert isinstance(decision, Retry)
                await anyio.sleep(decision.after_s)

    async def all_work() -> None:
        limiter = Limiter(CEILING, clock=lambda: time.seconds, sleep=anyio.sleep, random=dice)
        with anyio.move_on_after(course.seconds):
            async with anyio.create_task_group() as group:
                for _ in range(CEILING):
                    group.start_soon(work, limiter)

    live(time, all_work)
    return course


def find_limits(watch: Stopwatch, *, seed: int) -> int:
    """Go through all servers and latencies; of each server the worst throughput and the greatest share is told."""
    requests = 0
    for limit in LIMITS:
        for name, latencies in LATENCIES.items():
            course = simulated(limit, latencies, seed)
            requests += len(course.answered)
            watch.phases[f"{limit}: throughput, {name}"] = course.throughput
            watch.phases[f"{limit}: turned away, {name}"] = course.share_turned_away
        watch.phases[f"{limit}: throughput"] = min(watch.phases[f"{limit}: throughput, {name}"] for name in LATENCIES)
        watch.phases[f"{limit}: turned away"] = max(watch.phases[f"{limit}: turned away, {name}"] for name in LATENCIES)
    return requests
