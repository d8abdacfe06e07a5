"""Lengths of time become whole minutes; nothing is rounded."""

from __future__ import annotations

import re
from fractions import Fraction

from bulkzcrm.convert.values import Refusal
from bulkzcrm.convert.words import BAD_MINUTES, FRACTION_OF_MINUTE, NEGATIVE_MINUTES

__all__ = ["read_minutes"]

_LONGEST = 64
_NUMBER = re.compile(r"([0-9]{1,9})(\.[0-9]{1,20})?")
_CLOCK = re.compile(r"([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9]))?")
_MINUTES = r"([0-9]{1,9})(?:\.0{1,2})?\s*(?:minutes?|mins?|m)"
_HOURS = r"([0-9]{1,6}(?:[.,][0-9]{1,2})?)\s*(?:hours?|hrs?|h)\.?"
_MINUTES_ALONE = re.compile(rf"{_MINUTES}\.?", re.IGNORECASE)
_HOURS_AND_MINUTES = re.compile(rf"{_HOURS}(?:(?:\s*,\s*|\s+and\s+|\s*){_MINUTES}?\.?)?", re.IGNORECASE)


def read_minutes(text: str) -> int | Refusal:
    """Read minutes (`60`, `60.0`, `90 min`), hours (`1h`, `1h 30m`, `1.5 h`) or a spreadsheet's `1:30`."""
    if len(text) <= 9 and text.isascii() and text.isdigit():
        return int(text)
    if len(text) > _LONGEST:
        return Refusal(BAD_MINUTES, text)
    if text[0] in "-\u2212":
        return Refusal(BAD_MINUTES if isinstance(_minutes(text[1:].strip()), Refusal) else NEGATIVE_MINUTES, text)
    answer = _minutes(text)
    return Refusal(answer.complaint, text) if isinstance(answer, Refusal) else answer


def _minutes(text: str) -> int | Refusal:
    if number := _NUMBER.fullmatch(text):
        # `1.000` is a thousand to some and one to others: only a spreadsheet's own `.0` and `.00` mean nothing.
        whole_only = number[2] in {None, ".0", ".00"}
        return int(number[1]) if whole_only else Refusal(FRACTION_OF_MINUTE, text)
    if clock := _CLOCK.fullmatch(text):
        if clock[3] not in {None, "00"}:
            return Refusal(FRACTION_OF_MINUTE, text)
        return int(clock[1]) * 60 + int(clock[2])
    if alone := _MINUTES_ALONE.fullmatch(text):
        return int(alone[1])
    units = _HOURS_AND_MINUTES.fullmatch(text)
    if units is None:
        return Refusal(BAD_MINUTES, text)
    minutes = Fraction(units[1].replace(",", ".")) * 60 + int(units[2] or "0")
    return int(minutes) if minutes.denominator == 1 else Refusal(FRACTION_OF_MINUTE, text)
