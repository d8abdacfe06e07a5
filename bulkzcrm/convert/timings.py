"""Spans of time come out on the 24-hour clock, `HH:MM` to `HH:MM`."""

from __future__ import annotations

import re

from bulkzcrm.convert.clock import Clock, parse_clock
from bulkzcrm.convert.entries import entries_with_commas
from bulkzcrm.convert.values import Complaint, Refusal
from bulkzcrm.convert.words import BAD_DAY_HOURS, BAD_HOURS, BAD_TIMING, HALF_MARKED_SPAN

__all__ = ["CLOSED", "read_day_hours", "read_hours", "read_timings"]

CLOSED = "closed"
"""A day without business."""

_QUICK = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9])")
_DASH = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*|\s+to\s+", re.IGNORECASE)
_LONGEST_SPAN = 40


def read_timings(text: str) -> list[dict[str, str]] | Refusal:
    """Read one or more spans, in the order in which they are written."""
    if quick := _QUICK.fullmatch(text):
        return [{"From": quick[1], "To": quick[2]}]
    spans = []
    for entry in entries_with_commas(text):
        span = _span(entry, BAD_TIMING)
        if isinstance(span, Refusal):
            return span
        spans.append({"From": span[0], "To": span[1]})
    return spans or Refusal(BAD_TIMING, text)


def read_hours(text: str) -> list[str] | Refusal:
    """Read exactly one span."""
    return _span(text, BAD_HOURS)


def read_day_hours(text: str) -> list[str] | str | Refusal:
    """Read exactly one span, or the word `closed`."""
    return CLOSED if text.casefold() == CLOSED else _span(text, BAD_DAY_HOURS)


def _span(text: str, complaint: Complaint) -> list[str] | Refusal:
    if quick := _QUICK.fullmatch(text):
        return [quick[1], quick[2]]
    ends = _DASH.split(text) if len(text) <= _LONGEST_SPAN else []
    clocks = [clock for end in ends if (clock := parse_clock(end)) is not None and not clock.time.second]
    if len(ends) != 2 or len(clocks) != 2:
        # `2 - 5 PM` fails because its first half is no time by itself; tell what is really missing.
        halves = len(ends) == 2 and len(clocks) == 1 and clocks[0].halved and any(end.isdigit() for end in ends)
        return Refusal(HALF_MARKED_SPAN if halves else complaint, text)
    if clocks[0].halved != clocks[1].halved and not any(_on_24_hours_only(clock) for clock in clocks):
        return Refusal(HALF_MARKED_SPAN, text)
    return [clock.time.isoformat("minutes") for clock in clocks]


def _on_24_hours_only(clock: Clock) -> bool:
    return not clock.halved and (clock.time.hour == 0 or clock.time.hour > 12)
