"""The organisation's business hours as something to judge by: which days are worked, and from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.values import WEEKDAYS

MINUTES_A_DAY = 24 * 60

Window = tuple[int, int]  # minutes since midnight: from, till
WHOLE_DAY: Window = (0, MINUTES_A_DAY)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Windows by weekday name (a day that is not worked has none), and the zone in which they are meant."""

    windows: dict[str, Window]
    zone: ZoneInfo

    @classmethod
    def of(cls, record: Json) -> BusinessHours:
        """Read the stored business hours."""
        zone = ZoneInfo(str(record["timezone"]))
        if record["type"] == "24_by_7":
            return cls(dict.fromkeys(WEEKDAYS, WHOLE_DAY), zone)
        worked = _texts(record["business_days"])
        if record["type"] == "24_by_5":
            return cls(dict.fromkeys(worked, WHOLE_DAY), zone)
        if record["same_as_everyday"]:
            return cls(dict.fromkeys(worked, _window(_texts(record["daily_timing"]))), zone)
        # A worked day without a timing of its own is not limited: the page demands none for each day.
        custom = custom_windows(record)
        return cls({day: custom.get(day, WHOLE_DAY) for day in worked}, zone)

    def is_worked(self, day: str) -> bool:
        """Whether the business is open at all on that day of the week."""
        return day in self.windows

    def contain(self, window: Window, days: Iterable[str]) -> bool:
        """Whether a window lies within the hours of each of these days, days off left aside."""
        return all(
            self.windows[day][0] <= window[0] and window[1] <= self.windows[day][1]
            for day in days
            if day in self.windows
        )

    def span(self) -> Window:
        """From the earliest opening to the latest closing of the week."""
        if not self.windows:
            return WHOLE_DAY
        return min(start for start, _ in self.windows.values()), max(end for _, end in self.windows.values())


def custom_windows(record: Json) -> dict[str, Window]:
    """Windows of the days that have a timing of their own."""
    timings = record["custom_timing"]
    entries = timings if isinstance(timings, list) else []
    return {str(entry["days"]): _window(_texts(entry["business_timing"])) for entry in entries}


def minutes(moment: time) -> int:
    """Minutes since midnight."""
    return moment.hour * 60 + moment.minute


def _window(timing: list[str]) -> Window:
    return minutes(time.fromisoformat(timing[0])), minutes(time.fromisoformat(timing[1]))


def _texts(value: object) -> list[str]:
    return [str(element) for element in value] if isinstance(value, list) else []
