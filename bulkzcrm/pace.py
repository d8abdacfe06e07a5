"""How quickly rows get their verdicts, as of the last minute, and how long the rest of them will take at that."""

from __future__ import annotations

from collections import deque
from typing import final

__all__ = ["Pace", "spoken_time"]

_WINDOW_S = 60.0
_SOONEST_S = 2.0
"""So long it takes until a rate means anything."""


@final
class Pace:
    """Counts rows over time; moments are in seconds that never go back."""

    def __init__(self, now: float) -> None:
        self._seen: deque[tuple[float, int]] = deque([(now, 0)])

    def count(self, rows: int, now: float) -> None:
        """Take note that so many rows are done by now."""
        self._seen.append((now, rows))
        while len(self._seen) > 2 and now - self._seen[1][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def rate(self) -> float | None:
        """Rows a second, `None` while that cannot be told."""
        (begun, before), (ended, after) = self._seen[0], self._seen[-1]
        if ended - begun < _SOONEST_S or after <= before:
            return None
        return (after - before) / (ended - begun)

    def left_s(self, rows: int) -> float | None:
        """Return the seconds that so many more rows will take, `None` while that cannot be told."""
        rate = self.rate
        return None if rate is None else rows / rate


def spoken_time(seconds: float) -> str:
    """Return a span as people say it: `40 s`, `5 min`, `2 h 10 min`."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
