"""Rows as people write them beside the JSON that they mean, value by value; nothing here comes from `bulkzcrm.spec`.

A record is a mapping of field name to `Said`. Cells and JSON come from the same drawn value, so that neither side's
reading of the one decides what the other should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

NOW: Final = datetime.fromisoformat("2040-03-07T12:00:00+05:30")
"""A Wednesday, and a business day."""
TODAY: Final = NOW.date()
WEEK: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WORKED: Final = WEEK[:6]
OPENING, CLOSING = 9 * 60, 19 * 60
USER: Final = 5545974000000393000
SERVICE: Final = 5545974000002183000
TAXES: Final = (
    ("5545974000000021001", "Sales Tax - 2.0 %"),
    ("5545974000000021003", "Vat - 0.8 %"),
    ("5545974000000021005", "Service Tax - 5.0 %"),
)
MAILBOXES: Final = ("patricia.boyle", "rahul.menon", "aisha.karim", "tom.weber", "mei.tanaka")
LOCATIONS: Final = ("Client Address", "Business Address", "Business Address and Client Address")


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = _Nothing()
"""In place of JSON: the key is not sent."""


@dataclass(frozen=True, slots=True)
class Said:
    """One value: the text of its cell, and what it is in JSON."""

    cell: str
    wire: Any


Said_by_field: TypeAlias = Mapping[str, Said]

BLANK: Final = Said("", NOTHING)
CLEAR: Final = Said("#CLEAR", None)


def same(text: str) -> Said:
    """A text that is in JSON as it is in the cell."""
    return Said(text, text)


def only(**fields: Said) -> st.SearchStrategy[Said_by_field]:
    """Always these values."""
    return st.just(fields)


def each(field: str, values: st.SearchStrategy[Said], **others: Said) -> st.SearchStrategy[Said_by_field]:
    """One field drawn, the others as given."""
    return values.map(lambda value: {**others, field: value})


def texts(least: int, most: int) -> st.SearchStrategy[Said]:
    """Texts of so many characters that begin with no marker and have no outer blanks."""
    characters = st.sampled_from("abcXYZ089&'.,-é ü日€")
    return (
        st.text(characters, min_size=least, max_size=most)
        .map(lambda text: f"n{text[1:-1]}n" if len(text) > 1 else "n" * least)
        .map(same)
    )


def whole(number: int) -> st.SearchStrategy[Said]:
    """Minutes, in the ways in which people write them."""
    ways = [str(number), f"{number}.0", f"{number // 60}:{number % 60:02}", f"{number} min"]
    return st.sampled_from(ways).map(lambda text: Said(text, number))


def choice(value: str) -> st.SearchStrategy[Said]:
    """A choice, its case and spacing as they come."""
    return st.sampled_from([value, value.lower(), value.upper(), f"  {value} "]).map(lambda text: Said(text, value))


def choices(*values: str) -> st.SearchStrategy[Said]:
    return st.sampled_from(values).flatmap(choice)


def members(numbers: Sequence[int], *, base: int = USER) -> Said:
    """Members by their ids."""
    ids = [str(base + number) for number in numbers]
    return Said("; ".join(ids), [{"Members": {"id": user}} for user in ids])


def some_members() -> st.SearchStrategy[Said]:
    """One to three active users, by id or e-mail address."""
    numbers = st.lists(st.integers(1, len(MAILBOXES)), min_size=1, max_size=3, unique=True)

    def said(drawn: tuple[list[int], bool]) -> Said:
        users, by_mail = drawn
        by_id = members(users)
        mails = "\n".join(f"{MAILBOXES[number - 1]}@brighthome.example" for number in users)
        return Said(mails, by_id.wire) if by_mail else by_id

    return st.tuples(numbers, st.booleans()).map(said)


def money(amount: Decimal) -> Said:
    return Said(f"{amount:f}", amount)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def timings(*spans: tuple[int, int]) -> Said:
    """Timings, given in minutes since midnight."""
    return spans_written(*((clock(start), clock(end)) for start, end in spans))


def spans_written(*spans: tuple[str, str]) -> Said:
    """Timings, given as they are written."""
    cell = "; ".join(f"{start}-{end}" for start, end in spans)
    return Said(cell, [{"From": start, "To": end} for start, end in spans])


def day(offset: int) -> date:
    """The day so many days from today."""
    return TODAY + timedelta(days=offset)


def dates(*days: date) -> Said:
    written = [each_day.isoformat() for each_day in days]
    return Said("; ".join(written), written)


def days(*names: str) -> Said:
    return Said(", ".join(name[:3] for name in names), list(names))


def moment(seconds: int) -> st.SearchStrategy[Said]:
    """The moment so many seconds from now: with the organisation's offset, another one, or none."""
    local = NOW + timedelta(seconds=seconds)
    elsewhere = local.astimezone(datetime.fromisoformat("2040-01-01T00:00:00-08:00").tzinfo)
    return st.sampled_from(
        [
            same(local.isoformat()),
            same(elsewhere.isoformat()),
            Said(local.replace(tzinfo=None).isoformat(" "), local.isoformat()),
        ]
    )


def workdays(least: int = 0, most: int = 400) -> st.SearchStrategy[date]:
    """Business days so many days from today."""
    return st.integers(least, most).map(day).filter(lambda found: WEEK[found.weekday()] in WORKED)


