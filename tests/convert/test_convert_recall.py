"""A text that was converted before is not converted again; nothing but the time that it takes tells the difference."""

from __future__ import annotations

import tracemalloc

import pytest
from convert_cases import converter, field
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.convert import ConvertOptions
from bulkzcrm.convert.recall import LONGEST, MOST, Recall
from bulkzcrm.model import Row
from bulkzcrm.spec.fields import WEEKDAYS, Kind

CHOICES = {Kind.CHOICE: {"choices": ("Yes", "No", *WEEKDAYS)}}
WRITTEN = [
    "60",
    "60.0",
    "1h",
    "1:30",
    "90min",
    "-5",
    "1.50",
    "1,50",
    "1.250",
    "1,250.00",
    "12,34,567.00",
    "$5",
    "yes",
    "No",
    "TRUE",
    "0",
    "Mon",
    "Mon-Fri",
    "Sat,Sun",
    "closed",
    "NOW",
    "#CLEAR",
    "#N/A",
    "=1+1",
    "='x",
    "2026-03-31",
    "2026-02-30",
    "31/03/2026",
    "03/04/2026",
    "04/13/2026",
    "3/4/26",
    "10:00-13:30",
    "9-5",
    "2026-03-31T10:00+05:30",
    "5545974000000393001",
    "5.54597E+18",
    "ann@example.org,bob@example.org",
    "2026-03-31;2026-04-01",
    "2026-03-31;2026-02-31",
]
LISTS = (
    "5545974000000393001; 5545974000000393002;5545974000000393001",
    "2026-03-31; 2026-04-01; 2026-03-31",
    "March 31, 2026",
    "10:00-13:30; 15:00-18:00",
    "Ann Lee; bob",
    "   ",
)
CELLS = (
    st.sampled_from([*WRITTEN, *LISTS, *(f" {text} " for text in WRITTEN)])
    | st.text(max_size=6)
    | st.none()
    | st.integers(0, 3)
)


@pytest.mark.parametrize("kind", Kind)
@given(cells=st.lists(CELLS, max_size=12), decimal=st.sampled_from([None, ".", ","]))
def test_a_column_is_converted_as_each_of_its_rows_would_be_by_itself(kind, cells, decimal):
    fields = [field(kind, **CHOICES.get(kind, {}))]
    options = ConvertOptions(decimal=decimal)
    rows = [Row(number, (cell,)) for number, cell in enumerate([*cells, *cells], 2)]
    whole = converter(fields, options)
    assert [whole(row) for row in rows] == [converter(fields, options)(row) for row in rows]


@given(cells=st.lists(CELLS, max_size=12))
def test_what_a_column_proves_does_not_depend_on_how_often_it_says_so(cells):
    fields = [field(Kind.DATE, "Date"), field(Kind.MONEY, "Price"), field(Kind.DATES, "Dates")]
    once, again = converter(fields), converter(fields)
    for number, cell in enumerate(cells, 2):
        once(Row(number, (cell, cell, cell)))
    for number, cell in enumerate([*cells, *cells], 2):
        again(Row(number, (cell, cell, cell)))
    one, other = once.settle(), again.settle()
    assert (one.decisions, one.notes, one.reading) == (other.decisions, other.notes, other.reading)


def test_what_is_done_to_one_record_does_not_show_in_the_next():
    convert = converter([field(Kind.DAYS, "Days")])
    convert(Row(2, ("Mon-Fri",))).record.clear()
    assert convert(Row(3, ("Mon-Fri",))).record == {"Days": list(WEEKDAYS[:5])}


def test_only_so_many_texts_are_remembered_and_no_long_ones():
    recall = Recall()
    for number in range(MOST):
        recall.keep(str(number), number)
    assert recall.value_of("0") == 0
    recall.keep("one more", 1)
    assert recall.value_of("0") is None
    assert recall.value_of("one more") == 1
    recall.keep("x" * (LONGEST + 1), 1)
    assert recall.value_of("x" * (LONGEST + 1)) is None


def test_a_typed_cell_is_never_taken_for_another_that_equals_it():
    convert = converter([field(Kind.BOOLEAN, "Flag"), field(Kind.MONEY, "Price")])
    assert convert(Row(2, (1, "1"))).record == {"Flag": True, "Price": 1}
    assert [problem.field for problem in convert(Row(3, (True, True))).problems] == ["Price"]


def test_nothing_is_kept_of_the_rows():
    kinds = (Kind.TEXT, Kind.MINUTES, Kind.MONEY, Kind.MEMBERS)
    convert = converter([field(kind, kind.name.title()) for kind in kinds])

    def take(numbers: range) -> None:
        for number in numbers:
            convert(Row(number, (f"name {number}", str(number), f"{number}.50", f"55459740{number:010}; Ann Lee")))

    take(range(2 * MOST))
    tracemalloc.start()
    try:
        take(range(2 * MOST, 3 * MOST))
        before = tracemalloc.get_traced_memory()[0]
        take(range(3 * MOST, 6 * MOST))
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()
