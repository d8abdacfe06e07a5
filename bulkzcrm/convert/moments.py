"""Date-times become ISO 8601; one without an offset takes it from a time zone, unless the clocks changed just then."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import partial
from zoneinfo import ZoneInfo

from bulkzcrm.convert.clock import split_clock
from bulkzcrm.convert.dates import DateRule, judge_date
from bulkzcrm.convert.values import Finding, Open, Read, ReadCell, ReadText, Refusal, plain_text
from bulkzcrm.convert.words import BAD_DATE, BAD_DATETIME, REPEATED_TIME, SKIPPED_TIME, YEAR_OUT_OF_RANGE
from bulkzcrm.model import CellValue

__all__ = ["NOW", "localise", "moment_readers"]

NOW = "now"
"""Stands for the moment of sending."""

_FIRST_YEAR = 1970
_LONGEST = 64
_WANTED = len("2030-01-31T14:30:00+05:30")
_WIDEST_OFFSET = timedelta(hours=14)
"""No zone is further from UTC (Kiritimati, UTC+14)."""

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{3}|\.[0-9]{6})?)?"
    r"(?:Z|[+\-](?:0[0-9]|1[0-3]):[0-5][0-9])?"
)


def moment_readers(rule: DateRule, zone: ZoneInfo | None) -> tuple[ReadText, ReadCell]:
    """Return readers of date-times, for texts and for typed cells.

    A date alone means its midnight. Seconds are kept, fractions of one are dropped. Without a zone, a text without an
    offset comes out without one; `localise` adds it later.
    """
    return partial(_read_moment, rule=rule, zone=zone), partial(_read_moment_cell, zone=zone)


def localise(text: str, zone: ZoneInfo) -> str | Refusal:
    """Give a converted date-time the offset that `zone` has then; `now` and a text with an offset stay as they are.

    A local time that a change of clocks skips or repeats is refused. `text` is as conversion makes it: `now`, or ISO
    8601 to the second; `ValueError` for anything else.
    """
    if text == NOW:
        return text
    moment = datetime.fromisoformat(text)
    return text if moment.tzinfo is not None else _in_zone(text, moment, zone)


def _in_zone(text: str, moment: datetime, zone: ZoneInfo) -> str | Refusal:
    # The two readings of a wall-clock time (PEP 495) differ only where the clocks change: the first has the larger
    # offset where an hour comes twice, the smaller one where it is skipped.
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    first_offset, second_offset = first.utcoffset(), second.utcoffset()
    if first_offset == second_offset or first_offset is None or second_offset is None:
        return first.isoformat(timespec="seconds")
    return Refusal(REPEATED_TIME if first_offset > second_offset else SKIPPED_TIME, text)


def _read_moment(text: str, rule: DateRule, zone: ZoneInfo | None) -> Read:
    if _ISO.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text)
            # To the second, with an offset: as it is wanted. (A later Python takes 24:00 for the next day's midnight.)
            if (
                len(text) == _WANTED
                and "T00" <= text[10:13] < "T24"
                and text[-6:] != "-00:00"
                and moment.year >= _FIRST_YEAR
            ):
                return text
            return _finished(text, moment, zone)
        except ValueError:
            pass  # the slow way tells what is wrong
    if text.casefold() == NOW:
        return NOW
    split = split_clock(text) if len(text) <= _LONGEST else None
    date_text, clock, offset_text = split or (text, time(), "")
    offset = _offset(offset_text)
    if isinstance(offset, Refusal):
        return Refusal(BAD_DATETIME, text)
    judged, evidence = judge_date(date_text, rule)
    value: str | Refusal | Open
    match judged:
        case date():
            value = _finished(text, datetime.combine(judged, clock, offset), zone)
        case Refusal():
            value = Refusal(BAD_DATETIME if judged.complaint is BAD_DATE else judged.complaint, text)
        case Open():
            value = judged
    return Finding(value, evidence) if evidence or isinstance(value, Open) else value


def _read_moment_cell(value: CellValue, zone: ZoneInfo | None) -> Read:
    text = plain_text(value) or "a very long number"
    if isinstance(value, datetime):
        return _finished(text, value, zone)
    if isinstance(value, date):
        return _finished(text, datetime.combine(value, time()), zone)
    return Refusal(BAD_DATETIME, text)


def _finished(text: str, moment: datetime, zone: ZoneInfo | None) -> str | Refusal:
    if moment.year < _FIRST_YEAR:
        return Refusal(YEAR_OUT_OF_RANGE, text)
    whole = moment.replace(microsecond=0)
    if whole.utcoffset() is not None or zone is None:
        return whole.isoformat(timespec="seconds")
    return _in_zone(text, whole, zone)


def _offset(text: str) -> timezone | Refusal | None:
    if not text:
        return None
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    digits = text[1:].replace(":", "")
    width = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if width > _WIDEST_OFFSET or int(digits[2:]) > 59:
        return Refusal(BAD_DATETIME, text)
    return timezone(width if text[0] == "+" else -width)
