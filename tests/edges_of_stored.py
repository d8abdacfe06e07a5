"""The edges at which what is stored counts: rows that change one thing, and services that are to be Available again."""

from __future__ import annotations

from typing import Final

from edges import CHANGES, STATUS, UPDATE, Edge, always, edge
from strategies import BLANK, Said, availability, paused, same

_IDLE = paused("Not in Use", same("2040-03-01T10:00:00+05:30"))
_IN_USE = paused("Available")

_AS_STORED = {
    **dict.fromkeys(availability(""), BLANK),
    **dict.fromkeys(("id", "Duration", "Members", "Available_Timings"), BLANK),
    **dict.fromkeys(("Job_Sheet_Required", "Job_Sheet_Section__s"), BLANK),
}
"""No word on what these edges want to be as it is; and without Members, our client reads the service by its id."""


def stored(service: str, **said: Said) -> dict[str, Said]:
    return {**_AS_STORED, "Service_Name": same(service), **said}


def _stored_status(service: str) -> dict[str, Said]:
    # A change of status alone has no columns for the rest, and a column that is no field is carried along.
    return {**stored(service), **_IN_USE}


def _back(name: str) -> Edge:
    """A service that is Not in Use, and what stands in the way of its being Available again."""
    hidden = {
        "Available_Dates not all past": ("NOT_ALLOWED", "Old Dates"),
        "date range not past": ("NOT_ALLOWED", "Old Range"),
        "Available_Days are business days": ("DEPENDENT_MISMATCH", "Sundays"),
        "Available_Dates on business days": ("DEPENDENT_MISMATCH", "One Sunday"),
        "timings within business hours": ("DEPENDENT_MISMATCH", "Nights"),
    }
    code, service = hidden[name]
    return edge(
        name,
        CHANGES,
        code,
        name="as stored",
        in_world="retired",
        refused=always(_stored_status(service)),
        accepted=always(_stored_status("In Order")),
    )


_WAS, _WILL_BE = same("2039-06-01T09:00:00+05:30"), same("2099-12-31T18:00:00+05:30")

AS_IT_WAS: Final = (
    edge(
        "Unavailable_From with Temporarily Unavailable",
        CHANGES,
        "DEPENDENT_FIELD_MISSING",
        name="as it was",
        in_world="retired",
        refused=always(stored("Paused Once", **paused("Temporarily Unavailable", BLANK, _WILL_BE))),
        accepted=always(stored("Paused Once", **paused("Temporarily Unavailable", _WAS, _WILL_BE))),
    ),
    edge(
        "Unavailable_From with Not in Use",
        CHANGES,
        "DEPENDENT_FIELD_MISSING",
        name="as it was",
        refused=always(stored("Deep Cleaning", **paused("Not in Use"))),
        accepted=always(stored("Deep Cleaning", **paused("Not in Use", same("2023-06-01T09:00:00+05:30")))),
    ),
    edge(
        "Job_Sheet_Section__s with Yes",
        (UPDATE,),
        "DEPENDENT_FIELD_MISSING",
        name="as it was",
        in_world="retired",
        refused=always(stored("In Order", Job_Sheet_Required=same("Yes"))),
        accepted=always(stored("Sheet Kept", Job_Sheet_Required=same("Yes"))),
    ),
    edge(
        "name of the id",
        (STATUS,),
        "DEPENDENT_MISMATCH",
        server_unasked="A change of status sends no name that could disagree with the id.",
        refused=always({"id": same("5545974000002183002"), "Service_Name": same("AC Repair"), **_IDLE}),
        accepted=always({"id": same("5545974000002183002"), "Service_Name": same("boiler service"), **_IDLE}),
    ),
)
"""What a row says anew although it holds already, and what goes along with it."""

BACK_IN_USE: Final = tuple(
    _back(name)
    for name in (
        "Available_Dates not all past",
        "date range not past",
        "Available_Days are business days",
        "Available_Dates on business days",
        "timings within business hours",
    )
)
"""Services that are not in use, and what stands in the way of their being Available again."""
