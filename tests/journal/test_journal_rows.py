from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_samples import (
    LATE,
    RUN,
    TWIN,
    ingested,
    new_row,
    new_run,
    problems,
    records,
    send,
    sending,
    statuses,
    succeed,
    texts,
)

from bulkzcrm.errors import JournalError
from bulkzcrm.journal import (
    BatchState,
    Duplicate,
    IllegalMoveError,
    Journal,
    NewRow,
    Progress,
    RowOutcome,
    RowSettlement,
    RunState,
)
from bulkzcrm.model import CellError, FormulaWithoutValue, Outcome, Status

cells = st.one_of(
    st.none(),
    texts,
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.builds(CellError, texts),
    st.builds(FormulaWithoutValue, texts),
)
new_rows = st.builds(
    NewRow,
    ordinal=st.integers(1, 2**31),
    number=st.integers(1, 2**31),
    cells=st.lists(cells, max_size=5).map(tuple),
    surplus=st.lists(cells, max_size=2).map(tuple),
    record=st.none() | records,
    identity=st.none() | texts,
    fingerprint=st.none() | st.binary(max_size=32),
    is_open=st.booleans(),
    status=st.sampled_from([Progress.PENDING, Progress.INVALID]),
    problems=st.lists(problems, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(st.lists(new_rows, max_size=4, unique_by=lambda row: row.ordinal))
def test_rows_read_back_as_they_were_written_in_source_order(rows):
    with Journal.temporary() as journal:
        journal.add_run(new_run())
        journal.add_rows(RUN, 0, rows)
        read = journal.rows(RUN)
        assert [NewRow(**{name: getattr(row, name) for name in NewRow.__struct_fields__}) for row in read] == sorted(
            rows, key=lambda row: row.ordinal
        )
        assert all((row.batch, row.attempts, row.record_id, row.before) == (None, 0, "", None) for row in read)


def test_typed_cells_keep_their_types(journal):
    typed = (
        1,
        1.0,
        True,
        Decimal("1.0"),
        "1",
        date(2040, 3, 7),
        datetime(2040, 3, 7, 1, tzinfo=UTC),
        time(1),
        timedelta(1),
        None,
    )
    ingested(journal, [new_row(1, cells=typed)])
    assert [type(cell) for cell in journal.rows(RUN)[0].cells] == [type(cell) for cell in typed]


def test_money_comes_back_with_every_digit(journal):
    ingested(journal, [new_row(1, record={"Price": Decimal("9999999999999999.90"), "Count": 12})])
    record = journal.rows(RUN)[0].record
    assert record is not None
    assert str(record["Price"]) == "9999999999999999.90"
    assert type(record["Count"]) is int


def test_ten_thousand_rows_are_read_page_by_page_once_each_and_in_order(journal):
    journal.add_run(new_run())
    for first in range(1, 10_001, 1_000):
        journal.add_rows(
            RUN,
            0,
            [
                new_row(ordinal, status=Progress.INVALID if ordinal % 7 == 0 else Progress.PENDING)
                for ordinal in range(first, first + 1_000)
            ],
        )

    def paged(status=None):
        ordinals = []
        while page := journal.rows(RUN, ordinals[-1] if ordinals else 0, 997, status):
            assert len(page) <= 997
            ordinals += [row.ordinal for row in page]
        return ordinals

    everything = list(range(1, 10_001))
    assert paged() == everything
    assert paged({Progress.PENDING, Progress.INVALID, Progress.REJECTED}) == everything
    assert paged({Progress.INVALID}) == everything[6::7]
    assert paged(set()) == []


def test_a_row_begins_as_pending_or_invalid_only(journal):
    journal.add_run(new_run())
    with pytest.raises(IllegalMoveError):
        journal.add_rows(RUN, 0, [new_row(1), new_row(2, status=Progress.SUCCEEDED)])
    assert journal.rows(RUN) == []


def test_a_place_in_the_source_is_taken_once_and_rows_come_all_or_none(journal):
    journal.add_run(new_run())
    journal.add_rows(RUN, 0, [new_row(2)])
    with pytest.raises(sqlite3.IntegrityError):
        journal.add_rows(RUN, 0, [new_row(1), new_row(2)])
    assert [row.ordinal for row in journal.rows(RUN)] == [2]


def test_counts_have_every_status_and_add_up(journal):
    ingested(journal, [new_row(1), new_row(2, status=Progress.INVALID, problems=(LATE,)), new_row(3)])
    counts = journal.count_by_status(RUN)
    assert set(counts) == set(Progress)
    assert sum(counts.values()) == 3
    assert counts[Progress.INVALID] == 1


def open_numbers(journal, after=0):
    waiting = journal.next_open(RUN, after)
    return [] if waiting is None else list(waiting[1].values())


def test_open_rows_are_those_that_wait_until_they_are_settled(journal):
    ingested(journal, [new_row(ordinal, is_open=ordinal % 2 == 0) for ordinal in range(1, 7)])
    assert open_numbers(journal) == [3, 5, 7]
    assert open_numbers(journal, after=4) == [7]
    journal.settle_rows(
        RUN,
        0,
        [
            RowSettlement(ordinal=2, record={"Price": Decimal("1.50")}, fingerprint=b"f", identity="i"),
            RowSettlement(ordinal=4, status=Progress.INVALID, problems=(LATE,), record=None),
            RowSettlement(ordinal=6, status=Progress.UNCHANGED, record_id="5545974000000393006"),
        ],
    )
    assert open_numbers(journal) == []
    second, fourth, sixth = (journal.rows(RUN)[place] for place in (1, 3, 5))
    assert (second.record, second.fingerprint, second.identity) == ({"Price": Decimal("1.50")}, b"f", "i")
    assert (fourth.status, fourth.code, fourth.problems, fourth.record) == ("invalid", "INVALID_DATA", (LATE,), None)
    assert sixth.outcome() == Outcome(status=Status.UNCHANGED, record_id="5545974000000393006")
    assert sixth.record == new_row(6).record, "nothing was said of it"


def test_an_invalid_row_may_be_told_of_more_problems_but_not_become_valid(journal):
    ingested(journal, [new_row(1, status=Progress.INVALID, problems=(LATE,))])
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=1, status=Progress.INVALID, problems=(LATE, TWIN))])
    assert journal.rows(RUN)[0].problems == (LATE, TWIN)
    with pytest.raises(IllegalMoveError):
        journal.settle_rows(RUN, 0, [RowSettlement(ordinal=1)])


