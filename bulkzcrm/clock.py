"""What time it is: the one place that asks the machine, so that a run can be told another date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "system_clock"]


class Clock(Protocol):
    """Says what time it is."""

    def __call__(self) -> datetime:
        """Return the moment, with an offset."""
        ...


def system_clock() -> datetime:
    """Return the machine's own time, in UTC."""
    return datetime.now(UTC)
