"""Rows judged as `check` and `run` judge them: spreadsheet cells go in, problems come out.

The organisation is written by hand. Now is Wednesday, 14 March 2040, 12:00 UTC, which is 17:30 in Kolkata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bulkzcrm.cells import column_letter
from bulkzcrm.events import Event
from bulkzcrm.journal import Journal, NewRun, StoredRow
from bulkzcrm.model import CellValue, Column, Problem, Record, Row, Table
from bulkzcrm.run.ingesting import take_in
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.judging_all import judge_all
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import BusinessHours, Choice, Current, Organisation, Profile, User

Cells: TypeAlias = Mapping[str, CellValue]

NOW = datetime(2040, 3, 14, 12, tzinfo=UTC)
KOLKATA = ZoneInfo("Asia/Kolkata")


def at(**after: int) -> str:
    """Return now, or so much after it, as a cell says it."""
    return (NOW + timedelta(**after)).astimezone(KOLKATA).isoformat(timespec="seconds")


def day(after: int) -> str:
    """Return today in the business zone, or so many days after it."""
    return (NOW.astimezone(KOLKATA).date() + timedelta(days=after)).isoformat()


RAHUL, AISHA, ALEX, OTHER_ALEX, INACTIVE, UNCONFIRMED = (f"554597400000039300{digit}" for digit in range(2, 8))
CREW = [f"5545974000000394{number:03}" for number in range(101)]
"""One more user than a service may have."""

_USERS = (
    User(id=RAHUL, name="Rahul Menon", email="rahul@example.com", active=True, confirmed=True),
    User(id=AISHA, name="Aisha Karim", email="aisha@example.com", active=True, confirmed=True),
    User(id=ALEX, name="Alex Kumar", email="alex@example.com", active=True, confirmed=True),
    User(id=OTHER_ALEX, name="Alex Kumar", email="alex2@example.com", active=True, confirmed=True),
    User(id=INACTIVE, name="Omar Haddad", email="omar@example.com", active=False, confirmed=True),
    User(id=UNCONFIRMED, name="Lena Fischer", email="lena@example.com", active=True, confirmed=False),
    *(User(id=each, name=f"Crew {each}", email="", active=True, confirmed=True) for each in CREW),
)

PLAIN, PAST_DATES, PAST_RANGE, SUNDAYS, SUNDAY_DATES, EARLY, TWIN, OTHER_TWIN, AWAY = (
    f"554597400000218300{digit}" for digit in range(1, 10)
)
NOWHERE = "5545974000009999999"

_PLAIN_SERVICE: Record = {
    "Service_Name": "AC Repair",
    "Duration": 60,
    "Location": "Client Address",
    "Members": [{"id": "5545974000002184001", "Members": {"id": RAHUL, "name": "Rahul Menon"}}],
    "Availability_Type": "Every Business Days",
    "Available_From": None,
    "Available_Till": None,
    "Available_Dates": None,
    "Available_Days": None,
    "Price": Decimal("230.66"),
    "Available_Timings": None,
    "Tax": [],
    "Job_Sheet_Required": "No",
    "Job_Sheet_Section__s": None,
    "Status": "Available",
    "Unavailable_From": None,
    "Unavailable_Till": None,
    "Description": None,
}

# Each differs from the plain service in what once was right and no longer is, or in its name.
_SERVICES: dict[str, Record] = {
    PLAIN: {},
    PAST_DATES: {
        "Service_Name": "Garden Care",
        "Availability_Type": "Specific Date(s)",
        "Available_Dates": [day(-2), day(-1)],
    },
    PAST_RANGE: {
        "Service_Name": "Window Cleaning",
        "Availability_Type": "Specific Date Range",
        "Available_From": day(-9),
        "Available_Till": day(-1),
    },
    SUNDAYS: {"Service_Name": "Roof Check", "Availability_Type": "Specific Day(s)", "Available_Days": ["Sunday"]},
    SUNDAY_DATES: {
        "Service_Name": "Pest Control",
        "Availability_Type": "Specific Date(s)",
        "Available_Dates": ["2040-03-18"],
    },
    EARLY: {"Service_Name": "Key Service", "Available_Timings": [{"From": "06:00", "To": "08:00"}]},
    TWIN: {"Service_Name": "House Call"},
    OTHER_TWIN: {"Service_Name": "House Call"},
    AWAY: {
        "Service_Name": "Deep Cleaning",
        "Status": "Temporarily Unavailable",
        "Unavailable_From": at(days=-2),
        "Unavailable_Till": at(days=-1),
    },
}

HOURS_ID = "3652397000001438001"

_SCORING_RULES = {
    "4876876000000965528": {"name": "Hot leads", "module": {"api_name": "Leads"}, "active": True},
    "4876876000000965529": {"name": "Hot leads", "module": {"api_name": "Deals"}, "active": False},
    "4876876000000965530": {"name": "Old friends", "module": {"api_name": "Contacts"}, "active": True},
}

_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_HOURS_RECORD: Record = {
    "id": HOURS_ID,
    "type": "custom",
    "week_starts_on": "Monday",
    "business_days": [*_WEEK, "Saturday"],
    "same_as_everyday": False,
    "daily_timing": None,
    "custom_timing": [
        *({"days": each, "business_timing": ["09:00", "19:00"]} for each in _WEEK),
        {"days": "Saturday", "business_timing": ["10:00", "14:00"]},
    ],
}


def organisation(**changes: object) -> Organisation:
    """Return an organisation that works from Monday to Friday, 09:00 to 19:00, and on Saturday from 10:00 to 14:00."""
    return replace(
        Organisation(
            profile=Profile(id="60001234567", name="Bright Home Services", time_zone="Asia/Kolkata"),
            users={user.id: user for user in _USERS},
            taxes=(Choice("5545974000000021001", "Sales Tax - 2.0 %"), Choice("5545974000000021003", "Vat - 0.8 %")),
            job_sheets=(Choice("", "Standard"), Choice("", "Extended")),
            field_names={},
            services={key: Current({"id": key, **_PLAIN_SERVICE, **own}) for key, own in _SERVICES.items()},
            business_hours=BusinessHours(
                record=_HOURS_RECORD,
                days=frozenset({*_WEEK, "Saturday"}),
                hours={**dict.fromkeys(_WEEK, ("09:00", "19:00")), "Saturday": ("10:00", "14:00")},
                zone=KOLKATA,
            ),
            job_sheet_enabled=True,
            scoring_rules={key: Current({"id": key, **own}) for key, own in _SCORING_RULES.items()},
        ),
        **changes,
    )


GOOD: dict[str, Cells] = {
    "create-services": {
        "Service_Name": "AC Repair",
        "Duration": "60",
        "Location": "Client Address",
        "Members": RAHUL,
        "Availability_Type": "Every Business Days",
        "Price": "230.66",
    },
    "update-services": {"id": PLAIN},
    "set-service-status": {"id": PLAIN, "Status": "Available"},
    "set-scoring-rule-status": {"id": "4876876000000965528", "Status": "active"},
    "update-business-hours": {
        "type": "custom",
        "week_starts_on": "Monday",
        "business_days": "Mon-Fri",
        "same_as_everyday": "yes",
        "daily_timing": "09:00-18:00",
    },
    "update-service-preferences": {"job_sheet_enabled": "yes"},
}
"""By operation: a row with which nothing is wrong."""


def _nobody_listens(event: Event) -> None:
    del event


def judge_rows(
    operation: str,
    rows: Sequence[Cells],
    *,
    around: Organisation | None = None,
    zone: str | None = None,
    now: datetime = NOW,
    columns: Sequence[str] = (),
    options: RunOptions | None = None,
) -> list[StoredRow]:
    """Take rows in and judge them; `around` is None in `check`. Without `columns` every field has one, in order."""
    operation_of = OPERATIONS[operation]
    settings = options or RunOptions(time_zone=zone)
    headers = columns or [each.name for each in operation_of.fields if each.name not in settings.constants]
    with Journal.temporary() as journal:
        table = Table(
            "services.csv",
            tuple(Column(place, column_letter(place), name) for place, name in enumerate(headers)),
            iter([Row(number, tuple(row.get(name) for name in headers)) for number, row in enumerate(rows, 2)]),
            header_row=1,
        )

        def begin(shown: tuple[Column, ...]) -> tuple[str, int]:
            journal.add_run(
                NewRun(id="a run", operation=operation, api_domain="", source="", columns=shown, header_row=1)
            )
            return "a run", 0

        taken = take_in(table, operation_of, settings, journal, begin, announce=_nobody_listens, go_on=lambda: None)
        judge = Judge(
            operation=operation_of,
            organisation=around,
            letters=taken.letters,
            now=now,
            time_zone=ZoneInfo(settings.time_zone) if settings.time_zone else None,
            announce=_nobody_listens,
        )
        judge_all(judge, journal, "a run", lambda settled: journal.settle_rows("a run", 0, settled))
        return journal.rows("a run")


def problems_of(operation: str, row: Cells, **how: object) -> tuple[Problem, ...]:
    """Judge one row that differs from the good one of its operation in `row`; None blanks a cell."""
    (judged,) = judge_rows(operation, [{**GOOD[operation], **row}], **how)
    return judged.problems


def codes_of(operation: str, row: Cells, **how: object) -> list[tuple[str, str]]:
    """Return code and field of each problem, in their order."""
    return [(problem.code, problem.field) for problem in problems_of(operation, row, **how)]
