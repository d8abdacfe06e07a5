"""The edges of what values of a service must be to each other, to the time, and to the organisation."""

from __future__ import annotations

from typing import Final

from edges import ALL, UPDATE, WRITES, Changes, always, edge, fields
from edges_of_stored import AS_IT_WAS, BACK_IN_USE, stored
from hypothesis import strategies as st
from strategies import (
    BLANK,
    CLEAR,
    CLOSING,
    OPENING,
    USER,
    WEEK,
    Said,
    availability,
    dates,
    day,
    days,
    members,
    moment,
    paused,
    same,
    timings,
    whole,
)

_PAST, _FUTURE = moment(-3600), moment(3600)
_SINCE, _UNTIL = same("2040-03-01T10:00:00+05:30"), same("2040-03-09T10:00:00+05:30")
_IDLE = paused("Not in Use", _SINCE)
_IN_USE = paused("Available")
_BOILER: Final = {"id": BLANK, "Service_Name": same("Boiler Service")}
"""A stored service of every business day, that is Available and has no timings and no job sheet."""
_SUNDAY = next(day(offset) for offset in range(7) if WEEK[day(offset).weekday()] == "Sunday")


def _range(start: int, end: int) -> dict[str, Said]:
    since, until = same(day(start).isoformat()), same(day(end).isoformat())
    return availability("Specific Date Range", Available_From=since, Available_Till=until)


def _on(*offsets: int) -> dict[str, Said]:
    return availability("Specific Date(s)", Available_Dates=dates(*map(day, offsets)))


def _on_days(*names: str) -> dict[str, Said]:
    return availability("Specific Day(s)", Available_Days=days(*names))


def _timed(minutes: int, *spans: tuple[int, int]) -> Changes:
    return fields(availability("Every Business Days"), Duration=whole(minutes), Available_Timings=timings(*spans))


def _timed_while(status: dict[str, Said], *spans: tuple[int, int]) -> Changes:
    return _timed(30, *spans).map(lambda record: {**status, **record})


def _while(kind: str, since: Said | st.SearchStrategy[Said], until: Said | st.SearchStrategy[Said] = BLANK) -> Changes:
    return fields(paused(kind), Unavailable_From=since, Unavailable_Till=until)


def _sheet(required: str, section: Said) -> Changes:
    return always({"Job_Sheet_Required": same(required), "Job_Sheet_Section__s": section})


