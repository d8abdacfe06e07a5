"""Cells: what people see of them, and their way through the journal, which changes nothing."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from bulkzcrm.cells import cell_text, column_letter, decode_cells, encode_cells, is_blank
from bulkzcrm.model import CellError, FormulaWithoutValue

texts = st.text(st.characters(exclude_categories=["Cs"]))
offsets = st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
cells = st.one_of(
    st.none(),
    texts,
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.datetimes(timezones=offsets),
    st.dates(),
    st.times(timezones=offsets),
    st.timedeltas(),
    texts.map(CellError),
    texts.map(FormulaWithoutValue),
)
FIVE_PAST = timezone(timedelta(hours=5, minutes=30))


class TestTheWayThroughTheJournal:
    @given(st.lists(cells))
    def test_cells_come_back_as_they_were(self, row):
        back = decode_cells(encode_cells(row))
        assert back == tuple(row)
        assert [type(value) for value in back] == [type(value) for value in row]

    @given(st.lists(cells))
    def test_cells_show_the_same_afterwards(self, row):
        back = decode_cells(encode_cells(row))
        assert [cell_text(value) for value in back] == [cell_text(value) for value in row]

    @given(st.lists(cells))
    def test_the_journals_text_may_be_text_or_bytes(self, row):
        encoded = encode_cells(row)
        assert decode_cells(encoded.decode()) == decode_cells(encoded)

    def test_what_is_no_number_stays_none(self):
        (one, other) = decode_cells(encode_cells([math.nan, Decimal("NaN")]))
        assert isinstance(one, float)
        assert math.isnan(one)
        assert isinstance(other, Decimal)
        assert other.is_nan()

    @given(st.datetimes(timezones=offsets), st.decimals(allow_nan=False))
    def test_offsets_and_trailing_zeros_are_kept(self, moment, amount):
        back_moment, back_amount = decode_cells(encode_cells([moment, amount]))
        assert back_moment.isoformat() == moment.isoformat()
        assert str(back_amount) == str(amount)

    def test_a_kind_of_text_comes_back_as_plain_text(self):
        class Note(str):
            __slots__ = ()

        (back,) = decode_cells(encode_cells([Note("beware")]))
        assert (type(back), back) == (str, "beware")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  as written ", "  as written "),
        (True, "TRUE"),
        (False, "FALSE"),
        (-3, "-3"),
        (5545974000002183001, "5545974000002183001"),
        (60.0, "60"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9.007199254740992E+15"),
        (5.545974000002183e18, "5.545974000002183E+18"),
        (-1e300, "-1E+300"),
        (math.inf, "inf"),
        (Decimal("230.60"), "230.60"),
        (Decimal("1E+3"), "1000"),
        (datetime(2040, 3, 14, 9, 5), "2040-03-14 09:05"),  # noqa: DTZ001 - as a workbook holds it
        (datetime(2040, 3, 14, 9, 5, 7), "2040-03-14 09:05:07"),  # noqa: DTZ001 - the same
        (datetime(2040, 3, 14, 9, 5, tzinfo=FIVE_PAST), "2040-03-14 09:05+05:30"),
        (date(2040, 3, 14), "2040-03-14"),
        (time(9, 5), "09:05"),
        (time(9, 5, 7), "09:05:07"),
        (timedelta(minutes=90), "1:30"),
        (timedelta(days=1, hours=2), "26:00"),
        (timedelta(seconds=-3661), "-1:01:01"),
        (CellError("#N/A"), "#N/A"),
        (FormulaWithoutValue("=A1+1"), "=A1+1"),
    ],
)
def test_a_cell_shows_as_people_write_it(value, text):
    assert cell_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_shows_the_shortest_text_that_means_it(value):
    assert float(cell_text(value)) == value


@given(st.integers(2**53, 10**25).map(float))
def test_a_number_that_lost_digits_never_looks_like_an_exact_id(value):
    assert not re.fullmatch(r"[0-9]+", cell_text(value))
    assert not re.fullmatch(r"-?[0-9]+", cell_text(-value))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_shows_all_its_digits(value):
    assert Decimal(cell_text(value)) == value
    assert "E" not in cell_text(value)


@pytest.mark.parametrize("value", [None, "", " ", "\t\n", "\u00a0"])
def test_nothing_and_white_space_are_blank(value):
    assert is_blank(value)


@pytest.mark.parametrize("value", ["x", 0, False, 0.0, Decimal(0), timedelta(), CellError("#N/A")])
def test_zero_and_false_are_not_blank(value):
    assert not is_blank(value)


@given(st.integers(0, 16_383))
def test_columns_are_lettered_as_spreadsheet_programs_do(index):
    assert column_letter(index) == get_column_letter(index + 1)