def test_only_an_id_that_had_lost_its_digits_is_found_to_be_right_after_all(journal):
    lost = replace(LATE, code="ID_PRECISION_LOST", field="id")
    ingested(journal, [new_row(number, status=Progress.INVALID, problems=(lost,)) for number in (1, 2)])
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=1, record={"id": "5545974000002190001"})])
    assert statuses(journal) == ["pending", "invalid"]
    assert journal.rows(RUN)[0].record == {"id": "5545974000002190001"}


@pytest.mark.parametrize("status", sorted(set(Progress) - {Progress.PENDING, Progress.INVALID, Progress.UNCHANGED}))
def test_a_row_cannot_be_settled_as_something_that_only_an_answer_proves(journal, status):
    ingested(journal, [new_row(1)])
    with pytest.raises(IllegalMoveError):
        journal.settle_rows(RUN, 0, [RowSettlement(ordinal=1, status=status)])


def test_a_row_that_was_sent_cannot_be_settled_and_its_neighbours_stay_as_they_were(journal):
    sending(journal, 2)
    send(journal, [2])
    with pytest.raises(IllegalMoveError, match="1 rows"):
        journal.settle_rows(RUN, 0, [RowSettlement(ordinal=ordinal, status=Progress.UNCHANGED) for ordinal in (1, 2)])
    assert statuses(journal) == ["pending", "sending"]


def test_settling_the_last_row_of_a_planned_batch_dissolves_it(journal):
    sending(journal, 3)
    number = journal.plan_batch(RUN, 0, [1, 2])
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=1, status=Progress.UNCHANGED)])
    assert journal.batch(RUN, number).state is BatchState.PLANNED
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=2, status=Progress.UNCHANGED)])
    assert journal.batch(RUN, number).state is BatchState.DISSOLVED


