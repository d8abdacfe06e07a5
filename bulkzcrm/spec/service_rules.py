"""The rules that the create-services and update-services pages state about one service, each with the page's own code.

What a single value may be (length, range, choices) stands with its field in `operations`; here stands what values must
be to each other, to the time, and to the organisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from bulkzcrm.model import Json
from bulkzcrm.spec.facts import Broken, Facts, Rule, instants
from bulkzcrm.spec.fields import WEEKDAYS
from bulkzcrm.spec.organisation import BusinessHours, Reading

__all__ = [
    "AVAILABLE",
    "DEPENDENTS",
    "NOT_IN_USE",
    "SERVICE_RULES",
    "SPECIFIC_DATES",
    "SPECIFIC_DAYS",
    "SPECIFIC_RANGE",
    "TEMPORARILY_UNAVAILABLE",
    "user_ids",
]

AVAILABLE: Final = "Available"
TEMPORARILY_UNAVAILABLE: Final = "Temporarily Unavailable"
NOT_IN_USE: Final = "Not in Use"
SPECIFIC_RANGE: Final = "Specific Date Range"
SPECIFIC_DATES: Final = "Specific Date(s)"
SPECIFIC_DAYS: Final = "Specific Day(s)"

DEPENDENTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Availability_Type": {
        SPECIFIC_RANGE: ("Available_From", "Available_Till"),
        SPECIFIC_DATES: ("Available_Dates",),
        SPECIFIC_DAYS: ("Available_Days",),
    },
    "Status": {
        TEMPORARILY_UNAVAILABLE: ("Unavailable_From", "Unavailable_Till"),
        NOT_IN_USE: ("Unavailable_From",),
    },
    "Job_Sheet_Required": {"Yes": ("Job_Sheet_Section__s",)},
}
"""Controlling field → its value → the fields that this value makes mandatory."""

_BOTH_PAGES: Final = "create-services and update-services"


def _texts(value: Json) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _spans(value: Json) -> list[tuple[str, str]]:
    """Return timings as (from, to); `HH:MM` texts compare as times do."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [(str(span.get("From") or ""), str(span.get("To") or "")) for span in value if isinstance(span, Mapping)]


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _dates(value: Json) -> list[date]:
    return [date.fromisoformat(text) for text in _texts(value)]


