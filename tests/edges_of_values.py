"""The edges of single values of a service: what must be there, how long, how many, which choices, which form."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from edges import ALL, CHANGES, CREATE, STATUS, UPDATE, WRITES, Changes, Edge, always, edge, fields
from hypothesis import strategies as st
from strategies import (
    BLANK,
    CLEAR,
    LOCATIONS,
    SERVICE,
    TAXES,
    Said,
    availability,
    choice,
    choices,
    dates,
    day,
    days,
    members,
    moment,
    money,
    paused,
    same,
    some_members,
    spans_written,
    texts,
    whole,
    workdays,
)

_MANY = 5545974000000400001
_NO_TEXT = st.sampled_from([same("Elsewhere"), same("-"), same("no such thing")])


def _in_a_list(text: str) -> Said:
    return Said(text, [text])


def _mandatory(field: str, accepted: Changes) -> list[Edge]:
    absent, emptied = {field: BLANK}, {field: CLEAR}
    return [
        edge(
            f"{field} mandatory", (CREATE,), "MANDATORY_NOT_FOUND", refused=always(absent, emptied), accepted=accepted
        ),
        edge(f"{field} never_empty", (UPDATE,), "MANDATORY_NOT_FOUND", refused=always(emptied), accepted=accepted),
    ]


def _lasting(*minutes: int) -> Changes:
    return st.sampled_from(minutes).flatmap(whole).map(lambda said: {"Duration": said, "Available_Timings": CLEAR})


def _kind(kind: str, **dependents: Said) -> Edge:
    return edge(
        "Availability_Type choices",
        WRITES,
        "INVALID_DATA",
        name=kind,
        refused=fields(Availability_Type=st.sampled_from([same("Weekends"), same("Specific"), same(f"{kind}!")])),
        accepted=fields(availability(kind, **dependents), Availability_Type=choice(kind)),
    )


def _choices(field: str, known: tuple[str, ...]) -> list[Edge]:
    refused = fields(**{field: _NO_TEXT})
    return [
        edge(
            f"{field} choices",
            WRITES,
            "INVALID_DATA",
            name=one,
            refused=refused,
            accepted=fields(**{field: choice(one)}),
        )
        for one in known
    ]


def _on(found: Said) -> dict[str, Said]:
    return availability("Specific Date(s)", Available_Dates=found)


def _many_dates(count: int) -> Changes:
    several = st.lists(workdays(), min_size=count, max_size=count, unique=True)
    return several.map(lambda found: _on(dates(*found)))


def _at(*spans: tuple[str, str]) -> dict[str, Said]:
    return {
        **availability("Every Business Days"),
        "Duration": Said("1h", 60),
        "Available_Timings": spans_written(*spans),
    }


def _range(start: str, end: str) -> dict[str, Said]:
    return availability("Specific Date Range", Available_From=same(start), Available_Till=same(end))


_SOUND_RANGE = _range("2040-04-02", "2040-04-20")
_PAST = moment(-3600)
_SINCE = same("2040-03-01T10:00:00+05:30")
_UNTIL = same("2040-03-09T10:00:00+05:30")
_IN_USE, _OUT_OF_USE = str(SERVICE + 2), str(SERVICE + 6)
_NO_MOMENT = st.sampled_from([same("soon"), same("2040-13-01T10:00:00+05:30"), same("10:00")])

VALUES: Final = (
    *_mandatory("Service_Name", fields(Service_Name=texts(1, 1))),
    *_mandatory("Duration", _lasting(60)),
    *_mandatory("Location", fields(Location=choices(*LOCATIONS))),
    *_mandatory("Members", fields(Members=some_members())),
    *_mandatory("Availability_Type", always(availability("Every Business Days"))),
    *_mandatory("Price", fields(Price=money(Decimal(0)))),
    edge(
        "Service_Name maximum_length",
        WRITES,
        "INVALID_DATA",
        refused=fields(Service_Name=texts(121, 121)),
        accepted=fields(Service_Name=texts(120, 120)),
    ),
    edge("Duration minimum", WRITES, "INVALID_DATA", refused=_lasting(14, 0), accepted=_lasting(15, 16)),
    edge("Duration maximum", WRITES, "INVALID_DATA", refused=_lasting(1441), accepted=_lasting(1440, 1439)),
    edge(
        "Duration form",
        WRITES,
        "INVALID_DATA",
        refused=fields(Duration=st.sampled_from([same("an hour"), Said("60.5", Decimal("60.5"))])),
        accepted=_lasting(60),
    ),
    *_choices("Location", LOCATIONS),
    edge(
        "Members maximum_values",
        WRITES,
        "INVALID_DATA",
        in_world="crowded",
        refused=fields(Members=members(range(101), base=_MANY)),
        accepted=fields(Members=members(range(100), base=_MANY)),
    ),
    edge(
        "Members lookup",
        WRITES,
        "NAME_NOT_FOUND",
        refused=fields(Members=Said("Nobody Known", [{"Members": {"id": "1"}}])),
        accepted=fields(Members=Said("Mei Tanaka", members([5]).wire)),
    ),
    _kind("Every Business Days"),
    _kind("Specific Date Range", Available_From=same("2040-04-02"), Available_Till=same("2040-04-20")),
    _kind("Specific Date(s)", Available_Dates=dates(day(1), day(2))),
    _kind("Specific Day(s)", Available_Days=days("Monday")),
    edge(
        "Available_From form",
        WRITES,
        "INVALID_DATA",
        refused=always(_range("2040-02-30", "2040-04-20"), _range("early", "2040-04-20")),
        accepted=always(_SOUND_RANGE),
    ),
    edge(
        "Available_Till form",
        WRITES,
        "INVALID_DATA",
        refused=always(_range("2040-04-02", "2040-04-31"), _range("2040-04-02", "late")),
        accepted=always(_SOUND_RANGE),
    ),
    edge(
        "Available_Dates form",
        WRITES,
        "INVALID_DATA",
        refused=always(_on(_in_a_list("2040-04-31")), _on(_in_a_list("soon"))),
        accepted=always(_on(_in_a_list("2040-04-30"))),
    ),
    edge("Available_Dates maximum_values", WRITES, "INVALID_DATA", refused=_many_dates(21), accepted=_many_dates(20)),
    edge(
        "Available_Days form",
        WRITES,
        "INVALID_DATA",
        refused=always(availability("Specific Day(s)", Available_Days=_in_a_list("Funday"))),
        accepted=always(availability("Specific Day(s)", Available_Days=days("Friday"))),
    ),
    edge(
        "Price maximum_digits",
        WRITES,
        "INVALID_DATA",
        refused=fields(Price=money(Decimal(10**16))),
        accepted=fields(Price=st.sampled_from([money(Decimal(10**16 - 1)), money(Decimal("9999999999999999.99"))])),
    ),
    edge(
        "Price maximum_places",
        WRITES,
        "INVALID_DATA",
        refused=fields(Price=st.sampled_from([money(Decimal("80.123")), money(Decimal("0.001"))])),
        accepted=fields(Price=st.sampled_from([money(Decimal("80.12")), money(Decimal("80.1200"))])),
    ),
    edge(
        "Price form",
        WRITES,
        "INVALID_DATA",
        refused=fields(Price=st.sampled_from([money(Decimal(-1)), same("free")])),
        accepted=fields(Price=money(Decimal(1))),
    ),
    edge(
        "Available_Timings maximum_values",
        WRITES,
        "INVALID_DATA",
        refused=always(_at(("09:00", "10:00"), ("11:00", "12:00"), ("13:00", "14:00"))),
        accepted=always(_at(("09:00", "10:00"), ("11:00", "12:00"))),
    ),
    edge(
        "Available_Timings form",
        WRITES,
        "INVALID_DATA",
        refused=always(_at(("10:00", "25:00")), _at(("10.30", "noon"))),
        accepted=always(_at(("10:00", "15:00"))),
    ),
    edge(
        "Available_Timings order",
        WRITES,
        "INVALID_DATA",
        refused=always(_at(("15:00", "10:00")), _at(("15:00", "15:00"))),
        accepted=always(_at(("10:00", "15:00"))),
    ),
    edge(
        "Available_Timings order",
        WRITES,
        "INVALID_DATA",
        name="of the second one",
        server_alone="Of two timings, one that holds the duration is enough for our client.",
        refused=always(_at(("09:00", "12:00"), ("15:00", "14:00"))),
        accepted=always(_at(("09:00", "12:00"), ("14:00", "15:00"))),
    ),
    edge(
        "Tax lookup",
        WRITES,
        "NAME_NOT_FOUND",
        refused=fields(Tax=Said("Wealth Tax - 9 %", [{"id": None, "value": "Wealth Tax - 9 %"}])),
        accepted=fields(Tax=Said(TAXES[0][1], [{"id": TAXES[0][0], "value": TAXES[0][1]}])),
    ),
    edge(
        "Job_Sheet_Required choices",
        WRITES,
        "INVALID_DATA",
        name="Yes",
        refused=fields(Job_Sheet_Required=st.sampled_from([same("Perhaps"), same("2")])),
        accepted=fields({"Job_Sheet_Section__s": same("Standard")}, Job_Sheet_Required=choice("Yes")),
    ),
    edge(
        "Job_Sheet_Required choices",
        WRITES,
        "INVALID_DATA",
        name="No",
        refused=fields(Job_Sheet_Required=same("None")),
        accepted=fields({"Job_Sheet_Section__s": BLANK}, Job_Sheet_Required=choice("No")),
    ),
    edge(
        "Job_Sheet_Section__s lookup",
        WRITES,
        "NAME_NOT_FOUND",
        refused=always({"Job_Sheet_Required": same("Yes"), "Job_Sheet_Section__s": same("Secret")}),
        accepted=always({"Job_Sheet_Required": same("Yes"), "Job_Sheet_Section__s": same("Extended")}),
    ),
    *(
        edge(
            "Status choices",
            ALL,
            "INVALID_DATA",
            name=kind,
            server_alone="Other publications of the vendor know more statuses than the pages name (Scheduled).",
            refused=always(paused("Scheduled"), paused("On holiday")),
            accepted=fields({"id": same(service), **paused("", since, until)}, Status=choice(kind)),
        )
        for service, kind, since, until in (
            (_OUT_OF_USE, "Available", BLANK, BLANK),
            (_OUT_OF_USE, "Temporarily Unavailable", _SINCE, _UNTIL),
            (_IN_USE, "Not in Use", _SINCE, BLANK),
        )
    ),
    edge(
        "Unavailable_From form",
        ALL,
        "INVALID_DATA",
        refused=fields(paused("Not in Use"), Unavailable_From=_NO_MOMENT),
        accepted=fields(paused("Not in Use"), Unavailable_From=_PAST),
    ),
    edge(
        "Unavailable_Till form",
        ALL,
        "INVALID_DATA",
        refused=fields(paused("Temporarily Unavailable", _SINCE), Unavailable_Till=_NO_MOMENT),
        accepted=fields(paused("Temporarily Unavailable", _SINCE), Unavailable_Till=_UNTIL),
    ),
    edge(
        "Description maximum_length",
        WRITES,
        "INVALID_DATA",
        refused=fields(Description=texts(2, 2).map(lambda said: same(said.cell * 16_000 + "n"))),
        accepted=fields(Description=texts(2, 2).map(lambda said: same(said.cell * 16_000))),
    ),
    edge(
        "id lookup",
        CHANGES,
        "INVALID_DATA",
        refused=fields(paused("Not in Use", _SINCE), id=same("5545974000002189999")),
        accepted=fields(paused("Not in Use", _SINCE), id=same(str(SERVICE + 2))),
    ),
    edge(
        "id never_empty",
        CHANGES,
        "MANDATORY_NOT_FOUND",
        refused=fields(paused("Not in Use", _SINCE), id=CLEAR, Service_Name=same("Boiler Service")),
        accepted=fields(paused("Not in Use", _SINCE), id=BLANK, Service_Name=same("Boiler Service")),
    ),
    edge(
        "id form",
        CHANGES,
        "INVALID_DATA",
        refused=fields(paused("Not in Use", _SINCE), id=st.sampled_from([same("12"), same("AC Repair")])),
        accepted=fields(paused("Not in Use", _SINCE), id=same(str(SERVICE + 2))),
    ),
    edge(
        "id or Service_Name",
        CHANGES,
        "MANDATORY_NOT_FOUND",
        refused=fields(paused("Not in Use", _SINCE), id=BLANK, Service_Name=BLANK),
        accepted=fields(paused("Not in Use", _SINCE), id=same(str(SERVICE + 2)), Service_Name=same("Boiler Service")),
    ),
    edge(
        "Status mandatory",
        (STATUS,),
        "MANDATORY_NOT_FOUND",
        server_unasked="A request without a status changes none; the page does not ask for one.",
        refused=always({"Status": BLANK}, {"Status": CLEAR}),
        accepted=always(paused("Not in Use", _SINCE)),
    ),
)
