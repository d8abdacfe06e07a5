"""Dates become `YYYY-MM-DD`; one whose day and month could change places is settled by its column, never guessed at.

A text with the year first, or with the month's English name, has one meaning under every rule. Years run from 1970 to
9999 and are written with four digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from bulkzcrm.convert.clock import split_clock
from bulkzcrm.convert.entries import date_entries
from bulkzcrm.convert.values import OPEN, Evidence, Finding, Open, Read, ReadCell, ReadText, Refusal, plain_text
from bulkzcrm.convert.words import (
    AMBIGUOUS_DATE,
    BAD_DATE,
    IMPOSSIBLE_DATE,
    NO_DAY_FIRST,
    NO_MONTH_FIRST,
    NO_YEAR_FIRST,
    SHORT_YEAR,
    TIME_IN_DATE,
    WRONG_WEEKDAY,
    YEAR_OUT_OF_RANGE,
)
from bulkzcrm.model import CellValue

__all__ = ["DateOrder", "DateRule", "Judged", "date_readers", "dates_readers", "judge_date"]

_FIRST_YEAR = 1970
_LONGEST = 64

_NUMERIC = re.compile(r"([0-9]{1,4})\s?([/.\-])\s?([0-9]{1,2})\s?\2\s?([0-9]{1,4})")
_ISO_LIST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:; ?[0-9]{4}-[0-9]{2}-[0-9]{2})*")
"""The usual case, and the quick one."""
_BETWEEN_WORDS = re.compile(r"[\s,./\-]+")
_DAY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?")
_MONTH_NAMES = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905 - read as a sentence
)
_MONTHS = {name[:length]: number for number, name in enumerate(_MONTH_NAMES, 1) for length in (3, len(name))} | {
    "sept": 9
}
_WEEKDAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905 - the same
_WEEKDAYS = {name[:length]: number for number, name in enumerate(_WEEKDAY_NAMES) for length in (3, len(name))}


class DateOrder(StrEnum):
    """In which order day, month and year are written."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


@dataclass(frozen=True, slots=True)
class DateRule:
    """How to take `03/04/2026`.

    `order` is known or None. `demanded` means that the user named it: texts that contradict it are refused. `settled`
    means that nothing more will be learnt: what is still open is refused.
    """

    order: DateOrder | None = None
    demanded: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class _TwoOrders:
    """What a text with the year at its end means if the day comes first, and if the month does."""

    day_first: date | None
    month_first: date | None


Judged: TypeAlias = tuple[date | Refusal | Open, tuple[Evidence, ...]]
"""A date, why there is none, or that it is open; and what the text proves about its column."""


def date_readers(rule: DateRule) -> tuple[ReadText, ReadCell]:
    """Return readers of one date, for texts and for typed cells."""
    return partial(_read_date, rule=rule), _read_date_cell


def dates_readers(rule: DateRule) -> tuple[ReadText, ReadCell]:
    """Return readers of a list of dates, each taken once, for texts and for typed cells."""
    return partial(_read_dates, rule=rule), _read_dates_cell


def judge_date(text: str, rule: DateRule) -> Judged:
    """Read a date without a time."""
    parsed = _parse(text)
    if not isinstance(parsed, _TwoOrders):
        return parsed, ()
    day_first, month_first = parsed.day_first, parsed.month_first
    if rule.demanded and rule.order is not None:
        return _demanded(text, parsed, rule.order), ()
    if day_first == month_first:
        return day_first or Refusal(IMPOSSIBLE_DATE, text), ()
    if month_first is None and day_first is not None:
        return day_first, (Evidence.DAY_FIRST,)
    if day_first is None and month_first is not None:
        return month_first, (Evidence.MONTH_FIRST,)
    if rule.order is not None:
        return _demanded(text, parsed, rule.order), ()
    return Refusal(AMBIGUOUS_DATE, text) if rule.settled else OPEN, ()


def _demanded(text: str, parsed: _TwoOrders, order: DateOrder) -> date | Refusal:
    if parsed.day_first is None and parsed.month_first is None:
        return Refusal(IMPOSSIBLE_DATE, text)
    match order:
        case DateOrder.DMY:
            return parsed.day_first or Refusal(NO_DAY_FIRST, text)
        case DateOrder.MDY:
            return parsed.month_first or Refusal(NO_MONTH_FIRST, text)
        case DateOrder.YMD:
            return Refusal(NO_YEAR_FIRST, text)


def _read_date(text: str, rule: DateRule) -> Read:
    if (iso := _iso_date(text)) is not None:
        return iso
    judged, evidence = _judge_with_midnight(text, rule)
    value = judged.isoformat() if isinstance(judged, date) else judged
    return value if not evidence and not isinstance(value, Open) else Finding(value, evidence)


