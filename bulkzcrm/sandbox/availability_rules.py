"""The rules of the Services pages on when a service is available: type, dates, days and timings.

Keys that belong to another availability type than the record's are read for their form and then dropped: the pages
neither ask for them nor forbid them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time

from bulkzcrm.sandbox import values
from bulkzcrm.sandbox.answers import Broken
from bulkzcrm.sandbox.draft import Draft
from bulkzcrm.sandbox.hours import minutes
from bulkzcrm.sandbox.jsontext import Json

EVERY_DAY, DATE_RANGE, DATES, DAYS = "Every Business Days", "Specific Date Range", "Specific Date(s)", "Specific Day(s)"
AVAILABILITY_TYPES = (EVERY_DAY, DATE_RANGE, DATES, DAYS)

DATES_MAXIMUM = 20
DAYS_MAXIMUM = 7
TIMINGS_MAXIMUM = 2


def availability_type(draft: Draft) -> None:
    """Mandatory on both pages; one of four values."""
    value = draft.demand("Availability_Type")
    draft.result["Availability_Type"] = values.choice(value, "Availability_Type", AVAILABILITY_TYPES)


def available_from(draft: Draft) -> None:
    """Mandatory with Specific Date Range; a date."""
    _range_date(draft, "Available_From")


def available_till(draft: Draft) -> None:
    """Mandatory with Specific Date Range; a date after Available_From."""
    till = _range_date(draft, "Available_Till")
    start = draft.result["Available_From"]
    if till is not None and isinstance(start, str) and till <= date.fromisoformat(start):
        raise Broken("INVALID_DATA", "Available_Till", "the last date is not after the first")


def _range_date(draft: Draft, key: str) -> date | None:
    belongs = _type(draft) == DATE_RANGE
    value = draft.demand_dependent(key) if belongs else draft.value(key)
    found = None if values.is_blank(value) else values.calendar_date(value, key)
    draft.result[key] = found.isoformat() if belongs and found is not None else None
    return found if belongs else None


def available_dates(draft: Draft) -> None:
    """Mandatory with Specific Date(s); up to 20 dates, all of them business days."""
    key = "Available_Dates"
    belongs = _type(draft) == DATES
    value = draft.demand_dependent(key) if belongs else draft.value(key)
    found: list[date] = []
    if not values.is_blank(value):
        sent = values.array(value, key, DATES_MAXIMUM)
        found = [values.calendar_date(element, f"{key}[{position}]") for position, element in enumerate(sent)]
    if belongs:
        _on_business_days(draft, key, [_weekday(day) for day in found])
    draft.result[key] = [day.isoformat() for day in found] if belongs else None


def available_days(draft: Draft) -> None:
    """Mandatory with Specific Day(s); up to 7 names of weekdays, all of them business days."""
    key = "Available_Days"
    belongs = _type(draft) == DAYS
    value = draft.demand_dependent(key) if belongs else draft.value(key)
    found: list[str] = []
    if not values.is_blank(value):
        sent = values.array(value, key, DAYS_MAXIMUM)
        found = [values.weekday(element, f"{key}[{position}]") for position, element in enumerate(sent)]
    if belongs:
        _on_business_days(draft, key, found)
    draft.result[key] = found if belongs else None


def _on_business_days(draft: Draft, key: str, days: Iterable[str]) -> None:
    for position, day in enumerate(days):
        if draft.is_in_use() and not draft.around.hours.is_worked(day):
            message = f"{day} is no business day of the organisation"
            raise Broken("DEPENDENT_MISMATCH", f"{key}[{position}]", message, dependee="Status")


def available_timings(draft: Draft) -> None:
    """Optional; up to two timings within the business hours, at least one of them as long as the service."""
    key = "Available_Timings"
    value = draft.value(key)
    if values.is_blank(value):
        draft.result[key] = None
        return
    rows = values.array(value, key, TIMINGS_MAXIMUM)
    timings = [_timing(values.json_object(row, f"{key}[{place}]"), f"{key}[{place}]") for place, row in enumerate(rows)]
    longest = max(minutes(till) - minutes(start) for start, till in timings)
    length = draft.result["Duration"]
    if isinstance(length, int) and longest < length:
        raise Broken("INVALID_DATA", key, "no timing is as long as the duration")
    for place, timing in enumerate(timings):
        _within_business_hours(draft, timing, f"{key}[{place}]")
    draft.result[key] = [{"From": str(start)[:5], "To": str(till)[:5]} for start, till in timings]


def _timing(row: Json, path: str) -> tuple[time, time]:
    for end in ("From", "To"):
        if values.is_blank(row.get(end)):
            raise Broken("MANDATORY_NOT_FOUND", f"{path}.{end}", "a mandatory key is missing")
    start = values.clock_time(row["From"], f"{path}.From")
    till = values.clock_time(row["To"], f"{path}.To")
    if till <= start:
        raise Broken("INVALID_DATA", f"{path}.To", "the timing ends before it begins")
    return start, till


def _within_business_hours(draft: Draft, timing: tuple[time, time], path: str) -> None:
    if not draft.is_in_use():
        return
    hours, days = draft.around.hours, _days(draft)
    start, till = minutes(timing[0]), minutes(timing[1])
    message = "the timing lies outside the business hours of the organisation"
    if not hours.contain((start, start), days):
        raise Broken("DEPENDENT_MISMATCH", f"{path}.From", message, dependee="Status")
    if not hours.contain((start, till), days):
        raise Broken("DEPENDENT_MISMATCH", f"{path}.To", message, dependee="Status")


def _days(draft: Draft) -> list[str]:
    """Weekdays on which the service is offered, as far as its availability names them; else the whole week."""
    days, dates = draft.result["Available_Days"], draft.result["Available_Dates"]
    if isinstance(days, list):
        return [str(day) for day in days]
    if isinstance(dates, list):
        return [_weekday(date.fromisoformat(str(day))) for day in dates]
    return list(values.WEEKDAYS)


def past_key(draft: Draft) -> str | None:
    """Name of the key that shows the service's dates to be over, all of them; None while one is still to come."""
    dates, till = draft.result["Available_Dates"], draft.result["Available_Till"]
    today = draft.around.today
    if isinstance(dates, list) and all(date.fromisoformat(str(day)) < today for day in dates):
        return "Available_Dates"
    if isinstance(till, str) and date.fromisoformat(till) < today:
        return "Available_Till"
    return None


def _type(draft: Draft) -> str:
    return str(draft.result["Availability_Type"])


def _weekday(day: date) -> str:
    return values.WEEKDAYS[day.weekday()]