def user_ids(value: Json) -> list[str]:
    """Return the user ids of a resolved `Members` value (`[{"Members": {"id": ...}}]`), in order."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    inner = [entry.get("Members") for entry in value if isinstance(entry, Mapping)]
    return [str(member.get("id")) for member in inner if isinstance(member, Mapping)]


def _missing(controlling: str, chosen: str, dependent: str) -> Callable[[Facts], Broken | None]:
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


def _dependent_rules() -> list[Rule]:
    return [
        Rule(
            name=f"{dependent} with {chosen}",
            code="DEPENDENT_FIELD_MISSING",
            field=dependent,
            looks_at=(controlling, dependent),
            says=f"{dependent} must be given when {controlling} is “{chosen}”.",
            page=_BOTH_PAGES,
            judge=_missing(controlling, chosen, dependent),
        )
        for controlling, choices in DEPENDENTS.items()
        for chosen, dependents in choices.items()
        for dependent in dependents
    ]


def _till_after_from(facts: Facts) -> Broken | None:
    if facts["Availability_Type"] != SPECIFIC_RANGE:
        return None
    first, last = facts["Available_From"], facts["Available_Till"]
    if first is None or last is None or str(last) > str(first):
        return None
    return Broken(
        f"Available_Till ({last}) is not after Available_From ({first}).",
        "Give an Available_Till that is at least one day later than Available_From.",
    )


def _timings_hold_duration(facts: Facts) -> Broken | None:
    spans, duration = _spans(facts["Available_Timings"]), facts["Duration"]
    if not spans or not isinstance(duration, int):
        return None
    longest = max(_minutes(to) - _minutes(start) for start, to in spans)
    if longest >= duration:
        return None
    return Broken(
        f"No timing in Available_Timings is long enough for the Duration of {duration} minutes.",
        "Make at least one timing as long as the Duration, or shorten the Duration; the end of a timing comes after "
        "its start.",
    )


def _section_without_sheet(facts: Facts) -> Broken | None:
    if facts["Job_Sheet_Required"] == "Yes" or not facts.gives("Job_Sheet_Section__s"):
        return None
    return Broken(
        "Job_Sheet_Section__s names a job sheet, although Job_Sheet_Required is not Yes.",
        "Clear Job_Sheet_Section__s, or set Job_Sheet_Required to Yes.",
    )


def _from_not_in_future(facts: Facts) -> Broken | None:
    value = facts["Unavailable_From"]
    if value is None or instants(str(value), facts.now)[0] <= facts.now:
        return None
    return Broken(
        f"Unavailable_From ({value}) lies in the future.",
        "Give a moment that has passed, or write now.",
    )


def _till_in_future_while_unavailable(facts: Facts) -> Broken | None:
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


def _till_in_past_while_available(facts: Facts) -> Broken | None:
    if facts["Status"] != AVAILABLE or not facts.gives("Unavailable_Till"):
        return None
    value = facts["Unavailable_Till"]
    if instants(str(value), facts.now)[0] < facts.now:
        return None
    return Broken(
        f"Status is “{AVAILABLE}”, but Unavailable_Till ({value}) has not passed yet.",
        "Clear both unavailable times, or set Status to Temporarily Unavailable.",
    )


def _both_times_or_neither(facts: Facts) -> Broken | None:
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


def _dates_not_past(facts: Facts) -> Broken | None:
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


def _range_not_past(facts: Facts) -> Broken | None:
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


def _days_within_business_days(facts: Facts) -> Broken | None:
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


def _dates_on_business_days(facts: Facts) -> Broken | None:
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


def _timings_within_business_hours(facts: Facts) -> Broken | None:
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


def _members_active(facts: Facts) -> Broken | None:
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


def _job_sheets_on(facts: Facts) -> Broken | None:
    organisation = facts.organisation
    if organisation is None or organisation.job_sheet_enabled is not False or facts["Job_Sheet_Required"] != "Yes":
        return None
    return Broken(
        "Job_Sheet_Required is Yes, but job sheets are switched off in the organisation's service preferences.",
        "Switch them on first (update-service-preferences, job_sheet_enabled yes), or set Job_Sheet_Required to No.",
    )


SERVICE_RULES: Final[tuple[Rule, ...]] = (
    *_dependent_rules(),
    Rule(
        name="Available_Till after Available_From",
        code="INVALID_DATA",
        field="Available_Till",
        looks_at=("Available_From", "Available_Till", "Availability_Type"),
        says="Available_Till must be later than Available_From.",
        page=_BOTH_PAGES,
        judge=_till_after_from,
    ),
    Rule(
        name="timings hold the duration",
        code="INVALID_DATA",
        field="Available_Timings",
        looks_at=("Available_Timings", "Duration"),
        says="A timing in Available_Timings must be at least as long as Duration.",
        page=_BOTH_PAGES,
        judge=_timings_hold_duration,
    ),
    Rule(
        name="no job sheet unless required",
        code="DEPENDENT_MISMATCH",
        field="Job_Sheet_Section__s",
        looks_at=("Job_Sheet_Required", "Job_Sheet_Section__s"),
        says="Job_Sheet_Section__s may name a job sheet only when Job_Sheet_Required is Yes.",
        page=_BOTH_PAGES,
        judge=_section_without_sheet,
    ),
    Rule(
        name="Unavailable_From not in the future",
        code="INVALID_DATA",
        field="Unavailable_From",
        looks_at=("Unavailable_From",),
        says="Unavailable_From must not lie in the future.",
        page=_BOTH_PAGES,
        judge=_from_not_in_future,
    ),
    Rule(
        name="Unavailable_Till in the future while temporarily unavailable",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_Till",
        looks_at=("Unavailable_Till", "Status"),
        says="With Status “Temporarily Unavailable”, Unavailable_Till must lie in the future.",
        page=_BOTH_PAGES,
        judge=_till_in_future_while_unavailable,
    ),
    Rule(
        name="Unavailable_Till in the past while available",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_Till",
        looks_at=("Unavailable_Till", "Status"),
        says="With Status “Available”, Unavailable_Till must lie in the past.",
        page=_BOTH_PAGES,
        judge=_till_in_past_while_available,
    ),
    Rule(
        name="both unavailable times or neither while available",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_From",
        looks_at=("Unavailable_From", "Unavailable_Till", "Status"),
        says="With Status “Available”, give both unavailable times or neither.",
        page=_BOTH_PAGES,
        judge=_both_times_or_neither,
    ),
    Rule(
        name="Available_Dates not all past",
        code="NOT_ALLOWED",
        field="Available_Dates",
        looks_at=("Available_Dates", "Status", "Availability_Type"),
        says="A service cannot be Available or Temporarily Unavailable when all its Available_Dates have passed.",
        page=_BOTH_PAGES,
        judge=_dates_not_past,
    ),
    Rule(
        name="date range not past",
        code="NOT_ALLOWED",
        field="Available_Till",
        looks_at=("Available_Till", "Status", "Availability_Type"),
        says="A service cannot be Available or Temporarily Unavailable when its Available_Till has passed.",
        page=_BOTH_PAGES,
        judge=_range_not_past,
    ),
    Rule(
        name="Available_Days are business days",
        code="DEPENDENT_MISMATCH",
        field="Available_Days",
        looks_at=("Available_Days", "Availability_Type", "Status"),
        says="Available_Days must be business days of the organisation (unless Status is Not in Use).",
        page=_BOTH_PAGES,
        judge=_days_within_business_days,
        needs=(Reading.BUSINESS_HOURS,),
    ),
    Rule(
        name="Available_Dates on business days",
        code="DEPENDENT_MISMATCH",
        field="Available_Dates",
        looks_at=("Available_Dates", "Availability_Type", "Status"),
        says="Available_Dates must fall on business days of the organisation (unless Status is Not in Use).",
        page=_BOTH_PAGES,
        judge=_dates_on_business_days,
        needs=(Reading.BUSINESS_HOURS,),
    ),
    Rule(
        name="timings within business hours",
        code="DEPENDENT_MISMATCH",
        field="Available_Timings",
        looks_at=("Available_Timings", "Availability_Type", "Available_Days", "Available_Dates", "Status"),
        says="Available_Timings must lie within the business hours (unless Status is Not in Use).",
        page=_BOTH_PAGES,
        judge=_timings_within_business_hours,
        needs=(Reading.BUSINESS_HOURS,),
    ),
    Rule(
        name="members active and confirmed",
        code="INVALID_DATA",
        field="Members",
        looks_at=("Members",),
        says="Members must be active users who have confirmed their invitation.",
        page=_BOTH_PAGES,
        judge=_members_active,
        needs=(Reading.USERS,),
    ),
    Rule(
        name="job sheets switched on",
        code="NOT_ALLOWED",
        field="Job_Sheet_Required",
        looks_at=("Job_Sheet_Required",),
        says="Job_Sheet_Required may be Yes only while job sheets are switched on in the service preferences.",
        page=_BOTH_PAGES,
        judge=_job_sheets_on,
        needs=(Reading.PREFERENCES,),
    ),
)