def _iso_date(text: str) -> str | None:
    """Return a date that is written as it is wanted; the usual case, and the quick one."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or text < f"{_FIRST_YEAR}":
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def _judge_with_midnight(text: str, rule: DateRule) -> Judged:
    """Read a date; a time behind it is forgiven when it is midnight, as exports write dates so."""
    split = split_clock(text) if len(text) <= _LONGEST else None
    if split is None:
        return judge_date(text, rule)
    date_text, clock, _ = split
    judged, evidence = judge_date(date_text, rule)
    if isinstance(judged, Refusal):
        return Refusal(judged.complaint, text), ()
    return judged if clock == time() else Refusal(TIME_IN_DATE, text), evidence


def _read_date_cell(value: CellValue) -> Read:
    text = plain_text(value)
    if isinstance(value, datetime):
        if value.time().replace(microsecond=0) != time():
            return Refusal(TIME_IN_DATE, text or "")
        return _dated(value.date())
    if isinstance(value, date):
        return _dated(value)
    return Refusal(BAD_DATE, text or "a very long number")


def _dated(value: date) -> str | Refusal:
    return value.isoformat() if value.year >= _FIRST_YEAR else Refusal(YEAR_OUT_OF_RANGE, value.isoformat())


def _read_dates(text: str, rule: DateRule) -> Read:
    if _ISO_LIST.fullmatch(text) and None not in (days := [_iso_date(day) for day in text.replace(" ", "").split(";")]):
        return list(dict.fromkeys(day for day in days if day is not None))
    readings: list[Read] = [_read_date(entry, rule) for entry in date_entries(text)]
    if not readings:
        return Refusal(BAD_DATE, text)
    findings = [reading for reading in readings if isinstance(reading, Finding)]
    evidence = tuple(dict.fromkeys(proof for finding in findings for proof in finding.evidence))
    values = [reading.value if isinstance(reading, Finding) else reading for reading in readings]
    refusal = next((value for value in values if isinstance(value, Refusal)), None)
    if refusal is None and any(isinstance(value, Open) for value in values):
        return Finding(OPEN, evidence)
    value: Refusal | list[str] = refusal or list(dict.fromkeys(value for value in values if isinstance(value, str)))
    return Finding(value, evidence) if evidence else value


def _read_dates_cell(value: CellValue) -> Read:
    read = _read_date_cell(value)
    return [read] if isinstance(read, str) else read


def _parse(text: str) -> date | _TwoOrders | Refusal:
    if len(text) > _LONGEST:
        return Refusal(BAD_DATE, text)
    numeric = _NUMERIC.fullmatch(text)
    if numeric is None:
        return _parse_written(text)
    first, second, third = numeric[1], int(numeric[3]), numeric[4]
    match len(first), len(third):
        case 4, 1 | 2:
            return _in_range(text, int(first), second, int(third))
        case 1 | 2, 4:
            if int(third) < _FIRST_YEAR:
                return Refusal(YEAR_OUT_OF_RANGE, text)
            year = int(third)
            return _TwoOrders(_calendar(year, second, int(first)), _calendar(year, int(first), second))
        case 1 | 2, 1 | 2:
            return Refusal(SHORT_YEAR, text)
        case _:
            return Refusal(BAD_DATE, text)


def _parse_written(text: str) -> date | Refusal:
    """Read `31 Mar 2026`, `March 31, 2026`, `2026-Mar-31`, each perhaps behind the name of its weekday."""
    words = [word for word in _BETWEEN_WORDS.split(text.casefold()) if word]
    weekday = _WEEKDAYS.get(words[0]) if len(words) == 4 else None
    words = words if weekday is None else words[1:]
    if len(words) != 3:
        return Refusal(BAD_DATE, text)
    months = [index for index, word in enumerate(words) if word in _MONTHS]
    if months not in ([0], [1]):
        return Refusal(BAD_DATE, text)
    month = _MONTHS[words.pop(months[0])]
    day, year = reversed(words) if len(words[0]) == 4 and words[0].isdigit() and months == [1] else words
    day_number = _DAY.fullmatch(day)
    if day_number is None or not (year.isascii() and year.isdigit() and len(year) in {2, 4}):
        return Refusal(BAD_DATE, text)
    if len(year) == 2:
        return Refusal(SHORT_YEAR, text)
    written = _in_range(text, int(year), month, int(day_number[1]))
    if isinstance(written, date) and weekday not in {None, written.weekday()}:
        return Refusal(WRONG_WEEKDAY, text)
    return written


def _in_range(text: str, year: int, month: int, day: int) -> date | Refusal:
    if year < _FIRST_YEAR:
        return Refusal(YEAR_OUT_OF_RANGE, text)
    return _calendar(year, month, day) or Refusal(IMPOSSIBLE_DATE, text)


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
