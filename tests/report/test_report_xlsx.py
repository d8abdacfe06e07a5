import errno
import gc
import io
import re
import secrets
import zipfile
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st
from report_pages import paged
from report_samples import DONE, TOO_LONG, columns_named, rejected, row_of, texts

from bulkzcrm.cells import cell_text
from bulkzcrm.errors import OutputError
from bulkzcrm.ingest import ReadOptions, open_source
from bulkzcrm.model import CellError, FormulaWithoutValue, Outcome, Status
from bulkzcrm.report import RESULT_COLUMNS
from bulkzcrm.report.xlsx_report import write_xlsx


def written(columns, rows, **options):
    """Return the workbook as openpyxl reads it, and the notes."""
    stream = io.BytesIO()
    notes = write_xlsx(stream, columns, paged(rows), **options)
    return openpyxl.load_workbook(io.BytesIO(stream.getvalue())), notes


def unescaped(text: str | None) -> str:
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text or "")


def first_cells(*values):
    book, notes = written(columns_named(*(f"C{index}" for index in range(len(values)))), [row_of(*values)])
    assert notes == ()
    return [book.worksheets[0].cell(2, index + 1) for index in range(len(values))]


def test_a_header_and_a_line_per_row_with_frozen_header_and_filter():
    book, notes = written(columns_named("Name", "", "Name"), [row_of("a", None, "b"), row_of("c", "d", "e", number=9)])
    (sheet,) = book.worksheets
    lines = list(sheet.iter_rows(values_only=True))
    assert lines[0] == ("Name", None, "Name", *RESULT_COLUMNS)
    assert lines[1] == ("a", None, "b", 2, "succeeded", "SUCCESS", *[None] * 4, "5545974000000393001", 3, 1)
    assert lines[2][:4] == ("c", "d", "e", 9)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:M3"
    assert sheet["A1"].font.bold
    assert sheet.title == "results"
    assert notes == ()


def test_a_report_without_rows_is_a_header():
    book, _ = written(columns_named("Name"), [])
    assert list(book.worksheets[0].iter_rows(values_only=True)) == [("Name", *RESULT_COLUMNS)]


@pytest.mark.parametrize(
    "text", ["=1+1", "=", "+1", "-1", "@A1", "#N/A", "#REF!", "'=1", "5545974000000393001", "007", "1e5", "TRUE", "3/4"]
)
def test_a_text_stays_a_text_whatever_it_looks_like(text):
    (cell,) = first_cells(text)
    assert (cell.data_type, cell.value) == ("s", text)


def test_a_text_that_looks_like_a_formula_stays_one_even_when_the_cell_is_edited():
    formula, plain = first_cells("=1+1", "Wash")
    assert formula.quotePrefix
    assert not plain.quotePrefix


def test_headers_and_messages_that_look_like_formulas_are_texts():
    problem = TOO_LONG.__class__(code="X", field="=A1", message="=B1", remedy="=C1")
    book, _ = written(columns_named("=1+1"), [row_of("x", outcome=rejected(problem))])
    cells = [cell for line in book.worksheets[0].iter_rows() for cell in line]
    assert {cell.value for cell in cells} > {"=1+1", "=A1", "=B1", "=C1"}
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_numbers_of_up_to_fourteen_digits_are_numbers_and_longer_ones_texts():
    values = (60, -2.5, Decimal("19.90"), 99_999_999_999_999, 100_000_000_000_000, 0.1 + 0.2, 5.54597e18, 1e300)
    assert [(cell.data_type, cell.value) for cell in first_cells(*values)] == [
        ("n", 60),
        ("n", -2.5),
        ("n", 19.9),
        ("n", 99_999_999_999_999),
        ("s", "100000000000000"),
        ("s", "0.30000000000000004"),
        ("s", "5.54597E+18"),
        ("s", "1E+300"),
    ]