def availability(kind: str, **dependents: Said) -> dict[str, Said]:
    """An availability type with its dependents, and nothing of another type's."""
    blank = dict.fromkeys(("Available_From", "Available_Till", "Available_Dates", "Available_Days"), BLANK)
    return {**blank, "Availability_Type": same(kind), **dependents}


def paused(kind: str, since: Said = BLANK, until: Said = BLANK) -> dict[str, Said]:
    """A status with its two times."""
    return {"Status": same(kind), "Unavailable_From": since, "Unavailable_Till": until}


@st.composite
def availabilities(draw: st.DrawFn) -> dict[str, Said]:
    match draw(st.sampled_from(["every", "range", "dates", "days"])):
        case "range":
            start = draw(st.integers(-60, 60))
            end = draw(st.integers(max(start + 1, 0), 200))
            since, until = same(day(start).isoformat()), same(day(end).isoformat())
            return availability("Specific Date Range", Available_From=since, Available_Till=until)
        case "dates":
            found = draw(st.lists(workdays(), min_size=1, max_size=5, unique=True))
            return availability("Specific Date(s)", Available_Dates=dates(*found))
        case "days":
            found = draw(st.lists(st.sampled_from(WORKED), min_size=1, max_size=6, unique=True))
            return availability("Specific Day(s)", Available_Days=days(*found))
        case _:
            return availability("Every Business Days")


@st.composite
def durations(draw: st.DrawFn) -> dict[str, Said]:
    """A duration, and timings that hold it (or none)."""
    minutes = draw(st.integers(15, 240))
    duration = draw(whole(minutes))
    if draw(st.booleans()):
        return {"Duration": duration, "Available_Timings": CLEAR}
    start = draw(st.integers(OPENING, CLOSING - minutes))
    spans = [(start, draw(st.integers(start + minutes, CLOSING)))]
    if draw(st.booleans()):
        spans.append((OPENING, OPENING + draw(st.integers(1, 600))))
    return {"Duration": duration, "Available_Timings": timings(*spans)}


@st.composite
def statuses(draw: st.DrawFn) -> dict[str, Said]:
    past, future = draw(moment(-draw(st.integers(1, 10**6)))), draw(moment(draw(st.integers(1, 10**6))))
    earlier = draw(moment(-(10**6) - 1))
    return draw(
        st.sampled_from(
            [
                paused("Available"),
                paused("Available", earlier, past),
                paused("Temporarily Unavailable", past, future),
                paused("Not in Use", past),
            ]
        )
    )


@st.composite
def job_sheets(draw: st.DrawFn) -> dict[str, Said]:
    if draw(st.booleans()):
        return {"Job_Sheet_Required": draw(st.sampled_from([same("No"), Said("0", "No"), Said("false", "No")]))}
    section = draw(st.sampled_from(["Standard", "Extended"]))
    return {"Job_Sheet_Required": draw(choice("Yes")), "Job_Sheet_Section__s": same(section)}


def taxes() -> st.SearchStrategy[dict[str, Said]]:
    chosen = st.lists(st.sampled_from(TAXES), min_size=1, max_size=3, unique=True)
    written = [lambda tax: tax[0], lambda tax: tax[1].lower()]
    return st.tuples(chosen, st.sampled_from(written)).map(
        lambda drawn: {
            "Tax": Said(
                "; ".join(map(drawn[1], drawn[0])), [{"id": number, "value": text} for number, text in drawn[0]]
            )
        }
    )


PRICES: Final = st.integers(0, 10**8).map(lambda hundredths: money(Decimal(hundredths).scaleb(-2)))

PARTS: Final[Mapping[str, st.SearchStrategy[dict[str, Said]]]] = {
    "name": each("Service_Name", texts(1, 40)),
    "duration": durations(),
    "location": each("Location", choices(*LOCATIONS)),
    "members": each("Members", some_members()),
    "availability": availabilities(),
    "price": each("Price", PRICES),
    "tax": taxes(),
    "job sheet": job_sheets(),
    "status": statuses(),
    "description": each("Description", texts(1, 60)),
}
_NEEDED = ("name", "duration", "location", "members", "availability", "price")


@st.composite
def new_services(draw: st.DrawFn) -> dict[str, Said]:
    """A service to create that breaks no rule in the seeded organisation."""
    return _joined(draw, [part for part in PARTS if part in _NEEDED or draw(st.booleans())])


@st.composite
def changed_services(draw: st.DrawFn) -> dict[str, Said]:
    """Changes to one of the seeded services, found by its id, that break no rule in the seeded organisation."""
    number = draw(st.integers(1, 12))
    parts = draw(st.lists(st.sampled_from(list(PARTS)), min_size=1, max_size=4, unique=True))
    return {"id": same(str(SERVICE + number)), **_joined(draw, parts)}


@st.composite
def status_changes(draw: st.DrawFn) -> dict[str, Said]:
    """A status for one of the seeded services."""
    return {"id": same(str(SERVICE + draw(st.integers(1, 12)))), **draw(statuses())}


def _joined(draw: st.DrawFn, parts: Sequence[str]) -> dict[str, Said]:
    record: dict[str, Said] = {}
    for part in parts:
        record |= draw(PARTS[part])
    return record
