"""Rows that come to repeat others between two calls of a run: what was sent stands, what was not is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bulkzcrm.journal import Journal, NewRow, NewRun, Progress, RowOutcome, RunState
from bulkzcrm.model import Column, Record
from bulkzcrm.run import repeating
from bulkzcrm.run.judging import Judge, first_identity
from bulkzcrm.run.judging_all import judge_all
from bulkzcrm.run.keys import Keys
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Current, Organisation, Unique

RUN = "20400307-120000-aaaa"
CREATE = "create-services"
BEFORE = {"7": "Roof Check", "8": "Garden Care", "9": "Pool Check"}
AFTER = {"7": "Garden Care", "8": "Lawn Care", "9": "Pool Check"}
"""Between the two calls somebody gave a name away: who says `Garden Care` means another record from then on."""
BY_NAME: Record = {"Service_Name": "Garden Care", "Duration": 35}
BY_ID: Record = {"id": "7", "Duration": 40}


@pytest.fixture
def journal() -> Iterator[Journal]:
    with Journal.temporary() as journal:
        yield journal


def take_in(journal: Journal, records: Sequence[Record], operation: str = "update-services") -> None:
    columns = (Column(0, "A", "Service_Name"), Column(1, "B", "Duration"))
    journal.add_run(NewRun(id=RUN, operation=operation, api_domain="", source="", columns=columns, header_row=1))
    journal.add_rows(RUN, 0, [new_row(at, each, operation) for at, each in enumerate(records, start=1)])
    journal.set_state(RUN, 0, RunState.INGESTED)


def new_row(place: int, record: Record, operation: str) -> NewRow:
    identity = first_identity(OPERATIONS[operation], record)
    return NewRow(ordinal=place, number=place + 1, cells=(), record=record, identity=identity)


def judge(journal: Journal, names: Mapping[str, str], operation: str = "update-services", **changes: object) -> None:
    services = {
        each: Current({"id": each, "Service_Name": name, "Duration": 60, "Status": "Available"})
        for each, name in names.items()
    }
    settings: dict[str, object] = {
        "operation": OPERATIONS[operation],
        "organisation": Organisation(services=services),
        "letters": {"Service_Name": "A", "Duration": "B"},
        "now": datetime(2040, 3, 7, 12, tzinfo=UTC),
        "time_zone": None,
        "announce": lambda _: None,
    }
    judge_all(Judge(**(settings | changes)), journal, RUN, lambda settled: journal.settle_rows(RUN, 0, settled))


def send(journal: Journal, ordinal: int, ending: Progress) -> None:
    if journal.run(RUN).state is RunState.INGESTED:
        journal.set_state(RUN, 0, RunState.SENDING)
    number = journal.plan_batch(RUN, 0, [ordinal])
    journal.mark_sending(RUN, 0, number, ordinals=[ordinal], body_sha256="ab" * 32, sent_ms=1_000)
    if ending is Progress.PENDING:
        journal.mark_not_applied(RUN, 0, number, answered_ms=2_000, http_status=429)
    elif ending is Progress.IN_DOUBT:
        journal.mark_in_doubt(RUN, 0, number, answered_ms=2_000)
    elif ending is not Progress.SENDING:
        outcome = RowOutcome(ordinal=ordinal, status=ending, code="X", record_id="7")
        journal.mark_answered(RUN, 0, number, [outcome], answered_ms=2_000, http_status=200)


def told(journal: Journal) -> list[tuple[str, str]]:
    """Every row's state, and its first problem."""
    return [(row.status, row.problems[0].message if row.problems else "") for row in journal.rows(RUN)]


SENT = [Progress.SUCCEEDED, Progress.REJECTED, Progress.SENDING, Progress.IN_DOUBT, Progress.PENDING]


@pytest.mark.parametrize("ending", SENT)
def test_a_row_that_was_not_sent_is_refused_for_a_later_one_that_was(journal: Journal, ending: Progress):
    take_in(journal, [BY_NAME, BY_ID])
    judge(journal, BEFORE)
    assert told(journal) == [("pending", ""), ("pending", "")]
    send(journal, 2, ending)
    for _ in range(2):
        judge(journal, AFTER)
        assert told(journal) == [
            ("invalid", "This row changes the same record as row 3, which was sent already."),
            (ending, ""),
        ]