def test_nothing_to_settle_and_nothing_to_add_change_nothing(journal):
    journal.add_run(new_run())
    journal.add_rows(RUN, 0, [])
    journal.settle_rows(RUN, 0, [])
    journal.keep_before_images(RUN, 0, {})
    assert journal.rows(RUN) == []


def test_equal_rows_are_found_with_the_first_of_them(journal):
    prints = [b"a", b"b", b"a", None, b"a", None, b"b"]
    ingested(journal, [new_row(place, fingerprint=print_) for place, print_ in enumerate(prints, start=1)])
    assert journal.duplicates_by_fingerprint(RUN) == [Duplicate(3, 1, 2), Duplicate(5, 1, 2), Duplicate(7, 2, 3)]
    assert journal.duplicates_by_identity(RUN) == []


def test_an_invalid_row_is_nobodys_first_and_no_duplicate(journal):
    ingested(
        journal,
        [
            new_row(1, identity="x", status=Progress.INVALID, problems=(LATE,)),
            new_row(2, identity="x"),
            new_row(3, identity="x"),
            new_row(4, identity="x", status=Progress.INVALID, problems=(LATE,)),
        ],
    )
    assert journal.duplicates_by_identity(RUN) == [Duplicate(3, 2, 3)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=12))
def test_marking_duplicates_page_by_page_leaves_one_row_for_each_record(identities):
    with Journal.temporary() as journal:
        ingested(journal, [new_row(place, identity=identity) for place, identity in enumerate(identities, start=1)])
        while found := journal.duplicates_by_identity(RUN, limit=2):
            journal.settle_rows(
                RUN,
                0,
                [
                    RowSettlement(ordinal=one.ordinal, status=Progress.INVALID, identity="gone", problems=(TWIN,))
                    for one in found
                ],
            )
        kept = [row for row in journal.rows(RUN, statuses={Progress.PENDING}) if row.identity]
        assert sorted(row.identity or "" for row in kept) == sorted({one for one in identities if one})
        assert [row.ordinal for row in kept] == sorted(identities.index(row.identity) + 1 for row in kept)


def test_rows_of_other_runs_are_nobodys_duplicates(journal):
    ingested(journal, [new_row(1, fingerprint=b"a")], "run-1")
    ingested(journal, [new_row(1, fingerprint=b"a")], "run-2")
    assert journal.duplicates_by_fingerprint("run-2") == []
    assert list(journal.repeats("run-2", 10, by_identity=False)) == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.booleans()), max_size=14),
    st.integers(1, 5),
    st.booleans(),
)
def test_all_repeats_are_found_once_with_their_first_whatever_is_written_meanwhile(rows, limit, by_identity):
    key = "identity" if by_identity else "fingerprint"
    firsts: dict[str, int] = {}
    expected = []
    new = []
    for place, (text, is_valid) in enumerate(rows, start=1):
        how = {"status": Progress.PENDING} if is_valid else {"status": Progress.INVALID, "problems": (LATE,)}
        new.append(new_row(place, **how, **{key: text if by_identity or text is None else text.encode()}))
        if is_valid and text is not None and firsts.setdefault(text, place) != place:
            expected.append(Duplicate(place, firsts[text], firsts[text] + 1))
    with Journal.temporary() as journal:
        ingested(journal, new)
        found = []
        for page in journal.repeats(RUN, limit, by_identity=by_identity):
            assert len(page) <= limit
            found += page
            journal.settle_rows(
                RUN,
                0,
                [RowSettlement(ordinal=each.ordinal, status=Progress.INVALID, problems=(TWIN,)) for each in page],
            )
        assert found == expected
        assert list(journal.repeats(RUN, limit, by_identity=by_identity)) == []


@pytest.mark.parametrize("count", [1, 49, 50, 51, 100, 137])
def test_any_number_of_rows_is_added_in_their_order(journal, count):
    journal.add_run(new_run())
    journal.add_rows(RUN, 0, [new_row(place, record={"Price": place}) for place in range(1, count + 1)])
    assert [(row.ordinal, row.record) for row in journal.rows(RUN)] == [
        (place, {"Price": place}) for place in range(1, count + 1)
    ]