def test_what_is_no_finite_number_is_a_text():
    values = (float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+20"), Decimal("1E-20"))
    assert {cell.data_type for cell in first_cells(*values)} == {"s"}


def test_other_typed_cells_are_shown_as_in_the_csv_but_for_booleans():
    values = (True, date(2099, 2, 3), CellError("#DIV/0!"), FormulaWithoutValue("=B1"))
    assert [(cell.data_type, cell.value) for cell in first_cells(*values)] == [
        ("b", True),
        ("s", "2099-02-03"),
        ("s", "#DIV/0!"),
        ("s", "=B1"),
    ]


@settings(max_examples=60)
@given(st.lists(st.one_of(texts, st.text(st.characters(), max_size=6)), min_size=1, max_size=8))
def test_every_text_reads_back_as_it_was(cells):
    columns = columns_named(*(f"C{index}" for index in range(len(cells))))
    book, notes = written(columns, [row_of(*cells)])
    (_, line) = book.worksheets[0].iter_rows()
    assert [unescaped(cell.value) for cell in line[: len(cells)]] == cells
    assert {cell.data_type for cell, text in zip(line, cells, strict=False) if text} <= {"s"}
    assert notes == ()


def test_what_xml_cannot_hold_is_escaped_and_what_looks_like_an_escape_as_well():
    cells = first_cells("a\x01b", "a\r\nb", "_x0041_", "_x0041\x02", "a\ud800")
    assert [cell.value for cell in cells] == [
        "a_x0001_b",
        "a_x000D_\nb",
        "_x005F_x0041_",
        "_x005F_x0041_x0002_",
        "a_xD800_",
    ]


@pytest.mark.parametrize("letter", ["a", "\x01", "🚗", "_x0041_", "é\r"])
def test_a_text_too_long_for_a_cell_is_cut_between_characters_and_a_note_says_where(letter):
    text = letter * 40_000
    book, notes = written(columns_named("A", "B"), [row_of("x", text)])
    value = book.worksheets[0]["B2"].value
    assert 32_700 <= len(value.encode("utf-16-le")) // 2 <= 32_767
    assert text.startswith(unescaped(value))
    (note,) = notes
    assert note.startswith("One text was cut to 32,767 characters")
    assert "in cell B2 of sheet results" in note
    assert "results.csv has everything" in note


def test_a_text_that_just_fits_is_not_cut():
    for text in ("a" * 32_767, "🚗" * 16_383):
        book, notes = written(columns_named("A"), [row_of(text)])
        assert book.worksheets[0]["A2"].value == text
        assert notes == ()


def test_several_cuts_are_counted_and_the_first_is_named():
    long = "a" * 32_768
    _, notes = written(columns_named("A"), [row_of("x"), row_of(long), row_of(long)])
    assert notes[0].startswith("2 texts were cut")
    assert "first in cell A3 of sheet results" in notes[0]


def test_rows_beyond_what_a_sheet_holds_go_to_further_sheets_with_the_header():
    rows = [row_of(str(number), number=number) for number in range(2, 9)]
    book, notes = written(columns_named("A"), rows, sheet="Prices", rows_per_sheet=3)
    assert book.sheetnames == ["Prices", "Prices 2", "Prices 3"]
    lines = [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    assert [[line[0] for line in sheet] for sheet in lines] == [["A", *"234"], ["A", *"567"], ["A", "8"]]
    assert [sheet.auto_filter.ref for sheet in book.worksheets] == ["A1:K4", "A1:K4", "A1:K2"]
    assert notes == ("The workbook has 3 sheets, because one holds at most 3 rows.",)


def test_a_sheet_that_is_just_full_is_the_only_one():
    book, notes = written(columns_named("A"), [row_of("x")] * 3, rows_per_sheet=3)
    assert len(book.sheetnames) == 1
    assert notes == ()


@pytest.mark.parametrize(
    ("name", "title"),
    [("Prices/2099: [a]*?\\", "Prices_2099_ _a____"), ("x" * 40, "x" * 31), ("", "results"), ("''", "results")],
)
def test_a_name_that_the_format_forbids_becomes_one_that_it_allows(name, title):
    book, _ = written(columns_named("A"), [], sheet=name)
    assert book.sheetnames == [title]


def test_a_long_name_leaves_room_for_the_number_of_further_sheets():
    book, _ = written(columns_named("A"), [row_of("x")] * 2, sheet="x" * 40, rows_per_sheet=1)
    assert book.sheetnames == ["x" * 31, "x" * 29 + " 2"]


def test_more_columns_than_a_sheet_has_are_refused_with_a_cure():
    with pytest.raises(OutputError, match="Ask for csv or jsonl"):
        write_xlsx(io.BytesIO(), columns_named(*["A"] * 16_375), [])


def test_when_the_rows_break_off_that_is_what_is_told():
    def rows():
        yield row_of("x")
        raise KeyError

    with pytest.raises(KeyError):
        write_xlsx(io.BytesIO(), columns_named("A"), paged(rows()))


class FullDisk(io.BytesIO):
    """A file on a disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, content) -> int:
        if self.tell() + len(content) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)


@pytest.mark.parametrize("room", [0, 100, 1000, 4000])
def test_a_full_disk_is_told_as_such_and_nothing_fails_later(room):
    with pytest.raises(OSError, match="No space left"):
        write_xlsx(FullDisk(room), columns_named("A"), paged([row_of(secrets.token_hex(2000))]))
    gc.collect()


def test_the_workbook_holds_no_formula_at_all():
    stream = io.BytesIO()
    write_xlsx(stream, columns_named("=A"), paged([row_of("=1+1"), row_of(FormulaWithoutValue("=2"))]))
    with zipfile.ZipFile(stream) as archive:
        assert b"<f" not in archive.read("xl/worksheets/sheet1.xml")


def as_our_reader_sees(columns, rows, **options):
    """The rows of the workbook's sheets as they are read when the report is given back, with the row numbers."""
    stream = io.BytesIO()
    write_xlsx(stream, columns, paged(rows), **options)
    found = []
    for name in openpyxl.load_workbook(stream, read_only=True).sheetnames:
        stream.seek(0)
        with open_source(stream, ReadOptions(sheet=name)) as table:
            found += [(row.number, row.cells) for row in table.rows]
    return found


plain_texts = st.text(st.sampled_from("abcXYZ019 |&<>.-_xé日"), min_size=1, max_size=12)
any_values = st.one_of(
    st.none(),
    plain_texts,
    texts,
    st.booleans(),
    st.integers(-(10**16), 10**16),
    st.floats(),
    st.decimals(allow_nan=False, places=2, min_value=-(10**12), max_value=10**12),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.sampled_from([CellError("#N/A"), FormulaWithoutValue("=1+1")]),
)


@st.composite
def grids(draw):
    """Rows of few kinds, each of which comes again."""
    width = draw(st.integers(1, 5))
    kinds = draw(st.lists(st.lists(any_values, min_size=width, max_size=width), min_size=1, max_size=3))
    return draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6))