RULES: Final = (
    *AS_IT_WAS,
    *BACK_IN_USE,
    edge(
        "Available_From with Specific Date Range",
        WRITES,
        "DEPENDENT_FIELD_MISSING",
        refused=always({**_BOILER, **_range(1, 5), "Available_From": BLANK}),
        accepted=always(_range(1, 5)),
    ),
    edge(
        "Available_Till with Specific Date Range",
        WRITES,
        "DEPENDENT_FIELD_MISSING",
        refused=always({**_BOILER, **_range(1, 5), "Available_Till": BLANK}, {**_range(1, 5), "Available_Till": CLEAR}),
        accepted=always(_range(1, 5)),
    ),
    edge(
        "Available_Dates with Specific Date(s)",
        WRITES,
        "DEPENDENT_FIELD_MISSING",
        refused=always({**_BOILER, **availability("Specific Date(s)")}),
        accepted=always(_on(1)),
    ),
    edge(
        "Available_Days with Specific Day(s)",
        WRITES,
        "DEPENDENT_FIELD_MISSING",
        refused=always({**_BOILER, **availability("Specific Day(s)")}),
        accepted=always(_on_days("Friday")),
    ),
    edge(
        "Unavailable_From with Temporarily Unavailable",
        ALL,
        "DEPENDENT_FIELD_MISSING",
        refused=_while("Temporarily Unavailable", BLANK, _FUTURE),
        accepted=_while("Temporarily Unavailable", _PAST, _FUTURE),
    ),
    edge(
        "Unavailable_Till with Temporarily Unavailable",
        ALL,
        "DEPENDENT_FIELD_MISSING",
        refused=_while("Temporarily Unavailable", _PAST, BLANK),
        accepted=_while("Temporarily Unavailable", _PAST, _FUTURE),
    ),
    edge(
        "Unavailable_From with Not in Use",
        ALL,
        "DEPENDENT_FIELD_MISSING",
        refused=_while("Not in Use", BLANK),
        accepted=_while("Not in Use", _PAST),
    ),
    edge(
        "Job_Sheet_Section__s with Yes",
        WRITES,
        "DEPENDENT_FIELD_MISSING",
        refused=always(
            {**_BOILER, "Job_Sheet_Required": same("Yes"), "Job_Sheet_Section__s": BLANK},
            {"Job_Sheet_Required": same("Yes"), "Job_Sheet_Section__s": CLEAR},
        ),
        accepted=_sheet("Yes", same("Standard")),
    ),
    edge(
        "Available_Till after Available_From",
        WRITES,
        "INVALID_DATA",
        refused=always(_range(5, 5), _range(5, 4)),
        accepted=always(_range(5, 6)),
    ),
    edge(
        "timings hold the duration",
        WRITES,
        "INVALID_DATA",
        refused=_timed(61, (600, 660)) | _timed(121, (540, 660), (700, 760)),
        accepted=_timed(60, (600, 660)) | _timed(120, (700, 760), (540, 660)),
    ),
    edge(
        "timings hold the duration",
        (UPDATE,),
        "INVALID_DATA",
        name="of the stored timings",
        refused=fields(stored("Window Cleaning"), Duration=whole(241)),
        accepted=fields(stored("Window Cleaning"), Duration=whole(240)),
    ),
    edge(
        "timings hold the duration",
        (UPDATE,),
        "INVALID_DATA",
        name="of the stored duration",
        refused=always(stored("Boiler Service", Available_Timings=timings((600, 689)))),
        accepted=always(stored("Boiler Service", Available_Timings=timings((600, 690)))),
    ),
    edge(
        "no job sheet unless required",
        WRITES,
        "DEPENDENT_MISMATCH",
        refused=_sheet("No", same("Standard")),
        accepted=_sheet("No", BLANK) | _sheet("No", CLEAR),
    ),
    edge(
        "no job sheet unless required",
        (UPDATE,),
        "DEPENDENT_MISMATCH",
        name="as stored",
        refused=always(stored("Boiler Service", Job_Sheet_Section__s=same("Standard"))),
        accepted=always(stored("AC Repair", Job_Sheet_Section__s=same("Extended"))),
    ),
    edge(
        "Unavailable_From not in the future",
        ALL,
        "INVALID_DATA",
        refused=_while("Not in Use", moment(1)) | _while("Temporarily Unavailable", moment(1), _FUTURE),
        accepted=_while("Not in Use", moment(0)) | _while("Temporarily Unavailable", moment(0), _FUTURE),
    ),
    edge(
        "Unavailable_Till in the future while temporarily unavailable",
        ALL,
        "DEPENDENT_MISMATCH",
        refused=_while("Temporarily Unavailable", _PAST, moment(0)),
        accepted=_while("Temporarily Unavailable", _PAST, moment(1)),
    ),
    edge(
        "Unavailable_Till in the past while available",
        ALL,
        "DEPENDENT_MISMATCH",
        refused=_while("Available", _PAST, moment(0)),
        accepted=_while("Available", _PAST, moment(-1)),
    ),
    edge(
        "both unavailable times or neither while available",
        ALL,
        "DEPENDENT_MISMATCH",
        refused=_while("Available", _PAST, BLANK) | _while("Available", BLANK, _PAST),
        accepted=_while("Available", _PAST, moment(-60)) | _while("Available", BLANK),
    ),
    edge(
        "both unavailable times or neither while available",
        WRITES,
        "DEPENDENT_MISMATCH",
        name="without a word on the status",
        refused=fields({**_BOILER, "Status": BLANK, "Unavailable_Till": BLANK}, Unavailable_From=_PAST),
        accepted=fields({"Status": BLANK}, Unavailable_From=BLANK, Unavailable_Till=BLANK),
    ),
    edge(
        "both unavailable times or neither while available",
        (UPDATE,),
        "DEPENDENT_MISMATCH",
        name="of a stored service without a status",
        in_world="retired",
        refused=fields({**stored("No Status"), **paused(""), "Status": BLANK}, Unavailable_From=_PAST),
        accepted=always({**stored("No Status"), **paused(""), "Status": BLANK}),
    ),
    edge(
        "Available_Dates not all past",
        WRITES,
        "NOT_ALLOWED",
        refused=always({**_IN_USE, **_on(-1)}, {**paused("Temporarily Unavailable", _SINCE, _UNTIL), **_on(-2, -1)}),
        accepted=always({**_IN_USE, **_on(0)}, {**_IN_USE, **_on(-1, 0)}, {**_IDLE, **_on(-1)}),
    ),
    edge(
        "date range not past",
        WRITES,
        "NOT_ALLOWED",
        refused=always(
            {**_IN_USE, **_range(-9, -1)}, {**paused("Temporarily Unavailable", _SINCE, _UNTIL), **_range(-9, -1)}
        ),
        accepted=always({**_IN_USE, **_range(-9, 0)}, {**_IDLE, **_range(-9, -1)}),
    ),
    edge(
        "Available_Days are business days",
        WRITES,
        "DEPENDENT_MISMATCH",
        refused=always({**_IN_USE, **_on_days("Monday", "Sunday")}),
        accepted=always({**_IN_USE, **_on_days("Monday", "Saturday")}, {**_IDLE, **_on_days("Sunday")}),
    ),
    edge(
        "Available_Dates on business days",
        WRITES,
        "DEPENDENT_MISMATCH",
        refused=always({**_IN_USE, **availability("Specific Date(s)", Available_Dates=dates(_SUNDAY))}),
        accepted=always(
            {**_IN_USE, **_on(1)}, {**_IDLE, **availability("Specific Date(s)", Available_Dates=dates(_SUNDAY))}
        ),
    ),
    edge(
        "timings within business hours",
        WRITES,
        "DEPENDENT_MISMATCH",
        name="opening",
        refused=_timed_while(_IN_USE, (OPENING - 1, 660)),
        accepted=_timed_while(_IN_USE, (OPENING, 660)) | _timed_while(_IDLE, (OPENING - 1, 660)),
    ),
    edge(
        "timings within business hours",
        WRITES,
        "DEPENDENT_MISMATCH",
        name="closing",
        refused=_timed_while(_IN_USE, (660, CLOSING + 1)) | _timed_while(_IN_USE, (600, 660), (660, CLOSING + 1)),
        accepted=_timed_while(_IN_USE, (660, CLOSING)) | _timed_while(_IDLE, (660, CLOSING + 1)),
    ),
    edge(
        "timings within business hours",
        WRITES,
        "DEPENDENT_MISMATCH",
        name="of the service's own days",
        in_world="by day",
        refused=always(
            {**_IN_USE, **_on_days("Tuesday"), "Duration": Said("30", 30), "Available_Timings": timings((630, 720))}
        ),
        accepted=always(
            {**_IN_USE, **_on_days("Monday"), "Duration": Said("30", 30), "Available_Timings": timings((630, 720))}
        ),
    ),
    edge(
        "members active and confirmed",
        WRITES,
        "INVALID_DATA",
        name="active",
        refused=always({"Members": members([1, 8])}),
        accepted=always({"Members": members([1, 7])}),
    ),
    edge(
        "members active and confirmed",
        WRITES,
        "INVALID_DATA",
        name="confirmed",
        refused=always({"Members": members([9])}),
        accepted=always({"Members": members([2])}),
    ),
    edge(
        "members active and confirmed",
        WRITES,
        "INVALID_DATA",
        name="known",
        refused=always({"Members": members([4321], base=USER)}),
        accepted=always({"Members": members([3])}),
    ),
    edge(
        "job sheets switched on",
        WRITES,
        "NOT_ALLOWED",
        in_world="without job sheets",
        refused=_sheet("Yes", same("Standard")),
        accepted=_sheet("No", BLANK),
    ),
    edge(
        "active services",
        ALL,
        "LIMIT_EXCEEDED",
        in_world="full",
        server_alone="Others may make services meanwhile, so only the server knows; our client warns.",
        refused=always({"id": same("5545974000002183006"), **_IN_USE}),
        accepted=always({"id": same("5545974000002183006"), **_IDLE}),
    ),
)
