"""How each rule about a service is judged: a function of the facts that says how the rule is broken, or nothing.

The rules themselves, with code, field and page, stand in `service_rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from bulkzcrm.model import Json
from bulkzcrm.spec.facts import Broken, Facts, instants
from bulkzcrm.spec.fields import WEEKDAYS
from bulkzcrm.spec.organisation import BusinessHours

__all__ = [
    "both_times_or_neither",
    "dates_not_past",
    "dates_on_business_days",
    "days_within_business_days",
    "from_not_in_future",
    "job_sheets_on",
    "members_active",
    "missing",
    "range_not_past",
    "section_without_sheet",
    "till_after_from",
    "till_in_future_while_unavailable",
    "till_in_past_while_available",
    "timings_hold_duration",
    "timings_within_business_hours",
]

AVAILABLE: Final = "Available"
TEMPORARILY_UNAVAILABLE: Final = "Temporarily Unavailable"
NOT_IN_USE: Final = "Not in Use"
SPECIFIC_RANGE: Final = "Specific Date Range"
SPECIFIC_DATES: Final = "Specific Date(s)"
SPECIFIC_DAYS: Final = "Specific Day(s)"


def _texts(value: Json) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list | tuple) else []


def _spans(value: Json) -> list[tuple[str, str]]:
    """Return timings as (from, to); `HH:MM` texts compare as times do."""
    if not isinstance(value, list | tuple):
        return []
    return [(str(span.get("From") or ""), str(span.get("To") or "")) for span in value if isinstance(span, dict)]


@lru_cache(maxsize=24 * 60)
def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _dates(value: Json) -> list[date]:
    return [date.fromisoformat(text) for text in _texts(value)]


def user_ids(value: Json) -> list[str]:
    """Return the user ids of a resolved `Members` value (`[{"Members": {"id": ...}}]`), in order."""
    if not isinstance(value, list | tuple):
        return []
    inner = [entry.get("Members") for entry in value if isinstance(entry, dict)]
    return [str(member.get("id")) for member in inner if isinstance(member, dict)]


def missing(controlling: str, chosen: str, dependent: str) -> Callable[[Facts], Broken | None]:
    """Return the judge of "this dependent must be given when the controlling field has that value"."""
    # An update that turns a status on must say when itself: times left over from another status would be a guess.
    of_the_row = controlling == "Status"

    def judge(facts: Facts) -> Broken | None:
        if of_the_row and facts.given.get(controlling) != chosen:
            return None
        if facts[controlling] != chosen:
            return None
        if facts.gives(dependent) if of_the_row else facts[dependent] is not None:
            return None
        return Broken(
            f"{controlling} is “{chosen}”, and then {dependent} must be given, but it is blank.",
            f"Fill in {dependent}, or choose another {controlling}.",
        )

    return judge


def till_after_from(facts: Facts) -> Broken | None:
    """Available_Till is later than Available_From."""
    if facts["Availability_Type"] != SPECIFIC_RANGE:
        return None
    first, last = facts["Available_From"], facts["Available_Till"]
    if first is None or last is None or str(last) > str(first):
        return None
    return Broken(
        f"Available_Till ({last}) is not after Available_From ({first}).",
        "Give an Available_Till that is at least one day later than Available_From.",
    )


def timings_hold_duration(facts: Facts) -> Broken | None:
    """At least one timing is as long as the Duration."""
    spans, duration = _spans(facts["Available_Timings"]), facts["Duration"]
    if not spans or not isinstance(duration, int):
        return None
    longest = max([_minutes(to) - _minutes(start) for start, to in spans])
    if longest >= duration:
        return None
    return Broken(
        f"No timing in Available_Timings is long enough for the Duration of {duration} minutes.",
        "Make at least one timing as long as the Duration, or shorten the Duration; the end of a timing comes after "
        "its start.",
    )


def section_without_sheet(facts: Facts) -> Broken | None:
    """A job sheet is named only when one is required."""
    if facts["Job_Sheet_Required"] == "Yes" or not facts.gives("Job_Sheet_Section__s"):
        return None
    return Broken(
        "Job_Sheet_Section__s names a job sheet, although Job_Sheet_Required is not Yes.",
        "Clear Job_Sheet_Section__s, or set Job_Sheet_Required to Yes.",
    )


def from_not_in_future(facts: Facts) -> Broken | None:
    """Unavailable_From has passed."""
    value = facts["Unavailable_From"]
    if value is None or instants(str(value), facts.now)[0] <= facts.now:
        return None
    return Broken(
        f"Unavailable_From ({value}) lies in the future.",
        "Give a moment that has passed, or write now.",
    )


def till_in_future_while_unavailable(facts: Facts) -> Broken | None:
    """While temporarily unavailable, Unavailable_Till is still to come."""
    # A row that turns the status on without a time is told that it is missing, not that one left over has passed.
    if facts["Status"] != TEMPORARILY_UNAVAILABLE or (facts.gives("Status") and not facts.gives("Unavailable_Till")):
        return None
    value = facts["Unavailable_Till"]
    if value is None or instants(str(value), facts.now)[1] > facts.now:
        return None
    return Broken(
        f"Status is “{TEMPORARILY_UNAVAILABLE}”, but Unavailable_Till ({value}) has already passed.",
        "Give an Unavailable_Till in the future, or set Status to Available.",
    )


def till_in_past_while_available(facts: Facts) -> Broken | None:
    """While available, Unavailable_Till has passed."""
    if facts["Status"] != AVAILABLE or not facts.gives("Unavailable_Till"):
        return None
    value = facts["Unavailable_Till"]
    if instants(str(value), facts.now)[0] < facts.now:
        return None
    return Broken(
        f"Status is “{AVAILABLE}”, but Unavailable_Till ({value}) has not passed yet.",
        "Clear both unavailable times, or set Status to Temporarily Unavailable.",
    )


def both_times_or_neither(facts: Facts) -> Broken | None:
    """While available, both unavailable times are given or neither."""
    if facts["Status"] != AVAILABLE:
        return None
    given = [name for name in ("Unavailable_From", "Unavailable_Till") if facts.gives(name)]
    if len(given) != 1:
        return None
    (only,) = given
    return Broken(
        f"Status is “{AVAILABLE}”, and only {only} is given of the two unavailable times.",
        f"Clear {only}, or give both Unavailable_From and Unavailable_Till.",
        field=only,
    )


def dates_not_past(facts: Facts) -> Broken | None:
    """Of Available_Dates at least one is still to come, unless the service is not in use."""
    if facts["Status"] not in (AVAILABLE, TEMPORARILY_UNAVAILABLE):
        return None
    if facts["Availability_Type"] != SPECIFIC_DATES:
        return None
    today, days = facts.latest_today(), _dates(facts["Available_Dates"])
    if not days or max(days) >= today:
        return None
    return Broken(
        f"All Available_Dates have passed (the last is {max(days)}), so the service cannot be “{facts['Status']}”.",
        "Give at least one date to come, or set Status to Not in Use.",
    )


def range_not_past(facts: Facts) -> Broken | None:
    """Available_Till is still to come, unless the service is not in use."""
    if facts["Status"] not in (AVAILABLE, TEMPORARILY_UNAVAILABLE) or facts["Availability_Type"] != SPECIFIC_RANGE:
        return None
    till = facts["Available_Till"]
    if till is None or date.fromisoformat(str(till)) >= facts.latest_today():
        return None
    return Broken(
        f"Available_Till ({till}) has passed, so the service cannot be “{facts['Status']}”.",
        "Give an Available_Till to come, or set Status to Not in Use.",
    )


def _business_hours(facts: Facts) -> BusinessHours | None:
    """Return the business hours to keep to; a service that is not in use need not keep to any."""
    organisation = facts.organisation
    if organisation is None or organisation.business_hours is None or facts["Status"] == NOT_IN_USE:
        return None
    return organisation.business_hours


def days_within_business_days(facts: Facts) -> Broken | None:
    """Available_Days are business days, unless the service is not in use."""
    hours = _business_hours(facts)
    if hours is None or facts["Availability_Type"] != SPECIFIC_DAYS:
        return None
    outside = [day for day in _texts(facts["Available_Days"]) if day not in hours.days]
    if not outside:
        return None
    return Broken(
        f"{', '.join(outside)}: not a business day of the organisation ({_named(hours)}).",
        "Choose among the business days, or change the business hours first.",
    )


def dates_on_business_days(facts: Facts) -> Broken | None:
    """Available_Dates fall on business days, unless the service is not in use."""
    hours = _business_hours(facts)
    if hours is None or facts["Availability_Type"] != SPECIFIC_DATES:
        return None
    outside = [day for day in _dates(facts["Available_Dates"]) if WEEKDAYS[day.weekday()] not in hours.days]
    if not outside:
        return None
    shown = ", ".join(f"{day} ({WEEKDAYS[day.weekday()]})" for day in outside)
    return Broken(
        f"{shown}: not on a business day of the organisation ({_named(hours)}).",
        "Choose dates on business days, or change the business hours first.",
    )


def _named(hours: BusinessHours) -> str:
    return ", ".join(day for day in WEEKDAYS if day in hours.days) or "none"


def _service_days(facts: Facts, hours: BusinessHours) -> list[str]:
    """Return the business days on which the service is offered."""
    match facts["Availability_Type"]:
        case "Specific Day(s)":
            named = set(_texts(facts["Available_Days"]))
        case "Specific Date(s)":
            named = {WEEKDAYS[day.weekday()] for day in _dates(facts["Available_Dates"])}
        case _:
            named = set(WEEKDAYS)
    return [day for day in WEEKDAYS if day in named and day in hours.days]


def timings_within_business_hours(facts: Facts) -> Broken | None:
    """Timings lie within the business hours, unless the service is not in use."""
    hours = _business_hours(facts)
    spans = _spans(facts["Available_Timings"])
    if hours is None or not spans:
        return None
    days = _service_days(facts, hours)
    if not days or any(day not in hours.hours for day in days):
        return None
    for start, end in spans:
        # Where days differ, one that takes the timing is enough: which days the server means is not stated.
        if not any(hours.hours[day][0] <= start and end <= hours.hours[day][1] for day in days):
            first, last = hours.hours[days[0]]
            return Broken(
                f"The timing {start}-{end} lies outside the business hours ({first}-{last} on {days[0]}).",
                "Choose timings within the business hours, or change the business hours first.",
            )
    return None


def members_active(facts: Facts) -> Broken | None:
    """Every member is an active user who has confirmed the invitation."""
    organisation = facts.organisation
    if organisation is None or organisation.users is None:
        return None
    wrong = []
    for user_id in user_ids(facts["Members"]):
        user = organisation.users.get(user_id)
        if user is None:
            wrong.append(f"{user_id} is no user of the organisation")
        elif not user.active:
            wrong.append(f"{user.name} ({user_id}) is not active")
        elif not user.confirmed:
            wrong.append(f"{user.name} ({user_id}) has not confirmed the invitation")
    if not wrong:
        return None
    return Broken(
        "; ".join(wrong) + ".",
        "Take these members out of the cell, or have an administrator activate them in Zoho CRM first.",
    )


def job_sheets_on(facts: Facts) -> Broken | None:
    """A job sheet is required only while the organisation has them switched on."""
    organisation = facts.organisation
    if organisation is None or organisation.job_sheet_enabled is not False or facts["Job_Sheet_Required"] != "Yes":
        return None
    return Broken(
        "Job_Sheet_Required is Yes, but job sheets are switched off in the organisation's service preferences.",
        "Switch them on first (update-service-preferences, job_sheet_enabled yes), or set Job_Sheet_Required to No.",
    )
