"""Binary workbooks are read as their like in .xlsx: digits, dates, errors, and what is hidden or merged."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsb_parts import (
    Dated,
    Error,
    Formula,
    Inline,
    Raw,
    Rich,
    Sheet,
    record,
    sheet_part,
    wide,
    write_parts,
    write_xlsb,
    xlsb_parts,
)

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, open_source
from bulkzcrm.model import CellError


def read(path, **options):
    with open_source(path, ReadOptions(**options)) as table:
        return table, list(table.rows)


def rows_of(tmp_path, rows, **more):
    path = write_xlsb(tmp_path / "a.xlsb", [Sheet("One", [["a", "b", "c", "d", "e"], *rows], **more)])
    return read(path)


@pytest.mark.parametrize("is_short", [False, True])
def test_values_keep_their_kind(tmp_path, is_short):
    table, rows = rows_of(
        tmp_path,
        [
            ["5545974000000393001", 60, 19.99, True, Error(0x2A)],
            [Inline("in line"), Rich("rich"), " ", None, False],
            [Formula("text"), Formula(1.5), Formula(True), Formula(Error(0x07)), -7],
            [None, None, 60.0, Formula("")],
        ],
        is_short=is_short,
    )
    assert [row.cells for row in rows] == [
        ("5545974000000393001", 60, 19.99, True, CellError("#N/A")),
        ("in line", "rich", None, None, False),
        ("text", 1.5, True, CellError("#DIV/0!"), -7),
        (None, None, 60, None, None),
    ]
    assert [type(cell) for cell in rows[0].cells] == [str, int, float, bool, CellError]
    assert type(rows[3].cells[2]) is int
    assert (table.sheet, table.header_row, table.notes, table.reading) == ("One", 1, [], {})


def test_packed_numbers_of_all_four_kinds_are_read(tmp_path):
    """Thirty bits: whole or of a fraction, as it is or of a hundredth."""
    bits = [7 << 2 | 2, 1250 << 2 | 3, 0x3FF80000, 0x40590000 | 1, (-3 << 2 | 2) & 0xFFFFFFFF]
    cells = [
        Raw(2, column.to_bytes(4, "little") + bytes(4) + value.to_bytes(4, "little"))
        for column, value in enumerate(bits)
    ]
    _, rows = rows_of(tmp_path, [cells])
    assert rows[0].cells == (7, 12.5, 1.5, 1, -3)


def test_a_long_id_stored_as_a_number_is_visibly_a_float(tmp_path):
    _, rows = rows_of(tmp_path, [[5545974000000393001.0]])
    assert type(rows[0].cells[0]) is float


@pytest.mark.parametrize("is_1904", [False, True])
def test_dates_follow_format_and_calendar(tmp_path, is_1904):
    day = 47882 - (1462 if is_1904 else 0)
    cells = [Dated(day, 1), Dated(day + 0.4375, 2), Dated(0.4375, 3), Dated(26 / 24, 4), Dated(day, 2)]
    path = write_xlsb(tmp_path / "a.xlsb", [Sheet("One", [list("abcde"), cells, [Dated(1.5, 5)]])], is_1904=is_1904)
    moment = dt.datetime(2031, 2, 3, 10, 30)  # noqa: DTZ001 - cells have no zone
    midnight = moment.replace(hour=0, minute=0)
    _, rows = read(path)
    assert rows[0].cells == (midnight.date(), moment, dt.time(10, 30), dt.timedelta(hours=26), midnight)
    assert type(rows[0].cells[0]) is dt.date
    assert rows[1].cells[0] == 1.5


def test_what_is_hidden_or_merged_is_read_and_noted(tmp_path):
    table, rows = rows_of(
        tmp_path, [[1], [2]], hidden_rows=frozenset({2}), hidden_columns=[(1, 1)], merged=[(1, 2, 0, 0)]
    )
    assert [(row.number, row.cells[0]) for row in rows] == [(2, 1), (3, 2)]
    assert "Some rows and columns in the sheet 'One'" in table.notes[0]
    assert "merged" in table.notes[1]


def test_the_first_visible_sheet_is_read_and_the_others_are_named(tmp_path):
    sheets = [
        Sheet("Secret", [["s"]], state=1),
        Sheet("Prices", [["p"]]),
        Sheet("Other", [["o"]]),
        Sheet("Deep", [["d"]], state=2),
    ]
    path = write_xlsb(tmp_path / "a.xlsb", sheets)
    table, _ = read(path)
    assert (table.sheet, table.reading) == ("Prices", {"sheet": "Prices"})
    assert "'Other'" in table.notes[0]
    assert "Secret" not in table.notes[0]
    assert read(path, sheet="deep")[0].columns[0].name == "d"
    with pytest.raises(SourceError, match="'Secret', 'Prices', 'Other', 'Deep'"):
        read(path, sheet="None")


def test_rows_keep_their_numbers_and_blank_ones_are_none(tmp_path):
    _, rows = rows_of(tmp_path, [[1], None, [None, " "], ["far"]], numbers=[0, 1, 2, 3, 99])
    assert [row.number for row in rows] == [2, 100]


def test_blank_rows_by_the_hundred_thousand_cost_little(tmp_path):
    path = write_xlsb(tmp_path / "a.xlsb", [Sheet("One", [["a"], [1]], trailing_blank_rows=300_000)])
    begun = time.perf_counter()
    assert len(read(path)[1]) == 1
    assert time.perf_counter() - begun < 10


def test_a_workbook_elsewhere_in_the_archive_is_found(tmp_path):
    parts = {
        path.replace("xl/", "book/"): content.replace(b"xl/", b"book/")
        for path, content in xlsb_parts([Sheet("One", [["a"]])]).items()
    }
    assert read(write_parts(tmp_path / "a.xlsb", parts))[0].columns[0].name == "a"


def test_options_of_text_make_no_sense(tmp_path):
    path = write_xlsb(tmp_path / "a.xlsb", [Sheet("One", [["a"]])])
    with pytest.raises(UsageError, match="binary Excel workbook"):
        read(path, encoding="utf-8")


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_one_that_is_called_otherwise_is_read_with_a_note(tmp_path, name):
    table, _ = read(write_xlsb(tmp_path / name, [Sheet("One", [["a"]])]))
    assert "a binary Excel workbook, although its extension is" in table.notes[-1]


BAD = {
    "an index beyond the texts": ([["a"], [Raw(7, bytes(8) + b"\xff\xff\0\0")]], "Cell A2"),
    "a column beyond the last": ([["a"], [Raw(5, b"\0\x40\0\0" + bytes(12))]], "cannot be read"),
    "a cell that is cut": ([["a"], [Raw(5, bytes(9))]], "damaged"),
    "a text that is cut": ([["a"], [Raw(6, bytes(8) + b"\xff\0\0\0ab")]], "damaged"),
    "half of a character": ([["a"], [Raw(6, bytes(8) + b"\1\0\0\0\0\xd8")]], "cannot be read"),
}


@pytest.mark.parametrize("what", BAD)
def test_damage_is_refused_by_name(tmp_path, what):
    rows, words = BAD[what]
    with pytest.raises(SourceError, match=rf"a\.xlsb.*{words}|{words}.*a\.xlsb"):
        read(write_xlsb(tmp_path / "a.xlsb", [Sheet("One", rows)]))


def test_a_sheet_that_breaks_off_between_records_is_refused(tmp_path):
    parts = xlsb_parts([Sheet("One", [["a"], [1]])])
    parts["xl/worksheets/sheet1.bin"] = parts["xl/worksheets/sheet1.bin"][:-6]  # two records without content
    with pytest.raises(SourceError, match="damaged"):
        read(write_parts(tmp_path / "a.xlsb", parts))


def test_rows_out_of_order_are_refused(tmp_path):
    with pytest.raises(SourceError, match="Row 2 of the sheet 'One'"):
        read(write_xlsb(tmp_path / "a.xlsb", [Sheet("One", [["a"], [1], [2]], numbers=[0, 5, 1])]))


def test_a_record_that_claims_to_be_endless_is_refused_before_it_is_held(tmp_path):
    parts = xlsb_parts([Sheet("One", [["a"]])])
    parts["xl/worksheets/sheet1.bin"] = b"\x06\xff\xff\xff\x7f" + bytes(1000)
    with pytest.raises(SourceError, match="one record of 268,435,455 bytes"):
        read(write_parts(tmp_path / "a.xlsb", parts))


@given(st.integers(0, 400), st.integers(0, 255))
def test_whatever_byte_is_wrong_it_is_read_or_refused(tmp_path_factory, place, byte):
    part = bytearray(sheet_part(Sheet("One", [["a", "b"], [1, Inline("x")], [Dated(5, 1), True]])))
    part[place % len(part)] = byte
    parts = xlsb_parts([Sheet("One", [["a", "b"]])]) | {"xl/worksheets/sheet1.bin": bytes(part)}
    with suppress(SourceError):
        read(write_parts(tmp_path_factory.mktemp("odd") / "a.xlsb", parts))


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
values = st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.floats(-1e12, 1e12) | texts | texts.map(Inline)


@given(st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_what_is_written_is_read(tmp_path_factory, grid, is_short):
    path = write_xlsb(
        tmp_path_factory.mktemp("grid") / "a.xlsb", [Sheet("One", [["a", "b", "c"], *grid], is_short=is_short)]
    )
    wanted = [(number, tuple(_seen(value) for value in line)) for number, line in enumerate(grid, 2)]
    found = [(row.number, row.cells) for row in read(path)[1]]
    assert found == [(number, line) for number, line in wanted if any(value is not None for value in line)]


def _seen(value):
    text = value.text if isinstance(value, Inline) else value
    return None if isinstance(text, str) and not text.strip() else text


def test_the_writer_of_these_tests_writes_what_the_specification_shows():
    """2.1.4: the number 0x0181 of BrtBeginSheet in two bytes; a size of 300 in two."""
    assert record(129) == b"\x81\x01\x00"
    assert record(6, bytes(300))[:3] == b"\x06\xac\x02"
    assert wide("é") == b"\x01\0\0\0\xe9\0"
