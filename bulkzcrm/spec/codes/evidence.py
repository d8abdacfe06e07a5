"""What a record's own values prove, where the answer's code and field leave several causes open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from bulkzcrm.model import Json, Record

__all__ = [
    "business_times_are_well_formed",
    "ends_before_it_starts",
    "five_day_week_without_five_days",
    "one_unavailable_time_only",
    "timings_are_well_formed",
    "timings_shorter_than_duration",
    "unavailable_till_before_from",
]

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def timings_are_well_formed(record: Record) -> bool:
    """Tell whether there are timings and all of them are 24-hour times that end after they start."""
    spans = list(_spans(record))
    return bool(spans) and all(span is not None and span[0] < span[1] for span in spans)


def timings_shorter_than_duration(record: Record) -> bool:
    """Tell whether a well-formed timing is shorter than the service's duration in minutes."""
    duration = _number(record.get("Duration"))
    return (
        duration is not None
        and timings_are_well_formed(record)
        and any(span is not None and span[1] - span[0] < duration for span in _spans(record))
    )


def ends_before_it_starts(record: Record) -> bool:
    """Tell whether Available_Till is not after Available_From."""
    first, last = _date(record.get("Available_From")), _date(record.get("Available_Till"))
    return first is not None and last is not None and last <= first


def one_unavailable_time_only(record: Record) -> bool:
    """Tell whether exactly one of Unavailable_From and Unavailable_Till is given."""
    return (record.get("Unavailable_From") is None) is not (record.get("Unavailable_Till") is None)


def unavailable_till_before_from(record: Record) -> bool:
    """Tell whether Unavailable_Till is not after Unavailable_From."""
    first, last = _instant(record.get("Unavailable_From")), _instant(record.get("Unavailable_Till"))
    return first is not None and last is not None and last <= first


def five_day_week_without_five_days(record: Record) -> bool:
    """Tell whether business hours of five days a week list another number of days."""
    days = record.get("business_days")
    return (
        record.get("type") in ("24*5", "24_by_5")
        and isinstance(days, Sequence)
        and not isinstance(days, str)
        and len(days) != 5
    )


def business_times_are_well_formed(record: Record) -> bool:
    """Tell whether business hours give times and all of them are 24-hour times that end after they start."""
    spans = list(_business_spans(record))
    return bool(spans) and all(span is not None and span[0] < span[1] for span in spans)


def _spans(record: Record) -> Iterator[tuple[int, int] | None]:
    for timing in _entries(record.get("Available_Timings")):
        yield _span(timing.get("From"), timing.get("To")) if isinstance(timing, Mapping) else None


def _business_spans(record: Record) -> Iterator[tuple[int, int] | None]:
    if record.get("daily_timing") is not None:
        yield _pair(record.get("daily_timing"))
    for timing in _entries(record.get("custom_timing")):
        yield _pair(timing.get("business_timing")) if isinstance(timing, Mapping) else None


def _pair(value: Json) -> tuple[int, int] | None:
    times = _entries(value)
    return _span(times[0], times[1]) if len(times) == 2 else None


def _span(start: Json, end: Json) -> tuple[int, int] | None:
    first, last = _minutes(start), _minutes(end)
    return None if first is None or last is None else (first, last)


def _entries(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _minutes(value: Json) -> int | None:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) * 60 + int(match[2]) if match else None


def _number(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _date(value: Json) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _instant(value: Json) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo is not None else None
