"""The codes that speak of fields which depend on each other, and those about missing and unique values."""

from __future__ import annotations

from bulkzcrm.spec.codes.evidence import (
    ends_before_it_starts,
    one_unavailable_time_only,
    unavailable_till_before_from,
)
from bulkzcrm.spec.codes.nouns import BUSINESS_HOURS, SERVICES, Cause, Code, Disposition, Family, When

__all__ = ["DEPENDENT_CODES"]

_AVAILABLE = (("Status", ("available",)),)
_TEMPORARILY = (("Status", ("temporarily unavailable",)),)
_NOT_IN_USE = (("Status", ("not in use",)),)

_MISMATCH = (
    Cause(
        When(fields=("Available_Days",)),
        "A day in Available_Days is not a business day of the organisation.",
        "Keep only business days in the cell, or add the day to the business hours in Zoho's settings.",
    ),
    Cause(
        When(fields=("Available_Dates",)),
        "A date in Available_Dates is a holiday or falls on a day without business.",
        "Replace the date with a business day, or change the holidays or business days in Zoho's settings.",
    ),
    Cause(
        When(fields=("Available_Timings",)),
        "A span in Available_Timings reaches beyond the organisation's business hours.",
        "Move the times inside the business hours, or widen those in Zoho's settings.",
    ),
    Cause(
        When(fields=("Duration",)),
        "The service takes longer than the time in which it is offered.",
        "Shorten Duration, or lengthen the spans in Available_Timings.",
    ),
    Cause(
        When(fields=("Available_Till",), row=ends_before_it_starts),
        "Available_Till is not later than Available_From.",
        "Choose an Available_Till after Available_From; look out for swapped day and month.",
    ),
    Cause(
        When(fields=("Available_Till",)),
        "Available_Till does not go with Available_From.",
        "Let the last available date come after the first one.",
    ),
    Cause(
        When(fields=("Job_Sheet_Section__s",)),
        "A job sheet is named although the service needs none.",
        "Write Yes in Job_Sheet_Required, or leave Job_Sheet_Section__s blank.",
    ),
    Cause(
        When(message=("for scheduled services",)),
        "The service has not begun yet, so it cannot be set to Not in Use or Temporarily Unavailable.",
        "Wait until Available_From has come, or give an earlier Available_From.",
        mend="Status",
    ),
    Cause(
        When(message=("marked as scheduled",), fields=("Status",), dependees=("Available_From",)),
        "A service whose availability has begun cannot be Scheduled.",
        "Write Available as Status, or give an Available_From in the future.",
    ),
    Cause(
        When(message=("end date of service availability",)),
        "The service's availability has ended, so it cannot have this Status.",
        "Give an Available_Till in the future, or write Not in Use as Status.",
        mend="Available_Till",
    ),
    Cause(
        When(message=("must be greater than current date",), values=_AVAILABLE),
        "Status is Available, but Unavailable_From is not in the future, and this server takes it only as an "
        "announcement.",
        "Leave Unavailable_From and Unavailable_Till blank for an available service.",
        mend="Unavailable_From",
    ),
    Cause(
        When(message=("either both",)),
        "Status is Available, and the two unavailable times are not a pair that this server takes.",
        "Leave both Unavailable_From and Unavailable_Till blank for an available service.",
        mend="Unavailable_Till",
    ),
    Cause(
        When(
            fields=("Status", "Unavailable_From", "Unavailable_Till"),
            values=_AVAILABLE,
            row=one_unavailable_time_only,
        ),
        "Status is Available, and only one of the two unavailable times is given.",
        "Leave both Unavailable_From and Unavailable_Till blank, or give both, in the past.",
        mend="Unavailable_Till",
    ),
    Cause(
        When(fields=("Status", "Unavailable_From"), values=_NOT_IN_USE),
        "Status is Not in Use, but Unavailable_From lies in the future.",
        "Give an Unavailable_From that has passed, or write now.",
        mend="Unavailable_From",
    ),
    Cause(
        When(fields=("Status", "Unavailable_From"), values=_TEMPORARILY),
        "Status is Temporarily Unavailable, but the unavailable time does not suit it.",
        "Let Unavailable_From have passed and Unavailable_Till be still to come.",
        mend="Unavailable_From",
    ),
    Cause(
        When(fields=("Unavailable_Till",), row=unavailable_till_before_from),
        "Unavailable_Till is not later than Unavailable_From.",
        "Let the unavailable time end after it begins.",
    ),
    Cause(
        When(fields=("Unavailable_Till",), message=("than unavailable from",)),
        "Unavailable_Till and Unavailable_From are not in the order that this server wants.",
        "Leave both times blank if the service is available; otherwise compare them with what Zoho says.",
    ),
    Cause(
        When(fields=("Unavailable_Till",), values=_TEMPORARILY),
        "Status is Temporarily Unavailable, but Unavailable_Till has already passed.",
        "Give an Unavailable_Till in the future, or write Available as Status.",
    ),
    Cause(
        When(fields=("Unavailable_Till",), values=_AVAILABLE),
        "Status is Available, but Unavailable_Till is still to come.",
        "Leave both unavailable times blank, or write Temporarily Unavailable as Status.",
    ),
    Cause(
        When(fields=("Unavailable_From",), values=_AVAILABLE),
        "Status is Available, and Unavailable_From does not go with it.",
        "Leave both unavailable times blank for a service that is available.",
    ),
    Cause(
        When(fields=("Unavailable_From", "Unavailable_Till")),
        "The unavailable times do not go with the service's status.",
        "Leave them blank for an available service; otherwise Unavailable_From has passed and Unavailable_Till is "
        "still to come.",
    ),
    Cause(
        When(fields=("Status",)),
        "The status does not go with the service's dates.",
        "Compare Status with the available dates and the unavailable times of the row.",
    ),
    Cause(
        When(),
        "Two values of the row, or a value and the organisation's settings, do not go together.",
        "Compare the named field with the fields and settings that govern it, and mend one of them.",
    ),
)

