"""What time it is: the one place that asks the machine, so that a run can be told another date."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "instant", "milliseconds", "seconds", "system_clock"]

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Says what time it is."""

    def __call__(self) -> datetime:
        """Return the moment, with an offset."""
        ...


def system_clock() -> datetime:
    """Return the machine's own time, in UTC."""
    return datetime.now(UTC)


def seconds() -> float:
    """Return seconds that never go back, that no setting of a clock changes, and in which sleep of the computer counts.

    Where the system has no such clock, sleep does not count.
    """
    return time.clock_gettime(_BOOTTIME) if _BOOTTIME is not None else time.monotonic()


def milliseconds(moment: datetime) -> int:
    """Return a moment as the journal keeps it: whole milliseconds since 1970, rounded down."""
    return (moment - _BEGINNING) // timedelta(milliseconds=1)


def instant(ms: int) -> datetime:
    """Return the moment that the journal keeps as so many milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)
