"""What the pages on services say of keys together, of keys and the time, and of keys and the organisation."""

from __future__ import annotations

from judged_rows import (
    AISHA,
    EARLY,
    INACTIVE,
    NOWHERE,
    PAST_DATES,
    PAST_RANGE,
    PLAIN,
    RAHUL,
    SUNDAY_DATES,
    SUNDAYS,
    UNCONFIRMED,
    at,
    day,
)
from rule_sentences import CREATE, STATUS, UPDATE, Sentence

_DAYS = {"Availability_Type": "Specific Day(s)"}
_DATES = {"Availability_Type": "Specific Date(s)"}
_RANGE = {"Availability_Type": "Specific Date Range"}
_AWAY = {"Status": "Temporarily Unavailable", "Unavailable_From": at(days=-1), "Unavailable_Till": at(days=1)}
_UNUSED = {"Status": "Not in Use", "Unavailable_From": at(days=-1)}
_SHEET = {"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Standard"}
_EVERY = (CREATE, UPDATE, STATUS)

_DEPENDENT_SENTENCES = tuple(
    Sentence(
        says=f"{missing} is mandatory when {controlling} is “{chosen}”.",
        code="DEPENDENT_FIELD_MISSING",
        field=missing,
        breaks=({**whole, missing: None}, {**whole, missing: "#CLEAR"}),
        keeps=(whole,),
        operations=_EVERY if controlling == "Status" else (CREATE, UPDATE),
        rule=f"{missing} with {chosen}",
    )
    for controlling, chosen, missing, whole in (
        (
            "Availability_Type",
            "Specific Date Range",
            "Available_From",
            {**_RANGE, "Available_From": day(1), "Available_Till": day(9)},
        ),
        (
            "Availability_Type",
            "Specific Date Range",
            "Available_Till",
            {**_RANGE, "Available_From": day(1), "Available_Till": day(9)},
        ),
        ("Availability_Type", "Specific Date(s)", "Available_Dates", {**_DATES, "Available_Dates": day(1)}),
        ("Availability_Type", "Specific Day(s)", "Available_Days", {**_DAYS, "Available_Days": "Mon"}),
        ("Status", "Temporarily Unavailable", "Unavailable_From", _AWAY),
        ("Status", "Temporarily Unavailable", "Unavailable_Till", _AWAY),
        ("Status", "Not in Use", "Unavailable_From", _UNUSED),
        ("Job_Sheet_Required", "Yes", "Job_Sheet_Section__s", _SHEET),
    )
)