def test_of_rows_that_cannot_all_begin_none_does(journal):
    journal.add_run(new_run())
    new = [new_row(place, status=Progress.SUCCEEDED if place == 120 else Progress.PENDING) for place in range(1, 140)]
    with pytest.raises(IllegalMoveError, match="Row 121 cannot begin"):
        journal.add_rows(RUN, 0, new)
    assert journal.rows(RUN) == []


def failed_run(journal: Journal) -> None:
    """Row 1 succeeds, 2 is rejected, 3 invalid, 4 a duplicate, 5 in doubt, 6 pending, 7 unchanged."""
    journal.add_run(new_run())
    journal.add_rows(
        RUN,
        0,
        [
            new_row(1),
            new_row(2),
            new_row(3, status=Progress.INVALID, problems=(LATE, TWIN)),
            new_row(4, status=Progress.INVALID, problems=(TWIN,)),
            new_row(5),
            new_row(6),
            new_row(7),
        ],
    )
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=7, status=Progress.UNCHANGED)])
    journal.set_state(RUN, 0, RunState.INGESTED)
    journal.set_state(RUN, 0, RunState.SENDING)
    refused = RowOutcome(ordinal=2, status=Progress.REJECTED, problems=(LATE,))
    journal.mark_in_doubt(RUN, 0, send(journal, [1, 2, 5]), [*succeed([1]), refused])


def test_failed_rows_are_the_rejected_and_the_invalid_ones_that_are_no_duplicates(journal):
    failed_run(journal)
    assert [row.ordinal for row in journal.failed_rows(RUN)] == [2, 3]
    assert [row.ordinal for row in journal.failed_rows(RUN, limit=1)] == [2]
    assert [row.ordinal for row in journal.failed_rows(RUN, after_ordinal=2)] == [3]


def test_a_retry_never_takes_a_row_that_an_earlier_one_took(journal):
    failed_run(journal)
    ingested(journal, [new_row(1)], "retry-1", retry_of=RUN)
    journal.mark_taken_by_retry(RUN, [2], "retry-1")
    assert [row.ordinal for row in journal.failed_rows(RUN, untaken_only=True)] == [3]
    assert [row.ordinal for row in journal.failed_rows(RUN)] == [2, 3]
    ingested(journal, [new_row(1)], "retry-2", retry_of=RUN)
    with pytest.raises(JournalError, match="Another retry"):
        journal.mark_taken_by_retry(RUN, [3, 2], "retry-2")
    assert [row.ordinal for row in journal.failed_rows(RUN, untaken_only=True)] == [3]


def test_the_first_before_image_stays(journal):
    sending(journal, 2)
    journal.keep_before_images(RUN, 0, {1: {"Status": "Available", "Price": Decimal("1.10")}})
    journal.keep_before_images(RUN, 0, {1: {"Status": "Changed by us"}, 2: {}})
    assert [row.before for row in journal.rows(RUN)] == [{"Status": "Available", "Price": Decimal("1.10")}, {}]


def test_a_before_image_of_no_row_is_refused(journal):
    sending(journal, 1)
    with pytest.raises(IllegalMoveError):
        journal.keep_before_images(RUN, 0, {9: {}})


def test_the_reports_outcome_of_a_row_carries_all_that_is_known(journal):
    failed_run(journal)
    first, second, third, _, fifth, sixth, _ = (row.outcome() for row in journal.rows(RUN))
    assert first == Outcome(
        status=Status.SUCCEEDED, record_id="5545974000000393001", batch=1, attempts=1, code="SUCCESS"
    )
    assert second == Outcome(status=Status.REJECTED, problems=(LATE,), batch=1, attempts=1, code="INVALID_DATA")
    assert third == Outcome(status=Status.INVALID, problems=(LATE, TWIN), code="INVALID_DATA")
    assert fifth == Outcome(status=Status.UNKNOWN, batch=1, attempts=1)
    assert sixth == Outcome(status=Status.UNSENT)
    assert journal.rows(RUN)[5].outcome(checking=True).status is Status.VALID
