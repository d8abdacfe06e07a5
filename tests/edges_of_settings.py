"""The edges of the rules on business hours, service preferences and scoring rules."""

from __future__ import annotations

from typing import Final

from edges import HOURS, PREFERENCES, RULE_STATUS, Edge, always, edge, fields
from hypothesis import strategies as st
from strategies import BLANK, CLEAR, WEEK, WORKED, Said, choice, days, same

HOURS_ID: Final = "3652397000001438001"
HOT_LEADS: Final = "4876876000000965528"
_HOURS, _PREFERENCES, _RULE = (HOURS,), (PREFERENCES,), (RULE_STATUS,)
_FIVE = days(*WEEK[:5])
_YES, _NO = Said("yes", True), Said("no", False)
_CLOSED = dict.fromkeys(WEEK, BLANK)


def span(start: str, end: str) -> Said:
    return Said(f"{start}-{end}", [start, end])


def custom(**differs: Said) -> dict[str, Said]:
    """Business hours of the same timing every day."""
    hours = {"type": same("custom"), "week_starts_on": same("Monday"), "business_days": days(*WORKED)}
    return {
        "id": BLANK,
        **hours,
        "same_as_everyday": _YES,
        "daily_timing": span("10:00", "18:00"),
        **_CLOSED,
        **differs,
    }


def by_day(**differs: Said) -> dict[str, Said]:
    """Business hours with a timing for each day."""
    hours = {"Monday": span("10:00", "17:00"), "Tuesday": span("10:30", "17:00")}
    days_on = {"business_days": days("Monday", "Tuesday"), "same_as_everyday": _NO, "daily_timing": BLANK}
    return custom(**{**days_on, **hours, **differs})


def around_the_clock(kind: str, **differs: Said) -> dict[str, Said]:
    """Business hours of a type that has no timing."""
    worked = _FIVE if kind == "24*5" else BLANK
    return custom(
        **{"type": same(kind), "business_days": worked, "same_as_everyday": BLANK, "daily_timing": BLANK, **differs}
    )


@st.composite
def business_hours(draw: st.DrawFn) -> dict[str, Said]:
    """Business hours that break no rule in the seeded organisation."""
    starts = draw(st.sampled_from(WEEK).flatmap(choice))
    worked = days(*draw(st.lists(st.sampled_from(WEEK), min_size=1, max_size=7, unique=True)))
    hours = draw(
        st.sampled_from([custom(business_days=worked), by_day(), around_the_clock("24*7"), around_the_clock("24*5")])
    )
    return {**hours, "week_starts_on": starts}


def _choices(field: str, known: tuple[str, ...]) -> list[Edge]:
    wrong = st.sampled_from([same("24*6"), same("Funday"), same("-")])
    sound = {"24*7": around_the_clock("24*7"), "24*5": around_the_clock("24*5")}
    return [
        edge(
            f"{field} choices",
            _HOURS,
            "INVALID_DATA",
            name=one,
            refused=fields(custom(), **{field: wrong}),
            accepted=fields(sound.get(one, custom()), **{field: choice(one)}),
        )
        for one in known
    ]


def _missing(rule: str, field: str, *records: dict[str, Said]) -> Edge:
    absent = [{**record, field: said} for record in records for said in (BLANK, CLEAR)]
    return edge(rule, _HOURS, "DEPENDENT_FIELD_MISSING", refused=always(*absent), accepted=always(*records))


def _of_a_day(name: str, refused: dict[str, Said], accepted: dict[str, Said], server_alone: str = "") -> Edge:
    return edge(
        name, _HOURS, "INVALID_DATA", refused=always(refused), accepted=always(accepted), server_alone=server_alone
    )


_PAST_MIDNIGHT = "The page does not say whether business hours may run past midnight."


def _mandatory(field: str, operation: tuple[str, ...], record: dict[str, Said], server_unasked: str = "") -> Edge:
    return edge(
        f"{field} mandatory",
        operation,
        "MANDATORY_NOT_FOUND",
        server_unasked=server_unasked,
        refused=always({**record, field: BLANK}, {**record, field: CLEAR}),
        accepted=always(record),
    )


