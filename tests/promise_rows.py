"""What rows say to each operation against the seeded organisation: sound lines, wrong ones, and odd ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from promise_sources import (
    BLANK,
    CARRIED,
    Failed,
    Formula,
    Kind,
    Line,
    Said,
    Sheet,
    harmless,
    odd_texts,
)

NOW: Final = datetime(2040, 3, 7, 6, 30, tzinfo=UTC)
"""A Wednesday; noon where the organisation is."""
AWAY: Final = "now"
"""In place of a moment: some time not later than now, and not long ago."""

SEEDED: Final = tuple(str(5545974000002183000 + number) for number in range(1, 13))
NAMES: Final = (
    "AC Repair",
    "Boiler Service",
    "Window Cleaning",
    "Garden Care",
    "Roof Check",
    "Pest Control",
    "Deep Cleaning",
    "",  # two services have one name
    "",
    "Carpet Care",
    "Key Service",
    "Painting",
)
STOCKED: Final = 5545974000002186000
"""Ids of services that a test adds to the seeded ones begin behind this."""
RULES: Final = (
    ("4876876000000965528", "Hot leads", "Leads"),
    ("4876876000000965529", "Web visitors", "Leads"),
    ("4876876000000965530", "Newsletter", "Leads"),
    ("4876876000000965531", "Trade fair", "Leads"),
    ("4876876000000965532", "Renewals", "Contacts"),
    ("4876876000000965533", "Hot leads", "Contacts"),
)
_USERS: Final = (
    (5545974000000393001, "Patricia Boyle", "patricia.boyle"),
    (5545974000000393002, "Rahul Menon", "rahul.menon"),
    (5545974000000393003, "Aisha Karim", "aisha.karim"),
    (5545974000000393004, "Tom Weber", "tom.weber"),
)
_TAXES: Final = (("5545974000000021001", "Sales Tax - 2.0 %"), ("5545974000000021003", "Vat - 0.8 %"))
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_MEMO: Final = ("memo", "memo 2", "=memo", "'memo", "+memo", 'a "memo"', "memo, again", "memo;\nmore", "\u202ememo", "")

Says = Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class Template:
    """What a line says by field, before it has its place in the sheet."""

    says: Says
    kind: Kind
    carried: tuple[Said, ...]
    surplus: tuple[str, ...]


def spelled(draw: st.DrawFn, value: str) -> Said:
    """A choice, its case and spacing as they come."""
    return Said(draw(st.sampled_from([value, value.lower(), value.upper(), f" {value} "])), value)


_seldom: Final = st.sampled_from([False] * 9 + [True])


def header_of(draw: st.DrawFn, name: str) -> str:
    """One of the ways in which people write a field's name."""
    label = name.removesuffix("__s").replace("_", " ")
    return draw(st.sampled_from([name, label, label.upper(), label.lower().replace(" ", "-"), f" {label} "]))


def _minutes(draw: st.DrawFn, least: int = 15, most: int = 60) -> Said:
    number = draw(st.integers(least, most))
    texts = [str(number), f"{number}.0", f"{number // 60}:{number % 60:02}", f"{number} min"]
    return Said(draw(st.sampled_from(texts)), number, number, str(number))


def _price(draw: st.DrawFn) -> Said:
    amount = Decimal(draw(st.integers(0, 10**8))).scaleb(-2)
    plain = f"{amount.normalize():f}"
    return Said(draw(st.sampled_from([plain, f"{amount:f}", f" {amount:f}"])), amount, float(amount), plain)


def _members(draw: st.DrawFn) -> Said:
    users = draw(st.lists(st.sampled_from(_USERS), min_size=1, max_size=3, unique=True))
    texts = [
        draw(st.sampled_from([str(number), name, name.lower(), f"{mailbox}@brighthome.example"]))
        for number, name, mailbox in users
    ]
    return Said("; ".join(texts), {str(number) for number, *_ in users}, texts)


def _description(draw: st.DrawFn) -> Said:
    text = draw(odd_texts())
    meant = harmless(text)
    return Said(meant, meant) if meant else BLANK


