"""The conversion as somebody writes it by hand for this one spreadsheet: no columns to match, no formats to guess.

It judges what the benchmark's rows can get wrong and what a careful person would look at besides, and makes the very
records that the tool makes (a test holds the two against each other).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = ["Problem", "converted"]

Problem = tuple[str, str, str]
"""Code, field, and a sentence."""

_LOCATIONS = {
    each.casefold(): each for each in ("Client Address", "Business Address", "Business Address and Client Address")
}
_KINDS = {
    each.casefold(): each
    for each in ("Every Business Days", "Specific Date Range", "Specific Date(s)", "Specific Day(s)")
}
_STATUSES = {each.casefold(): each for each in ("Available", "Temporarily Unavailable", "Not in Use")}
_DAYS = {
    each[:3].casefold(): each for each in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
}


def converted(  # noqa: PLR0915 - one long function is what one writes by hand
    cells: Sequence[str], members: Mapping[str, str], taxes: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    """Make a record of a row's cells, or say what is wrong with it; `members` and `taxes` by e-mail and by id."""
    name, duration, location, people, kind, first, last, days, price, hours, tax, status, since, about, _ = cells
    problems: list[Problem] = []
    record: dict[str, Any] = {}

    name = name.strip()
    if not name:
        problems.append(("MANDATORY_NOT_FOUND", "Service_Name", "The name is missing."))
    elif len(name) > 120:
        problems.append(("INVALID_DATA", "Service_Name", "The name is too long."))
    record["Service_Name"] = name

    try:
        minutes = int(duration)
    except ValueError:
        minutes = 0
    if not 15 <= minutes <= 1440:
        problems.append(("INVALID_DATA", "Duration", "The duration is 15 to 1440 minutes."))
    record["Duration"] = minutes

    place = _LOCATIONS.get(location.strip().casefold())
    if place is None:
        problems.append(("INVALID_DATA", "Location", f"{location!r} is no location."))
    record["Location"] = place

    rows = []
    for person in people.split(";"):
        user = members.get(person.strip())
        if user is None:
            problems.append(("NAME_NOT_FOUND", "Members", f"There is no user {person!r}."))
        else:
            rows.append({"Members": {"id": user}})
    record["Members"] = rows

    available = _KINDS.get(kind.strip().casefold())
    if available is None:
        problems.append(("INVALID_DATA", "Availability_Type", f"{kind!r} is no availability."))
    record["Availability_Type"] = available
    if available == "Specific Date Range":
        try:
            start, end = date.fromisoformat(first), date.fromisoformat(last)
        except ValueError:
            problems.append(("INVALID_DATA", "Available_From", "A date is missing or no date."))
        else:
            if end < start:
                problems.append(("INVALID_DATA", "Available_Till", "It ends before it begins."))
            record["Available_From"], record["Available_Till"] = start.isoformat(), end.isoformat()
    elif available == "Specific Day(s)":
        named = [_DAYS.get(day.strip().casefold()[:3]) for day in days.split(";")]
        if None in named:
            problems.append(("INVALID_DATA", "Available_Days", f"{days!r} are no days."))
        record["Available_Days"] = named
    elif first or last or days:
        problems.append(("DEPENDENT_MISMATCH", "Availability_Type", "Dates do not go with it."))

    try:
        amount = Decimal(price)
    except InvalidOperation:
        amount = Decimal(-1)
    if not 0 <= amount < 10**16:
        problems.append(("INVALID_DATA", "Price", f"{price!r} is no price."))
    record["Price"] = amount

    if hours:
        spans = [span.strip().split("-") for span in hours.split(";")]
        before = ""
        for span in spans:
            if len(span) != 2 or not before <= span[0] < span[1]:
                problems.append(("INVALID_DATA", "Available_Timings", f"{hours!r} are no hours."))
                break
            before = span[1]
        else:
            record["Available_Timings"] = [{"From": span[0], "To": span[1]} for span in spans]

    if tax:
        value = taxes.get(tax)
        if value is None:
            problems.append(("NAME_NOT_FOUND", "Tax", f"There is no tax {tax!r}."))
        record["Tax"] = [{"id": tax, "value": value}]

    chosen = _STATUSES.get(status.strip().casefold())
    if chosen is None:
        problems.append(("INVALID_DATA", "Status", f"{status!r} is no status."))
    record["Status"] = chosen
    if chosen == "Not in Use":
        try:
            moment = datetime.fromisoformat(since)
        except ValueError:
            problems.append(("DEPENDENT_FIELD_MISSING", "Unavailable_From", "Since when is missing."))
        else:
            record["Unavailable_From"] = moment.isoformat()
    if about:
        record["Description"] = about
    return record, problems