_METHOD = "Without active or inactive there is no method, and so no request."
_PATH = "Without an id there is no path, and so no request."


def _rule(**said: Said) -> dict[str, Said]:
    return {"id": BLANK, "name": BLANK, "module": BLANK, "Status": same("active"), **said}


SETTINGS: Final = (
    _mandatory("type", _HOURS, custom()),
    _mandatory("week_starts_on", _HOURS, custom()),
    *_choices("type", ("24*7", "24*5", "custom")),
    *_choices("week_starts_on", WEEK),
    edge(
        "business days given",
        _HOURS,
        "DEPENDENT_FIELD_MISSING",
        refused=always(custom(business_days=BLANK), by_day(business_days=CLEAR)),
        accepted=always(custom(), by_day()),
    ),
    edge(
        "business days given",
        _HOURS,
        "DEPENDENT_FIELD_MISSING",
        name="of five days",
        refused=always(around_the_clock("24*5", business_days=BLANK)),
        accepted=always(around_the_clock("24*5")),
    ),
    edge(
        "five days a week",
        _HOURS,
        "INVALID_DATA",
        refused=always(*(around_the_clock("24*5", business_days=days(*WEEK[:count])) for count in (4, 6))),
        accepted=always(around_the_clock("24*5")),
    ),
    edge(
        "business_days form",
        _HOURS,
        "INVALID_DATA",
        refused=always(custom(business_days=Said("Funday", ["Funday"]))),
        accepted=always(*(custom(business_days=days(day)) for day in WEEK)),
    ),
    edge(
        "business_days maximum_values",
        _HOURS,
        "INVALID_DATA",
        server_unasked="A cell names each day once, so that there are never more than seven.",
        refused=always(custom(business_days=Said("Mon-Sun; Funday", NotImplemented))),
        accepted=always(custom(business_days=days(*WEEK)), around_the_clock("24*7", business_days=days(*WEEK))),
    ),
    _missing("same_as_everyday given", "same_as_everyday", custom(), by_day()),
    _missing("daily timing given", "daily_timing", custom()),
    edge(
        "weekday timings given",
        _HOURS,
        "DEPENDENT_FIELD_MISSING",
        refused=always(by_day(Monday=BLANK, Tuesday=BLANK)),
        accepted=always(by_day(), by_day(Monday=BLANK)),
    ),
    edge(
        "same_as_everyday form",
        _HOURS,
        "INVALID_DATA",
        refused=always(custom(same_as_everyday=same("mostly"))),
        accepted=always(custom(), custom(same_as_everyday=Said("TRUE", True))),
    ),
    _of_a_day(
        "daily_timing form", custom(daily_timing=span("10:00", "24:30")), custom(daily_timing=span("10:00", "18:30"))
    ),
    _of_a_day(
        "daily_timing order",
        custom(daily_timing=span("18:00", "10:00")),
        custom(daily_timing=span("10:00", "10:01")),
        _PAST_MIDNIGHT,
    ),
    _of_a_day("weekday form", by_day(Tuesday=span("10:00", "25:00")), by_day(Tuesday=span("10:00", "15:00"))),
    _of_a_day(
        "weekday order", by_day(Tuesday=span("15:00", "15:00")), by_day(Tuesday=span("15:00", "15:01")), _PAST_MIDNIGHT
    ),
    edge(
        "hours within the current ones",
        _HOURS,
        "INVALID_DATA",
        server_alone="The page holds new hours to the current ones, which would forbid ever to open longer.",
        refused=always(custom(daily_timing=span("08:59", "18:00")), by_day(Monday=span("10:00", "19:01"))),
        accepted=always(custom(daily_timing=span("09:00", "19:00")), by_day(Monday=span("09:00", "19:00"))),
    ),
    edge(
        "hours id",
        _HOURS,
        "INVALID_DATA",
        refused=always(custom(id=same("3652397000001438002"))),
        accepted=always(custom(id=same(HOURS_ID)), custom(id=BLANK)),
    ),
    edge(
        "id never_empty",
        _HOURS,
        "MANDATORY_NOT_FOUND",
        refused=always(custom(id=CLEAR)),
        accepted=always(custom(id=BLANK)),
    ),
    *(
        edge(
            f"{day} never_empty",
            _HOURS,
            "MANDATORY_NOT_FOUND",
            server_unasked="A timing that is taken away is an entry that names the day's hours, not a null.",
            refused=always(by_day(**{day: CLEAR})),
            accepted=always(by_day(**{day: BLANK})),
        )
        for day in WEEK
    ),
    _mandatory("job_sheet_enabled", _PREFERENCES, {"job_sheet_enabled": _NO}),
    edge(
        "job_sheet_enabled form",
        _PREFERENCES,
        "INVALID_DATA",
        refused=fields(job_sheet_enabled=st.sampled_from([same("maybe"), same("2"), same("enabled")])),
        accepted=fields(job_sheet_enabled=st.sampled_from([_NO, Said("0", False), Said("FALSE", False), _YES])),
    ),
    _mandatory("Status", _RULE, _rule(id=same(HOT_LEADS)), _METHOD),
    *(
        edge(
            "Status choices",
            _RULE,
            "INVALID_DATA",
            name=word,
            server_unasked=_METHOD,
            refused=fields(_rule(id=same(HOT_LEADS)), Status=same("asleep")),
            accepted=fields(_rule(id=same(HOT_LEADS)), Status=choice(word)),
        )
        for word in ("active", "inactive")
    ),
    edge(
        "rule id",
        _RULE,
        "INVALID_DATA",
        refused=fields(_rule(), id=st.sampled_from([same("4876876000000965599"), same("12")])),
        accepted=fields(_rule(), id=same(HOT_LEADS)),
    ),
    edge(
        "rule name",
        _RULE,
        "NAME_NOT_FOUND",
        server_unasked=_PATH,
        refused=always(_rule(name=same("Cold leads"))),
        accepted=always(_rule(name=same("Renewals")), _rule(name=same("hot leads"), module=same("Leads"))),
    ),
    edge(
        "rule name repeats",
        _RULE,
        "NAME_AMBIGUOUS",
        server_unasked=_PATH,
        refused=always(_rule(name=same("Hot leads"))),
        accepted=always(_rule(name=same("Hot leads"), module=same("Contacts"))),
    ),
    edge(
        "name of the rule's id",
        _RULE,
        "DEPENDENT_MISMATCH",
        server_unasked="The request holds no name that could disagree with the id.",
        refused=always(_rule(id=same(HOT_LEADS), name=same("Renewals"))),
        accepted=always(_rule(id=same(HOT_LEADS), name=same("Hot Leads"))),
    ),
    edge(
        "module of the rule's id",
        _RULE,
        "DEPENDENT_MISMATCH",
        server_unasked="The request holds no module that could disagree with the id.",
        refused=always(_rule(id=same(HOT_LEADS), module=same("Contacts"))),
        accepted=always(_rule(id=same(HOT_LEADS), module=same("leads"))),
    ),
    *(
        edge(
            f"{field} never_empty",
            _RULE,
            "MANDATORY_NOT_FOUND",
            server_unasked=_PATH,
            refused=always(_rule(**{"name": same("Renewals"), field: CLEAR})),
            accepted=always(_rule(name=same("Renewals"))),
        )
        for field in ("id", "module")
    ),
    edge(
        "rule id or name",
        _RULE,
        "MANDATORY_NOT_FOUND",
        server_unasked=_PATH,
        refused=always(_rule()),
        accepted=always(_rule(id=same(HOT_LEADS))),
    ),
    edge(
        "active scoring rules",
        _RULE,
        "ACTIVE_STATE_LIMIT_EXCEEDED",
        in_world="full",
        server_alone="The vendor's limit depends on the account, and no reading shows it.",
        refused=always(_rule(id=same(HOT_LEADS))),
        accepted=always(_rule(id=same(HOT_LEADS), Status=same("inactive"))),
    ),
)
