"""What time it is: the one place that asks the machine, so that a run can be told another date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "milliseconds", "system_clock"]

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Says what time it is."""

    def __call__(self) -> datetime:
        """Return the moment, with an offset."""
        ...


def system_clock() -> datetime:
    """Return the machine's own time, in UTC."""
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """Return a moment as the journal keeps it: whole milliseconds since 1970, rounded down."""
    return (moment - _BEGINNING) // timedelta(milliseconds=1)
