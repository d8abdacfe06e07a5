"""The rules that the create-services and update-services pages state about one service, each with the page's own code.

What a single value may be (length, range, choices) stands with its field in `service_fields`; here stands what values
must be to each other, to the time, and to the organisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bulkzcrm.spec import service_judges as judges
from bulkzcrm.spec.facts import Rule
from bulkzcrm.spec.organisation import Reading

__all__ = ["DEPENDENTS", "SERVICE_RULES"]

DEPENDENTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Availability_Type": {
        judges.SPECIFIC_RANGE: ("Available_From", "Available_Till"),
        judges.SPECIFIC_DATES: ("Available_Dates",),
        judges.SPECIFIC_DAYS: ("Available_Days",),
    },
    "Status": {
        judges.TEMPORARILY_UNAVAILABLE: ("Unavailable_From", "Unavailable_Till"),
        judges.NOT_IN_USE: ("Unavailable_From",),
    },
    "Job_Sheet_Required": {"Yes": ("Job_Sheet_Section__s",)},
}
"""Controlling field → its value → the fields that this value makes mandatory."""

_BOTH_PAGES: Final = "create-services and update-services"


def _dependent_rules() -> list[Rule]:
    return [
        Rule(
            name=f"{dependent} with {chosen}",
            code="DEPENDENT_FIELD_MISSING",
            field=dependent,
            looks_at=(controlling, dependent),
            says=f"{dependent} must be given when {controlling} is “{chosen}”.",
            page=_BOTH_PAGES,
            judge=judges.missing(controlling, chosen, dependent),
            only_while=(controlling, chosen),
        )
        for controlling, choices in DEPENDENTS.items()
        for chosen, dependents in choices.items()
        for dependent in dependents
    ]


SERVICE_RULES: Final[tuple[Rule, ...]] = (
    *_dependent_rules(),
    Rule(
        name="Available_Till after Available_From",
        code="INVALID_DATA",
        field="Available_Till",
        looks_at=("Available_From", "Available_Till", "Availability_Type"),
        says="Available_Till must be later than Available_From.",
        page=_BOTH_PAGES,
        judge=judges.till_after_from,
        only_while=("Availability_Type", judges.SPECIFIC_RANGE),
    ),
    Rule(
        name="timings hold the duration",
        code="INVALID_DATA",
        field="Available_Timings",
        looks_at=("Available_Timings", "Duration"),
        says="A timing in Available_Timings must be at least as long as Duration.",
        page=_BOTH_PAGES,
        judge=judges.timings_hold_duration,
        blank_is_fine=True,
    ),
    Rule(
        name="no job sheet unless required",
        code="DEPENDENT_MISMATCH",
        field="Job_Sheet_Section__s",
        looks_at=("Job_Sheet_Required", "Job_Sheet_Section__s"),
        says="Job_Sheet_Section__s may name a job sheet only when Job_Sheet_Required is Yes.",
        page=_BOTH_PAGES,
        judge=judges.section_without_sheet,
        blank_is_fine=True,
    ),
    Rule(
        name="Unavailable_From not in the future",
        code="INVALID_DATA",
        field="Unavailable_From",
        looks_at=("Unavailable_From",),
        says="Unavailable_From must not lie in the future.",
        page=_BOTH_PAGES,
        judge=judges.from_not_in_future,
        blank_is_fine=True,
    ),
    Rule(
        name="Unavailable_Till in the future while temporarily unavailable",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_Till",
        looks_at=("Unavailable_Till", "Status"),
        says="With Status “Temporarily Unavailable”, Unavailable_Till must lie in the future.",
        page=_BOTH_PAGES,
        judge=judges.till_in_future_while_unavailable,
        only_while=("Status", judges.TEMPORARILY_UNAVAILABLE),
    ),
    Rule(
        name="Unavailable_Till in the past while available",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_Till",
        looks_at=("Unavailable_Till", "Status"),
        says="With Status “Available”, Unavailable_Till must lie in the past.",
        page=_BOTH_PAGES,
        judge=judges.till_in_past_while_available,
        blank_is_fine=True,
    ),
    Rule(
        name="both unavailable times or neither while available",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_From",
        looks_at=("Unavailable_From", "Unavailable_Till", "Status"),
        says="With Status “Available”, give both unavailable times or neither.",
        page=_BOTH_PAGES,
        judge=judges.both_times_or_neither,
        only_while=("Status", judges.AVAILABLE),
    ),
    Rule(
        name="Available_Dates not all past",
        code="NOT_ALLOWED",
        field="Available_Dates",
        looks_at=("Available_Dates", "Status", "Availability_Type"),
        says="A service cannot be Available or Temporarily Unavailable when all its Available_Dates have passed.",
        page=_BOTH_PAGES,
        judge=judges.dates_not_past,
        only_while=("Availability_Type", judges.SPECIFIC_DATES),
    ),
    Rule(
        name="date range not past",
        code="NOT_ALLOWED",
        field="Available_Till",
        looks_at=("Available_Till", "Status", "Availability_Type"),
        says="A service cannot be Available or Temporarily Unavailable when its Available_Till has passed.",
        page=_BOTH_PAGES,
        judge=judges.range_not_past,
        only_while=("Availability_Type", judges.SPECIFIC_RANGE),
    ),
    Rule(
        name="Available_Days are business days",
        code="DEPENDENT_MISMATCH",
        field="Available_Days",
        looks_at=("Available_Days", "Availability_Type", "Status"),
        says="Available_Days must be business days of the organisation (unless Status is Not in Use).",
        page=_BOTH_PAGES,
        judge=judges.days_within_business_days,
        only_while=("Availability_Type", judges.SPECIFIC_DAYS),
        needs=(Reading.BUSINESS_HOURS,),
    ),
    Rule(
        name="Available_Dates on business days",
        code="DEPENDENT_MISMATCH",
        field="Available_Dates",
        looks_at=("Available_Dates", "Availability_Type", "Status"),
        says="Available_Dates must fall on business days of the organisation (unless Status is Not in Use).",
        page=_BOTH_PAGES,
        judge=judges.dates_on_business_days,
        only_while=("Availability_Type", judges.SPECIFIC_DATES),
        needs=(Reading.BUSINESS_HOURS,),
    ),
    Rule(
        name="timings within business hours",
        code="DEPENDENT_MISMATCH",
        field="Available_Timings",
        looks_at=("Available_Timings", "Availability_Type", "Available_Days", "Available_Dates", "Status"),
        says="Available_Timings must lie within the business hours (unless Status is Not in Use).",
        page=_BOTH_PAGES,
        judge=judges.timings_within_business_hours,
        blank_is_fine=True,
        needs=(Reading.BUSINESS_HOURS,),
    ),
    Rule(
        name="members active and confirmed",
        code="INVALID_DATA",
        field="Members",
        looks_at=("Members",),
        says="Members must be active users who have confirmed their invitation.",
        page=_BOTH_PAGES,
        judge=judges.members_active,
        blank_is_fine=True,
        needs=(Reading.USERS,),
    ),
    Rule(
        name="job sheets switched on",
        code="NOT_ALLOWED",
        field="Job_Sheet_Required",
        looks_at=("Job_Sheet_Required",),
        says="Job_Sheet_Required may be Yes only while job sheets are switched on in the service preferences.",
        page=_BOTH_PAGES,
        judge=judges.job_sheets_on,
        only_while=("Job_Sheet_Required", "Yes"),
        needs=(Reading.PREFERENCES,),
    ),
)