def _availability(draw: st.DrawFn) -> Says:
    match draw(st.sampled_from(["every", "every", "days", "range"])):
        case "days":
            days = draw(st.lists(st.sampled_from(_DAYS), min_size=1, max_size=5, unique=True))
            said = Said("; ".join(day[:3] for day in days), set(days))
            return {"Availability_Type": spelled(draw, "Specific Day(s)"), "Available_Days": said}
        case "range":
            return {
                "Availability_Type": spelled(draw, "Specific Date Range"),
                "Available_From": _date(date(2040, 3, 1) + timedelta(days=draw(st.integers(0, 90)))),
                "Available_Till": _date(date(2041, 3, 1) + timedelta(days=draw(st.integers(0, 90)))),
            }
        case _:
            return {"Availability_Type": spelled(draw, "Every Business Days")}


def _date(day: date) -> Said:
    return Said(day.isoformat(), day.isoformat(), day, day.isoformat())


def _status(draw: st.DrawFn) -> Says:
    if draw(st.booleans()):
        return {"Status": spelled(draw, "Available")}
    since = NOW - timedelta(days=draw(st.integers(1, 400)))
    return {
        "Status": spelled(draw, "Not in Use"),
        "Unavailable_From": draw(st.sampled_from([Said("now", AWAY), Said(since.isoformat(), since)])),
    }


def _taxes(draw: st.DrawFn) -> Says:
    number, value = draw(st.sampled_from(_TAXES))
    return {"Tax": Said(draw(st.sampled_from([number, value])), {number})}


def _job_sheet(draw: st.DrawFn) -> Says:
    if draw(st.booleans()):
        return {"Job_Sheet_Required": Said(draw(st.sampled_from(["no", "0"])), "No", typed=False, shown="FALSE")}
    return {
        "Job_Sheet_Required": Said(draw(st.sampled_from(["yes", "1"])), "Yes", typed=True, shown="TRUE"),
        "Job_Sheet_Section__s": spelled(draw, "Standard"),
    }


_NEEDED: Final[Mapping[str, Callable[[st.DrawFn], Says]]] = {
    "duration": lambda draw: {"Duration": _minutes(draw)},
    "location": lambda draw: {"Location": spelled(draw, draw(st.sampled_from(["Client Address", "Business Address"])))},
    "members": lambda draw: {"Members": _members(draw)},
    "availability": _availability,
    "price": lambda draw: {"Price": _price(draw)},
}
_FURTHER: Final[Mapping[str, Callable[[st.DrawFn], Says]]] = {
    "tax": _taxes,
    "job sheet": _job_sheet,
    "status": _status,
    "description": lambda draw: {"Description": _description(draw)},
}
_ERRORS: Final = (
    Said("#N/A", typed=Failed("#N/A"), shown="#N/A"),
    Said("=A1+1", typed=Formula("=A1+1"), shown="=A1+1"),
)
WRONG: Final[Mapping[str, tuple[Said, ...]]] = {
    "Duration": (Said("soon"), Said("-5", typed=-5, shown="-5"), Said("14"), Said("1441"), *_ERRORS),
    "Location": (Said("the Moon"), *_ERRORS),
    "Members": (
        Said("nobody@brighthome.example"),
        Said("Alex Kumar"),
        Said("omar.haddad@brighthome.example"),
        Said("5.54597E+18", typed=5.54597e18, shown="5.54597E+18"),
        *_ERRORS,
    ),
    "Availability_Type": (Said("Weekends"), *_ERRORS),
    "Price": (Said("free"), Said("-1.50", typed=-1.5, shown="-1.5"), Said("1.234"), *_ERRORS),
    "Tax": (Said("Moon tax"), *_ERRORS),
    "Description": _ERRORS[:1],  # there, a text that looks like a formula is a text
    "Status": _ERRORS,
    "Available_Days": (Said("Someday"), *_ERRORS),
    "Available_From": (Said("2040-02-30"), *_ERRORS),
    "job_sheet_enabled": (Said("maybe"), BLANK, *_ERRORS),
    "type": (Said("24*8"), BLANK, *_ERRORS),
}
_NEVER_BLANK: Final = (BLANK, Said("#CLEAR"))
_MANDATORY: Final = ("Duration", "Location", "Members", "Availability_Type", "Price")
_BAD_ID: Final = Said("5.54597E+18", typed=5545974000002183001.0, shown="5.545974000002183E+18")