_MISSING = (
    Cause(
        When(fields=("Available_From", "Available_Till")),
        "A service with Specific Date Range needs both its first and its last date.",
        "Fill in Available_From and Available_Till, or choose another Availability_Type.",
    ),
    Cause(
        When(fields=("Available_Dates",)),
        "A service with Specific Date(s) needs its dates.",
        "Fill in Available_Dates, or choose another Availability_Type.",
    ),
    Cause(
        When(fields=("Available_Days",)),
        "A service with Specific Day(s) needs its days.",
        "Fill in Available_Days, or choose another Availability_Type.",
    ),
    Cause(
        When(fields=("Unavailable_From",)),
        "A service that is Temporarily Unavailable or Not in Use needs the time since when.",
        "Fill in Unavailable_From with a time that has passed, or write now.",
    ),
    Cause(
        When(fields=("Unavailable_Till",)),
        "A service that is Temporarily Unavailable needs the time until when.",
        "Fill in Unavailable_Till with a time in the future, or choose another Status.",
    ),
    Cause(
        When(fields=("Job_Sheet_Section__s",)),
        "A service that needs a job sheet must say which one.",
        "Fill in Job_Sheet_Section__s, or write No in Job_Sheet_Required.",
    ),
    Cause(
        When(fields=("business_days",)),
        "Business hours of the types 24*5 and custom need their days.",
        "Fill in business_days.",
    ),
    Cause(
        When(fields=("same_as_everyday",)),
        "Business hours of the type custom must say whether all days are alike.",
        "Write true or false in same_as_everyday.",
    ),
    Cause(
        When(fields=("daily_timing",)),
        "Business hours that are the same every day need their timing.",
        "Fill in daily_timing, such as 10:00-17:00, or write false in same_as_everyday.",
    ),
    Cause(
        When(families=(Family.BUSINESS_HOURS,), leaves=("custom_timing", "business_timing", "days")),
        "Business hours that differ by day need a timing for each day.",
        "Fill in the weekdays' columns, such as 10:00-17:00, or write true in same_as_everyday.",
    ),
    Cause(
        When(),
        "A field that another value of the row calls for is missing.",
        "Fill in the named field.",
    ),
)

_MANDATORY = (
    Cause(
        When(details=("layout_rule",)),
        "A layout rule of the organisation makes this field mandatory for such a record.",
        "Fill in the field, or change the layout rule in Zoho's settings.",
    ),
    Cause(
        When(fields=("id",)),
        "The record's id is missing.",
        "Fill in the id of the record that shall be changed.",
    ),
    Cause(
        When(leaves=("data", "service_preferences", "business_hours", "scoring_rules")),
        "The request reached Zoho without its content.",
        "Run the row again; if it happens again, something between this computer and Zoho alters requests.",
    ),
    Cause(
        When(families=(Family.BUSINESS_HOURS,), leaves=("days", "business_timing")),
        "A timing of a single day lacks its day or its two times.",
        "Fill in the day's column with two times, such as 10:00-17:00.",
    ),
    Cause(
        When(fields=("type", "week_starts_on")),
        "Business hours must always say their type and the day on which the week starts.",
        "Fill in both type and week_starts_on.",
    ),
    Cause(
        When(),
        "A mandatory field is missing or blank.",
        "Fill in the named field.",
    ),
)

_DUPLICATE = (
    Cause(
        When(),
        "Another record already has this value in a field whose values must be unique.",
        "Change the value, or update the existing record instead of creating a new one.",
    ),
)

_EXPECTED = (
    Cause(
        When(),
        "Zoho expects at least one of several fields, and none of them is given.",
        "Fill in one of the fields that Zoho names.",
    ),
)

_MINIMUM = (
    Cause(
        When(families=(Family.BUSINESS_HOURS,)),
        "The business hours hold fewer days or timings than Zoho needs.",
        "Fill in business_days and the timings that belong to them.",
    ),
    Cause(
        When(),
        "A list has fewer entries than Zoho needs.",
        "Add entries to the named field.",
    ),
)

DEPENDENT_CODES = (
    Code(
        name="DEPENDENT_MISMATCH",
        meaning="Two values, or a value and the organisation's settings, do not go together.",
        disposition=Disposition.FIX_ROW,
        causes=_MISMATCH,
        pages=SERVICES,
    ),
    Code(
        name="DEPENDENT_FIELD_MISSING",
        meaning="A field is missing that another value of the row calls for.",
        disposition=Disposition.FIX_ROW,
        causes=_MISSING,
        pages=(*SERVICES, BUSINESS_HOURS),
    ),
    Code(
        name="MANDATORY_NOT_FOUND",
        meaning="A mandatory field is missing or blank.",
        disposition=Disposition.FIX_ROW,
        causes=_MANDATORY,
        pages=(BUSINESS_HOURS,),
    ),
    Code(
        name="DUPLICATE_DATA",
        meaning="Another record already has a value that must be unique.",
        disposition=Disposition.FIX_ROW,
        causes=_DUPLICATE,
    ),
    Code(
        name="EXPECTED_FIELD_MISSING",
        meaning="None of several fields is given, of which one is needed.",
        disposition=Disposition.FIX_ROW,
        causes=_EXPECTED,
    ),
    Code(
        name="MINIMUM_DATA_NOT_FOUND",
        meaning="A list has too few entries.",
        disposition=Disposition.FIX_ROW,
        causes=_MINIMUM,
    ),
)
