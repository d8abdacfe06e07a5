import csv
import io
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import paged
from report_samples import TOO_LONG, columns_named, rejected, row_of, texts

from bulkzcrm.defuse import defuse, undefuse
from bulkzcrm.model import CellError, FormulaWithoutValue
from bulkzcrm.report import RESULT_COLUMNS, result_values, write_csv


def written(columns, rows) -> bytes:
    stream = io.BytesIO()
    write_csv(stream, columns, paged(rows))
    return stream.getvalue()


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_the_file_is_utf_8_with_a_mark_commas_and_crlf():
    content = written(columns_named("Service_Name", "Price"), [row_of("Wäsche", "9,50")])
    assert content == (
        b"\xef\xbb\xbfService_Name,Price," + ",".join(RESULT_COLUMNS).encode() + b"\r\n"
        b'W\xc3\xa4sche,"9,50",2,succeeded,SUCCESS,,,,,5545974000000393001,3,1\r\n'
    )


def test_a_report_without_rows_is_a_header():
    assert read(written(columns_named("Name"), [])) == [["Name", *RESULT_COLUMNS]]


def test_headers_that_are_blank_or_repeated_stay_as_they_are():
    assert read(written(columns_named("A", "", "A"), []))[0][:3] == ["A", "", "A"]


def test_typed_cells_come_out_as_iso_dates_times_exact_decimals_and_error_values():
    cells = (
        date(2099, 2, 3),
        datetime(2099, 2, 3, 4, 5),  # noqa: DTZ001 - a workbook's cells have no zone
        time(14, 30),
        Decimal("9999999999999999.99"),
        -5,
        True,
        CellError("#N/A"),
        None,
    )
    (_, record) = read(written(columns_named(*"ABCDEFGH"), [row_of(*cells)]))
    assert record[:8] == ["2099-02-03", "2099-02-03 04:05", "14:30", "9999999999999999.99", "-5", "TRUE", "#N/A", ""]


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_header_or_message_is_left_that_a_spreadsheet_program_would_run(text):
    problem = TOO_LONG.__class__(code=text, field=text, message=text, remedy=text, cell="A2")
    records = read(written(columns_named(text), [row_of(text, outcome=rejected(problem))]))
    cells = [cell for record in records for cell in record]
    assert text not in cells
    assert cells.count("'" + text) == 6


def test_a_formula_without_a_stored_value_is_shown_and_does_not_run():
    (_, record) = read(written(columns_named("A"), [row_of(FormulaWithoutValue("=B1*2"))]))
    assert record[0] == "'=B1*2"


def test_half_a_surrogate_pair_is_written_as_its_escape():
    (_, record) = read(written(columns_named("A"), [row_of("a\ud800b")]))
    assert record[0] == r"a\ud800b"


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.tuples(
            st.lists(texts, min_size=width, max_size=width),
            st.lists(st.lists(texts, min_size=width, max_size=width), max_size=4),
        )
    )
)
def test_what_is_read_back_and_undefused_is_exactly_the_source(source):
    headers, lines = source
    content = written(columns_named(*headers), [row_of(*cells, outcome=rejected(TOO_LONG)) for cells in lines])
    records = [[undefuse(cell) for cell in record[: -len(RESULT_COLUMNS)]] for record in read(content)]
    assert records == [headers, *lines]


@given(texts, texts)
def test_every_message_reads_back_as_it_was(message, remedy):
    problem = TOO_LONG.__class__(code="INVALID_DATA", field="Price", message=message, remedy=remedy)
    row = row_of("x", outcome=rejected(problem))
    (_, record) = read(written(columns_named("A"), [row]))
    assert tuple(undefuse(cell) for cell in record[1:]) == result_values(row)


MANY = st.lists(texts | st.sampled_from(["", "a", "b1", "=1", 'a "b"', "a,b", "a\nb", "ß", "-1"]), min_size=1)


@given(st.lists(MANY, min_size=1, max_size=4), st.integers(1, 300), st.booleans())
def test_pages_of_many_rows_are_what_a_writer_of_csv_writes_row_by_row(columns, rows, has_message):
    """A column's cells are looked at together where there are many."""
    lines = list(zip(*((column * rows)[:rows] for column in columns), strict=True))
    outcome = {"outcome": rejected(TOO_LONG)} if has_message else {}
    given_rows = [row_of(*line, **outcome) for line in lines]
    expected = io.StringIO(newline="")
    writer = csv.writer(expected)
    writer.writerow([*(defuse(f"C{place}") for place in range(len(columns))), *RESULT_COLUMNS])
    for line, row in zip(lines, given_rows, strict=True):
        writer.writerow([*map(defuse, line), *("" if value is None else value for value in result_values(row))])
    content = written(columns_named(*(f"C{place}" for place in range(len(columns)))), given_rows)
    assert content.decode("utf-8-sig") == expected.getvalue()