@settings(max_examples=150)
@given(grids())
def test_what_is_given_back_is_what_was_in_the_source(grid):
    columns = columns_named(*(f"C{place}" for place in range(len(grid[0]))))
    found = as_our_reader_sees(columns, [row_of(*line, number=place) for place, line in enumerate(grid, start=2)])
    assert [number for number, _ in found] == list(range(2, len(grid) + 2))
    for (_, cells), line in zip(found, grid, strict=True):
        for value, wanted in zip(cells, line, strict=False):
            shown = cell_text(wanted)
            if type(value) in {int, float}:  # a number does not know how many noughts it was written with
                assert Decimal(cell_text(value)) == Decimal(shown)
            else:
                assert cell_text(value) == (shown if shown.strip() else "")


def test_a_row_like_the_one_before_differs_from_it_only_where_it_does():
    lines = [("a & b", 1, None, "x"), ("c | d", 2, None, "y"), ("e<f>", 2.5, None, " z"), ("=g", True, None, "_x0041_")]
    found = as_our_reader_sees(columns_named(*"ABCD"), [row_of(*line) for line in lines])
    assert [cells[:4] for _, cells in found] == lines


def test_results_that_are_said_again_and_again_are_said_whole_in_each_row():
    rows = [
        row_of("a", number=2, outcome=DONE),
        row_of("b", number=3, outcome=Outcome(status=Status.VALID)),
        row_of("c", number=4, outcome=rejected(TOO_LONG)),
        row_of("d", number=5, outcome=rejected(TOO_LONG.__class__(code="", field="", message="=Wait", remedy="& go"))),
        row_of("e", number=6, outcome=Outcome(status=Status.UNCHANGED, record_id="=1", code="odd code")),
    ]
    found = as_our_reader_sees(columns_named("A"), [*rows, *rows], rows_per_sheet=4)
    wanted = [tuple(value if value != "" else None for value in (*row.cells, *row.result)) for row in [*rows, *rows]]
    assert [cells for _, cells in found] == wanted
    assert [number for number, _ in found] == [2, 3, 4, 5, 2, 3, 4, 5, 2, 3]


def test_a_sheet_that_grows_too_large_is_followed_by_another_and_a_note_says_so():
    rows = [row_of("x" * 1000, number=number) for number in range(2, 502)]
    book, notes = written(columns_named("A"), rows, bytes_per_sheet=100_000)
    assert len(book.sheetnames) == 5
    assert [line[1] for sheet in book for line in sheet.iter_rows(min_row=2, values_only=True)] == list(range(2, 502))
    assert notes == ("The workbook has 5 sheets, because one holds at most 100,000 bytes.",)


def test_the_archive_is_as_programs_expect_it():
    stream = io.BytesIO()
    write_xlsx(stream, columns_named("A & <B>"), paged([row_of("x")]), sheet="It's & <so>")
    with zipfile.ZipFile(stream) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "_rels/.rels"
        for part in archive.namelist():
            fromstring(archive.read(part))
        # A size that is known only at the end must not make the archive one of those that hold more than 4 GB.
        assert {entry.extract_version for entry in archive.infolist()} == {20}
    book = openpyxl.load_workbook(stream)
    assert book.sheetnames == ["It's & <so>"]
    assert book.worksheets[0]["A1"].value == "A & <B>"
    assert book.worksheets[0].auto_filter.ref == "A1:K2"
    assert book.worksheets[0].freeze_panes == "A2"