def new_service(draw: st.DrawFn) -> Says:
    """What a service to create says, its name apart."""
    return _joined(draw, [*_NEEDED.values(), *_some(draw, _FURTHER)])


def changes(draw: st.DrawFn) -> Says:
    """What changes to a service say, the service apart."""
    return _joined(draw, _some(draw, {**_NEEDED, **_FURTHER}) or [_NEEDED["price"]])


def new_status(draw: st.DrawFn) -> Says:
    """What a status to set says, the service apart."""
    return _status(draw)


def rule_status(draw: st.DrawFn) -> Says:
    """What a scoring rule's status says, the rule apart."""
    wanted = draw(st.sampled_from(["active", "inactive"]))
    return {"Status": spelled(draw, wanted)}


def business_hours(draw: st.DrawFn) -> Says:
    """Business hours within the seeded ones."""
    count = draw(st.integers(1, 6))
    first = draw(st.sampled_from(["Monday", "Sunday"]))
    return {
        "type": spelled(draw, "custom"),
        "week_starts_on": spelled(draw, first),
        "business_days": Said("; ".join(_DAYS[:count]), set(_DAYS[:count])),
        "same_as_everyday": Said("yes", wire=True, typed=True, shown="TRUE"),
        "daily_timing": Said("10:00-17:00", ["10:00", "17:00"]),
    }


def preferences(draw: st.DrawFn) -> Says:
    """The one switch."""
    wanted = draw(st.booleans())
    said = Said(["no", "yes"][wanted], wanted, wanted, ["FALSE", "TRUE"][wanted])
    return {"job_sheet_enabled": said}


def _some(draw: st.DrawFn, parts: Mapping[str, Callable[[st.DrawFn], Says]]) -> list[Callable[[st.DrawFn], Says]]:
    chosen = draw(st.sets(st.sampled_from(list(parts)), max_size=4))
    return [part for name, part in parts.items() if name in chosen]


def _joined(draw: st.DrawFn, parts: Sequence[Callable[[st.DrawFn], Says]]) -> Says:
    says: dict[str, Said] = {}
    for part in parts:
        says |= part(draw)
    return says


def templates(draw: st.DrawFn, sound: Callable[[st.DrawFn], Says], *, creates: bool, carried: int) -> list[Template]:
    """A few kinds of lines: mostly sound ones, and such as have one cell that is wrong, odd, or too many."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        says = dict(sound(draw))
        kind = draw(st.sampled_from([Kind.SOUND, Kind.SOUND, Kind.SOUND, Kind.BAD, Kind.ODD]))
        surplus: tuple[str, ...] = ()
        spoilt = draw(st.sampled_from(sorted(says)))
        match kind:
            case Kind.BAD if draw(_seldom):
                surplus = draw(st.sampled_from([("too much",), ("", "=1+1")]))
            case Kind.BAD:
                blank = _NEVER_BLANK if creates and spoilt in _MANDATORY else ()
                wrong = (*WRONG.get(spoilt, ()), *blank)
                kind = Kind.BAD if wrong else Kind.ODD
                says[spoilt] = draw(st.sampled_from(wrong)) if wrong else Said(draw(odd_texts()))
            case Kind.ODD:
                says[spoilt] = Said(draw(odd_texts()))
            case _:
                pass
        beside = tuple(draw(CARRIED) for _ in range(carried))
        found.append(Template(says, kind, beside, surplus))
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What gives a line its record: what it says of it, and which one that is (blank for a new or unknown one)."""

    says: Says
    target: str = ""
    is_bad: bool = False


def new_place(draw: st.DrawFn, number: int, names: Sequence[str]) -> Place:
    """A name of its own for the service to be."""
    name = f"{names[number % len(names)]} {number:05}"
    return Place({"Service_Name": Said(name, name.strip())})