_TOGETHER_SENTENCES = (
    Sentence(
        says="Available_Till is later than Available_From.",
        code="INVALID_DATA",
        field="Available_Till",
        breaks=(
            {**_RANGE, "Available_From": day(9), "Available_Till": day(9)},
            {**_RANGE, "Available_From": day(9), "Available_Till": day(8)},
        ),
        keeps=(
            {**_RANGE, "Available_From": day(9), "Available_Till": day(10)},
            # The dates of another Availability_Type are sent, and the server judges.
            {"Available_From": day(9), "Available_Till": day(8)},
        ),
        rule="Available_Till after Available_From",
    ),
    Sentence(
        says="A timing is at least as long as the service.",
        code="INVALID_DATA",
        field="Available_Timings",
        breaks=(
            {"Duration": "60", "Available_Timings": "10:00-10:59"},
            {"Duration": "241", "Available_Timings": "10:00-12:00; 13:00-17:00"},
            {"Duration": "60", "Available_Timings": "12:00-10:00"},
        ),
        keeps=(
            {"Duration": "60", "Available_Timings": "10:00-11:00"},
            # Two timings of which one fits are sent, and the server judges.
            {"Duration": "240", "Available_Timings": "10:00-12:00; 13:00-17:00"},
        ),
        rule="timings hold the duration",
    ),
    Sentence(
        says="A job sheet is named only when one is required.",
        code="DEPENDENT_MISMATCH",
        field="Job_Sheet_Section__s",
        breaks=(
            {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": "Standard"},
            {"Job_Sheet_Required": None, "Job_Sheet_Section__s": "Standard"},
        ),
        keeps=(
            {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": None},
            {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": "#CLEAR"},
            _SHEET,
        ),
        rule="no job sheet unless required",
    ),
)

_TIME_SENTENCES = (
    Sentence(
        says="Unavailable_From is not greater than the current time.",
        code="INVALID_DATA",
        field="Unavailable_From",
        breaks=({**_AWAY, "Unavailable_From": at(seconds=1)}, {**_UNUSED, "Unavailable_From": at(days=1)}),
        keeps=(
            *({**_AWAY, "Unavailable_From": cell} for cell in (at(), at(seconds=-1), "now", "Now")),
            {**_UNUSED, "Unavailable_From": at()},
        ),
        operations=_EVERY,
        rule="Unavailable_From not in the future",
    ),
    Sentence(
        says="While temporarily unavailable, Unavailable_Till is greater than the current time.",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_Till",
        breaks=({**_AWAY, "Unavailable_Till": at()}, {**_AWAY, "Unavailable_Till": at(days=-1)}),
        keeps=({**_AWAY, "Unavailable_Till": at(seconds=1)},),
        operations=_EVERY,
        rule="Unavailable_Till in the future while temporarily unavailable",
    ),
    Sentence(
        says="While available, Unavailable_Till is less than the current time.",
        code="DEPENDENT_MISMATCH",
        field="Unavailable_Till",
        breaks=(
            {**_AWAY, "Status": "Available", "Unavailable_Till": at()},
            {**_AWAY, "Status": "Available", "Unavailable_Till": at(days=1)},
        ),
        keeps=({**_AWAY, "Status": "Available", "Unavailable_Till": at(seconds=-1)},),
        operations=_EVERY,
        rule="Unavailable_Till in the past while available",
    ),
    *(
        Sentence(
            says=f"While available, {only} is not given without the other of the two unavailable times.",
            code="DEPENDENT_MISMATCH",
            field=only,
            breaks=({"Status": "Available", only: at(days=-1)},),
            keeps=(
                {"Status": "Available", "Unavailable_From": at(days=-2), "Unavailable_Till": at(days=-1)},
                {"Status": "Available"},
                {"Status": "available", only: "#CLEAR"},
            ),
            operations=_EVERY,
            rule="both unavailable times or neither while available",
        )
        for only in ("Unavailable_From", "Unavailable_Till")
    ),
    Sentence(
        says="A service is neither available nor temporarily unavailable when all its dates are in the past.",
        code="NOT_ALLOWED",
        field="Available_Dates",
        breaks=(
            {**_DATES, "Available_Dates": day(-1)},
            {**_DATES, "Available_Dates": day(-1), "Status": "Available"},
            {**_DATES, **_AWAY, "Available_Dates": f"{day(-2)}; {day(-1)}"},
        ),
        keeps=(
            {**_DATES, "Available_Dates": day(0)},
            # Some but not all dates in the past are sent, and the server judges.
            {**_DATES, "Available_Dates": f"{day(-1)}; {day(1)}"},
            {**_DATES, **_UNUSED, "Available_Dates": day(-1)},
        ),
        rule="Available_Dates not all past",
    ),
    Sentence(
        says="A service whose dates are all in the past stays out of use.",
        code="NOT_ALLOWED",
        field="Available_Dates",
        breaks=({"id": PAST_DATES, "Status": "Available"}, {"id": PAST_DATES, **_AWAY}),
        keeps=({"id": PAST_DATES, **_UNUSED}, {"id": PLAIN, "Status": "Available"}),
        operations=(STATUS,),
        rule="Available_Dates not all past",
    ),
    Sentence(
        says="A service is neither available nor temporarily unavailable when its range of dates is over.",
        code="NOT_ALLOWED",
        field="Available_Till",
        breaks=(
            {**_RANGE, "Available_From": day(-9), "Available_Till": day(-1)},
            {**_RANGE, **_AWAY, "Available_From": day(-9), "Available_Till": day(-1)},
        ),
        keeps=(
            {**_RANGE, "Available_From": day(-9), "Available_Till": day(0)},
            {**_RANGE, **_UNUSED, "Available_From": day(-9), "Available_Till": day(-1)},
        ),
        rule="date range not past",
    ),
    Sentence(
        says="A service whose range of dates is over stays out of use.",
        code="NOT_ALLOWED",
        field="Available_Till",
        breaks=({"id": PAST_RANGE, "Status": "Available"}, {"id": PAST_RANGE, **_AWAY}),
        keeps=({"id": PAST_RANGE, **_UNUSED},),
        operations=(STATUS,),
        rule="date range not past",
    ),
)

_ORGANISATION_SENTENCES = (
    Sentence(
        says="Available_Days are business days, unless the service is not in use.",
        code="DEPENDENT_MISMATCH",
        field="Available_Days",
        breaks=({**_DAYS, "Available_Days": "Sun"}, {**_DAYS, "Available_Days": "Fri-Mon"}),
        keeps=({**_DAYS, "Available_Days": "Mon-Sat"}, {**_DAYS, **_UNUSED, "Available_Days": "Sun"}),
        rule="Available_Days are business days",
        needs_reading=True,
    ),
    Sentence(
        says="A service on days that are no business days can only be not in use.",
        code="DEPENDENT_MISMATCH",
        field="Available_Days",
        breaks=({"id": SUNDAYS, "Status": "Available"}, {"id": SUNDAYS, **_AWAY}),
        keeps=({"id": SUNDAYS, **_UNUSED},),
        operations=(STATUS,),
        rule="Available_Days are business days",
        needs_reading=True,
    ),
    Sentence(
        says="Available_Dates fall on business days, unless the service is not in use.",
        code="DEPENDENT_MISMATCH",
        field="Available_Dates",
        breaks=({**_DATES, "Available_Dates": "2040-03-18"}, {**_DATES, "Available_Dates": "2040-03-17; 2040-03-18"}),
        keeps=(
            {**_DATES, "Available_Dates": "2040-03-17; 2040-03-19"},
            {**_DATES, **_UNUSED, "Available_Dates": "2040-03-18"},
        ),
        rule="Available_Dates on business days",
        needs_reading=True,
    ),
    Sentence(
        says="A service on dates that are no business days can only be not in use.",
        code="DEPENDENT_MISMATCH",
        field="Available_Dates",
        breaks=({"id": SUNDAY_DATES, "Status": "Available"},),
        keeps=({"id": SUNDAY_DATES, **_UNUSED},),
        operations=(STATUS,),
        rule="Available_Dates on business days",
        needs_reading=True,
    ),
    Sentence(
        says="Timings lie within the business hours of the service's days, unless the service is not in use.",
        code="DEPENDENT_MISMATCH",
        field="Available_Timings",
        breaks=(
            {"Available_Timings": "08:59-12:00"},
            {"Available_Timings": "15:00-19:01"},
            {"Available_Timings": "10:00-12:00; 18:00-20:00"},
            {**_DAYS, "Available_Days": "Sat", "Available_Timings": "13:00-14:01"},
            {**_DATES, "Available_Dates": "2040-03-17", "Available_Timings": "09:59-12:00"},
        ),
        keeps=(
            {"Available_Timings": "09:00-19:00"},
            {"Available_Timings": "09:00-10:00; 18:00-19:00"},
            {**_DAYS, "Available_Days": "Sat", "Available_Timings": "10:00-14:00"},
            {**_DATES, "Available_Dates": "2040-03-17", "Available_Timings": "10:00-14:00"},
            {**_UNUSED, "Available_Timings": "05:00-07:00"},
        ),
        rule="timings within business hours",
        needs_reading=True,
    ),
    Sentence(
        says="A service with timings outside the business hours can only be not in use.",
        code="DEPENDENT_MISMATCH",
        field="Available_Timings",
        breaks=({"id": EARLY, "Status": "Available"},),
        keeps=({"id": EARLY, **_UNUSED},),
        operations=(STATUS,),
        rule="timings within business hours",
        needs_reading=True,
    ),
    Sentence(
        says="Members are active users who have confirmed their invitation.",
        code="INVALID_DATA",
        field="Members",
        breaks=(
            {"Members": INACTIVE},
            {"Members": f"{RAHUL}; {UNCONFIRMED}"},
            {"Members": "Omar Haddad; lena@example.com"},
            {"Members": NOWHERE},
        ),
        keeps=({"Members": f"{RAHUL}; {AISHA}"},),
        rule="members active and confirmed",
        needs_reading=True,
    ),
    Sentence(
        says="A job sheet can be required only while the preference for job sheets is on.",
        code="NOT_ALLOWED",
        field="Job_Sheet_Required",
        breaks=(_SHEET,),
        keeps=({"Job_Sheet_Required": "No"}, {}),
        rule="job sheets switched on",
        around={"job_sheet_enabled": False},
        needs_reading=True,
    ),
    Sentence(
        says="While the preference for job sheets is on, they can be required.",
        code="NOT_ALLOWED",
        field="Job_Sheet_Required",
        breaks=(),
        keeps=(_SHEET,),
        rule="job sheets switched on",
        needs_reading=True,
    ),
)

SERVICE_RULE_SENTENCES = (
    *_DEPENDENT_SENTENCES,
    *_TOGETHER_SENTENCES,
    *_TIME_SENTENCES,
    *_ORGANISATION_SENTENCES,
)
