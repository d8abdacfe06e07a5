"""Rules that a new record cannot break are not asked about it; what is found is what asking all of them would find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_rows import GOOD, judge_rows, organisation

from bulkzcrm.cells import column_letter
from bulkzcrm.journal import Journal, NewRun
from bulkzcrm.model import Column, Record, Row, Table
from bulkzcrm.run.ingesting import take_in
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.judging_all import judge_repeated
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.facts import Facts
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Current
from bulkzcrm.validate import Validator

CREATE = OPERATIONS["create-services"]
NOW = datetime(2040, 3, 14, 12, tzinfo=UTC)
DAYS = ("2040-03-13", "2040-03-14", "2040-03-18", "2041-01-01")
MOMENTS = (
    "now",
    "2040-03-13T12:00:00",
    "2040-03-14T12:00:00",
    "2040-03-14T11:59:59+00:00",
    "2041-01-01T00:00:00+05:30",
)
VALUES = {
    "Service_Name": ("Wash", "n" * 121),
    "Duration": (5, 15, 60, 1441),
    "Location": ("Client Address",),
    "Members": ([], ["5545974000000393001"], ["Ann"] * 101, [{"Members": {"id": "5545974000000393001"}}]),
    "Availability_Type": ("Every Business Days", "Specific Date Range", "Specific Date(s)", "Specific Day(s)"),
    "Available_From": DAYS,
    "Available_Till": DAYS,
    "Available_Dates": ([], [DAYS[0]], [DAYS[0], DAYS[2]], ["2041-01-01"] * 21),
    "Available_Days": ([], ["Monday"], ["Sunday"]),
    "Price": (
        0,
        10**16,
        Decimal("1.50"),
        Decimal("1.555"),
        Decimal("1.500"),
        Decimal("9999999999999999.99"),
        Decimal("1E+16"),
    ),
    "Available_Timings": ([], [{"From": "09:00", "To": "10:00"}], [{"From": "23:00", "To": "09:00"}] * 3),
    "Job_Sheet_Required": ("Yes", "No"),
    "Job_Sheet_Section__s": ("Standard",),
    "Status": ("Available", "Temporarily Unavailable", "Not in Use", "Perhaps"),
    "Unavailable_From": MOMENTS,
    "Unavailable_Till": MOMENTS,
    "Description": ("d", "d" * 32001),
}
RECORDS = st.fixed_dictionaries({}, optional={name: st.sampled_from([None, *some]) for name, some in VALUES.items()})
ALL_ASKED = replace(CREATE, rules=tuple(replace(rule, only_while=None, blank_is_fine=False) for rule in CREATE.rules))


@settings(max_examples=400, deadline=None)
@given(record=RECORDS, is_known=st.booleans())
def test_asking_only_rules_that_can_be_broken_finds_what_asking_all_finds(record: Record, is_known):
    facts = Facts(
        given=record,
        current=Current({}),
        now=NOW,
        organisation=organisation() if is_known else None,
        defaults=CREATE.defaults,
    )
    assert Validator(CREATE)(facts) == Validator(ALL_ASKED)(facts)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_what_decides_whether_a_rule_is_asked_is_among_what_it_looks_at(operation):
    for rule in operation.rules:
        assert rule.only_while is None or rule.only_while[0] in rule.looks_at
        assert not rule.blank_is_fine or rule.field in rule.looks_at


CELLS = {
    "Service_Name": ("Wash", "wash ", "Dry", None),
    "Duration": ("60", "5", "x"),
    "Price": ("1.50", "1,50", "1.250"),
    "Available_From": ("03/04/2040", "31/03/2040", "2040-05-01", None),
    "Status": ("Available", "Not in Use", "now", None),
    "Unavailable_From": ("now", "2040-03-14 12:00", None),
}
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(some) for name, some in CELLS.items()}), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_rows_judged_on_their_way_into_the_journal_end_as_those_judged_from_it(rows):
    filled = [{**GOOD["create-services"], **row} for row in rows]
    headers = [each.name for each in CREATE.fields]
    table = Table(
        "services.csv",
        tuple(Column(place, column_letter(place), name) for place, name in enumerate(headers)),
        iter([Row(number, tuple(row.get(name) for name in headers)) for number, row in enumerate(filled, 2)]),
        header_row=1,
    )
    judges = []

    def judging(column_map):
        judges.append(
            Judge(
                operation=CREATE,
                organisation=None,
                letters=column_map.letters,
                now=NOW,
                time_zone=None,
                announce=lambda _: None,
            )
        )
        return judges[0]

    with Journal.temporary() as journal:

        def begin(columns):
            journal.add_run(
                NewRun(id="run", operation=CREATE.name, api_domain="", source="", columns=columns, header_row=1)
            )
            return "run", 0

        quiet = {"announce": lambda _: None, "go_on": lambda: None}
        taken = take_in(table, CREATE, RunOptions(), journal, begin, judging=judging, **quiet)
        judge_repeated(judges[0], journal, "run", lambda settled: journal.settle_rows("run", 0, settled), taken.rows)
        at_once = [(row.ordinal, row.status, row.problems, row.record) for row in journal.rows("run")]
    later = judge_rows("create-services", filled, now=NOW)
    assert at_once == [(row.ordinal, row.status, row.problems, row.record) for row in later]