@pytest.mark.parametrize("ending", SENT)
def test_a_row_that_was_not_sent_is_refused_for_an_earlier_one_that_was(journal: Journal, ending: Progress):
    take_in(journal, [BY_ID, BY_NAME])
    judge(journal, BEFORE)
    send(journal, 1, ending)
    judge(journal, AFTER)
    assert told(journal) == [
        (ending, ""),
        ("invalid", "This row changes the same record as row 2, which comes first."),
    ]


@pytest.mark.parametrize("page", [1, 2, 500])
def test_all_rows_that_were_not_sent_name_the_one_that_was(
    journal: Journal, page: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(repeating, "PAGE", page)
    others: list[Record] = [{"id": "9", "Duration": 50}, {"Service_Name": "Pool Check", "Duration": 55}]
    take_in(journal, [BY_NAME, BY_NAME, BY_ID, BY_NAME, *others])
    send(journal, 3, Progress.SUCCEEDED)
    judge(journal, AFTER)
    sent = ("invalid", "This row changes the same record as row 4, which was sent already.")
    first = ("invalid", "This row changes the same record as row 6, which comes first.")
    assert told(journal) == [sent, sent, ("succeeded", ""), sent, ("pending", ""), first]


def test_a_row_that_is_as_wanted_already_gives_way_to_the_one_that_was_sent(journal: Journal):
    take_in(journal, [BY_NAME | {"Duration": 60}, BY_ID])
    send(journal, 2, Progress.IN_DOUBT)
    judge(journal, AFTER)
    assert [status for status, _ in told(journal)] == ["invalid", "in_doubt"]


def test_of_two_rows_that_were_sent_neither_is_touched(journal: Journal):
    take_in(journal, [BY_ID, BY_ID, BY_NAME])
    send(journal, 1, Progress.PENDING)
    send(journal, 2, Progress.IN_DOUBT)
    judge(journal, AFTER)
    first = ("invalid", "This row changes the same record as row 2, which comes first.")
    assert told(journal) == [("pending", ""), ("in_doubt", ""), first]


SERVICE: Record = {
    "Service_Name": "Roof Check",
    "Duration": 30,
    "Location": "Business Address",
    "Members": ["5545974000000393002"],
    "Availability_Type": "Every Business Days",
    "Price": 5,
}


def test_a_new_record_that_was_not_sent_is_refused_for_a_later_equal_one_that_was(journal: Journal):
    """A date-time without an offset means another moment once the organisation has another time zone."""
    moments = ("2040-03-01T12:00:00", "2040-03-01T12:00:00+05:30")
    take_in(journal, [SERVICE | {"Status": "Not in Use", "Unavailable_From": each} for each in moments], CREATE)
    judge(journal, {}, CREATE, organisation=None, time_zone=ZoneInfo("UTC"))
    assert told(journal) == [("pending", ""), ("pending", "")]
    send(journal, 2, Progress.PENDING)
    judge(journal, {}, CREATE, organisation=None, time_zone=ZoneInfo("Asia/Kolkata"))
    assert told(journal) == [
        ("invalid", "This row says the same as row 3, which was sent already."),
        ("pending", ""),
    ]


def test_a_value_that_a_later_row_was_sent_with_is_refused(journal: Journal):
    """Letters count in a unique field, or do not, as its settings say at the time."""
    take_in(journal, [SERVICE | {"Code": "K"}, SERVICE | {"Code": "k"}], CREATE)
    keys = Keys(name="Code", run=RUN, by_source=True, unique=Unique(length=None, case_sensitive=True))
    judge(journal, {}, CREATE, organisation=None, keys=keys)
    send(journal, 2, Progress.SUCCEEDED)
    folding = replace(keys, unique=Unique(length=None, case_sensitive=False))
    judge(journal, {}, CREATE, organisation=None, keys=folding)
    assert told(journal) == [
        ("invalid", "This row has the same Code as row 3, which was sent already."),
        ("succeeded", ""),
    ]
