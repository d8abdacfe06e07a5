"""Requests over the time of a run, in so few bars that they can be drawn, however long it took or rested in between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bulkzcrm.traffic import Second

__all__ = ["Bar", "Rest", "Timeline", "timeline"]

_MOST_BARS: Final = 60
_LONGEST_LULL_S: Final = 90
"""A run that waits for an answer may be silent for so long; beyond it, it was at rest."""


@dataclass(slots=True)
class Bar:
    """What was over within one span of the time that the run was at work."""

    requests: int = 0
    throttled: int = 0
    failed: int = 0
    latency_ms: int = 0
    slowest_ms: int = 0

    @property
    def answered(self) -> int:
        """Requests that were neither turned away nor failed."""
        return self.requests - self.throttled - self.failed

    @property
    def mean_ms(self) -> int:
        """How long a request took on average."""
        return round(self.latency_ms / self.requests) if self.requests else 0

    def add(self, more: Bar | Second) -> None:
        """Add what was over within another span."""
        self.requests += more.requests
        self.throttled += more.throttled
        self.failed += more.failed
        self.latency_ms += more.latency_ms
        self.slowest_ms = max(self.slowest_ms, more.slowest_ms)


@dataclass(frozen=True, slots=True)
class Rest:
    """A time in which the run sent nothing: after so many seconds of work, and so many seconds long."""

    after_s: int
    lasted_s: int


@dataclass(slots=True)
class Timeline:
    """Bars of `width_s` seconds each, from the first request on; rests are left out of them."""

    begin_ms: int | None = None
    width_s: int = 1
    bars: list[Bar] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)
    total: Bar = field(default_factory=Bar)


def timeline(seconds: Iterable[Second], *, most_bars: int = _MOST_BARS) -> Timeline:
    """Gather seconds, the earliest first, into bars as wide as need be."""
    line = Timeline()
    rested_s = 0
    last_s = 0
    for second in seconds:
        if line.begin_ms is None:
            line.begin_ms = second.begin_ms
        at_s = (second.begin_ms - line.begin_ms) // 1000 - rested_s
        if at_s - last_s > _LONGEST_LULL_S:
            line.rests.append(Rest(last_s + 1, at_s - last_s - 1))
            rested_s += at_s - last_s - 1
            at_s = last_s + 1
        last_s = at_s
        _place(line, at_s, second, most_bars)
    return line


def _place(line: Timeline, at_s: int, second: Second, most_bars: int) -> None:
    while at_s // line.width_s >= most_bars:
        line.width_s *= 2
        line.bars = [_joined(line.bars[place : place + 2]) for place in range(0, len(line.bars), 2)]
    place = at_s // line.width_s
    line.bars += [Bar() for _ in range(place + 1 - len(line.bars))]
    line.bars[place].add(second)
    line.total.add(second)


def _joined(bars: list[Bar]) -> Bar:
    joined = Bar()
    for bar in bars:
        joined.add(bar)
    return joined
