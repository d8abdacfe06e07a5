"""A DataFrame is read as a sheet with the same columns would be."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, content_hash, open_source


def read(frame, **options):
    with open_source(frame, ReadOptions(**options)) as table:
        return table, list(table.rows)


def test_values_become_plain_python():
    frame = pd.DataFrame(
        {
            "i": pd.Series([5545974000000393001], dtype="int64"),
            "f": [1.5],
            "b": [True],
            "t": [pd.Timestamp("2031-02-03 10:30:00.123456789")],
            "e": [pd.Timedelta(hours=26)],
            "o": pd.Series([np.int64(7)], dtype=object),
            "d": [Decimal("1.10")],
            "c": pd.Series(["x"], dtype="category"),
            "s": [" y "],
            "day": [date(2031, 2, 3)],
        }
    )
    _, rows = read(frame)
    assert rows[0].cells == (
        5545974000000393001,
        1.5,
        True,
        datetime(2031, 2, 3, 10, 30, 0, 123456),  # noqa: DTZ001 - cells have no zone
        timedelta(hours=26),
        7,
        Decimal("1.10"),
        "x",
        " y ",
        date(2031, 2, 3),
    )
    assert [type(cell) for cell in rows[0].cells] == [
        int, float, bool, datetime, timedelta, int, Decimal, str, str, date,
    ]  # fmt: skip


def test_missing_values_are_blank_and_blank_rows_are_no_rows():
    frame = pd.DataFrame(
        {"a": ["x", None, "  ", "y"], "b": [np.nan] * 4, "c": [pd.NaT] * 4, "d": pd.Series([pd.NA] * 4, dtype="Int64")}
    )
    _, rows = read(frame)
    assert [(row.number, row.cells) for row in rows] == [(2, ("x", None, None, None)), (5, ("y", None, None, None))]


def test_columns_keep_their_names_and_order():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", 5], index=["ignored"])
    table, rows = read(frame)
    assert [(c.letter, c.name) for c in table.columns] == [("A", "a"), ("B", "a"), ("C", "5")]
    assert rows[0].cells == (1, 2, 3)
    assert (table.name, table.header_row) == ("DataFrame", 1)


def test_a_value_that_fits_no_cell_is_named():
    with pytest.raises(SourceError, match=r"Row 3 .* type list in column 'a'"):
        read(pd.DataFrame({"a": ["x", ["y"]]}))
    with pytest.raises(SourceError, match="half of a character"):
        read(pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}))


@pytest.mark.parametrize(
    "value", [10**5000, -(10**5000), Decimal("1E+999999"), Decimal("1E-999999")], ids=["long", "below", "up", "down"]
)
def test_a_number_that_nobody_could_write_out_is_named(value):
    with pytest.raises(SourceError, match=r"Row 2 .* column 'a' that is too large or too small"):
        read(pd.DataFrame({"a": pd.Series([value], dtype=object)}))


def test_a_frame_without_columns_is_refused_and_one_without_rows_is_empty():
    with pytest.raises(SourceError, match="no columns"):
        read(pd.DataFrame())
    assert read(pd.DataFrame({"a": []}))[1] == []


def test_options_of_files_make_no_sense():
    with pytest.raises(UsageError):
        read(pd.DataFrame({"a": [1]}), sheet="x")


def test_the_hash_follows_the_content():
    one = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert content_hash(one) == content_hash(one.copy())
    assert content_hash(one) == open_source(one).content_hash
    assert content_hash(one) != content_hash(one.assign(b=["x", "z"]))
    assert content_hash(one) != content_hash(one.rename(columns={"b": "c"}))
    assert content_hash(one) != content_hash(one.assign(a=["1", "2"]))