def some_names(draw: st.DrawFn) -> list[str]:
    """Beginnings of names."""
    beginnings = st.sampled_from(["Service", "Größe;n", "日本, x", "'s", "-5 %", 'a "b"'])
    return draw(st.lists(beginnings, min_size=1, max_size=3))


def service_place(draw: st.DrawFn, number: int, stock: int) -> Place:
    """One of the services that there are, by its id or its name; now and then a wrong one."""
    if draw(_seldom):
        return draw(st.sampled_from(_NOWHERE))
    if number < len(SEEDED):
        target, name = SEEDED[number], NAMES[number]
    elif number < len(SEEDED) + stock:
        target, name = str(STOCKED + number - len(SEEDED) + 1), f"Stock {number - len(SEEDED) + 1:04}"
    else:
        return Place({"id": Said(str(STOCKED + 99_000 + number))}, is_bad=True)
    return draw(_found_by(target, name))


def _found_by(target: str, name: str) -> st.SearchStrategy[Place]:
    texts = [target, f"'{target}", f'="{target}"', f" {target} "]
    by_id = [Place({"id": Said(text)}, target) for text in texts]
    by_name = [Place({"Service_Name": Said(name)}, target)] * 2 if name else []
    return st.sampled_from([*by_id, *by_name])


_NOWHERE: Final = (
    Place({"id": _BAD_ID}, is_bad=True),
    Place({"Service_Name": Said("House Call")}, is_bad=True),
    Place({"Service_Name": Said("No such service")}, is_bad=True),
    Place({"id": Said("5545974000009999999")}, is_bad=True),
    Place({"id": Said("12")}, is_bad=True),
    Place({}, is_bad=True),
)


def rule_place(draw: st.DrawFn, number: int, stock: int) -> Place:
    """One of the scoring rules, by its id, or by its name and perhaps its module."""
    target, name, module = RULES[number % len(RULES)]
    if draw(_seldom):
        return draw(st.sampled_from([Place({"name": Said(each)}, is_bad=True) for each in ("Cold leads", "Hot leads")]))
    choices = [Place({"id": Said(target)}, target), Place({"name": Said(name), "module": Said(module)}, target)]
    if name != "Hot leads":
        choices.append(Place({"name": Said(name.upper())}, target))
    return draw(st.sampled_from(choices))


def only_place(draw: st.DrawFn, number: int, stock: int) -> Place:
    """The settings, of which there is one record."""
    return Place({}, "the only one")


def sheet_of(
    draw: st.DrawFn, found: Sequence[Template], places: Sequence[Place], fields: Sequence[str], carried: int
) -> Sheet:
    """Put lines into a sheet: fields and carried columns in any order, blank lines and repeated lines in between."""
    memo = [draw(st.sampled_from(_MEMO)) for _ in range(carried)]
    columns: list[str | int] = draw(st.permutations([*fields, *range(carried)]))
    if isinstance(columns[-1], int) and not memo[columns[-1]].strip():
        memo[columns[-1]] = "memo"  # a workbook's header ends with its last text
    header = tuple(header_of(draw, each) if isinstance(each, str) else memo[each] for each in columns)
    pattern = draw(st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=8))
    lines: list[Line | None] = []
    for number, place in enumerate(places):
        template = found[pattern[number % len(pattern)]]
        lines.append(_line(template, place, columns))
        if len(places) < 20 or number % 50 == 0:
            match draw(st.integers(0, 7)):
                case 0:
                    lines.append(None)
                case 1:
                    lines.append(draw(st.sampled_from([line for line in lines if line is not None])))
                case _:
                    pass
    return Sheet(header, tuple(lines))


def _line(template: Template, place: Place, columns: Sequence[str | int]) -> Line:
    says = {**template.says, **place.says}
    kind = Kind.BAD if place.is_bad else template.kind
    cells = tuple(template.carried[each] if isinstance(each, int) else says.get(each, BLANK) for each in columns)
    gives: dict[str, Any] = {}
    if kind is Kind.SOUND:
        gives = {name: said.wire for name, said in says.items() if said.wire is not None}
    return Line(cells, kind, gives, place.target, template.surplus)
