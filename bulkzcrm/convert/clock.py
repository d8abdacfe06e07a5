"""Times of day: on the 24-hour clock, or with AM or PM; the day ends at 23:59."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

__all__ = ["Clock", "parse_clock", "split_clock"]

_TIME = r"([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?)?(?:\s?([AaPp])\.?[Mm]\.?)?"
_CLOCK = re.compile(_TIME)
_DATED = re.compile(rf"(.+?)(?:\s*,\s*|\s+|[Tt]){_TIME}(?:\s?([Zz]|UTC|GMT|[+\-\u2212][0-9]{{2}}:?[0-9]{{2}}))?")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day to the second; `halved` tells that AM or PM was written."""

    time: time
    halved: bool


def parse_clock(text: str) -> Clock | None:
    """Read `14:30`, `14:30:00`, `2:30 PM` or `2 PM`; None for anything else, `24:00` and a bare `14` included."""
    parts = _CLOCK.fullmatch(text)
    return None if parts is None else _clock(parts[1], parts[2], parts[3], parts[4])


def split_clock(text: str) -> tuple[str, time, str] | None:
    """Split a date with a time into the date's text, the time, and the offset as written (blank when there is none)."""
    parts = _DATED.fullmatch(text)
    if parts is None:
        return None
    clock = _clock(parts[2], parts[3], parts[4], parts[5])
    return None if clock is None else (parts[1], clock.time, parts[6] or "")


def _clock(hour: str, minute: str | None, second: str | None, half: str | None) -> Clock | None:
    if minute is None and half is None:
        return None
    hours = int(hour)
    if half is not None:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half in "Pp" else 0)
    if hours > 23 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    return Clock(time(hours, int(minute or 0), int(second or 0)), halved=half is not None)
