"""OpenDocument spreadsheets are read as their like in .xlsx, and what is repeated without a value costs nothing."""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ods_parts import STYLES, cell, content, number, row, table, write_fods, write_ods

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, open_source
from bulkzcrm.model import CellError, FormulaWithoutValue

HEADER = row(*(cell(letter) for letter in "abcdef"))
MOMENT = dt.datetime(2031, 2, 3, 10, 30)  # noqa: DTZ001 - cells have no zone


def read(path, **options):
    with open_source(path, ReadOptions(**options)) as opened:
        return opened, list(opened.rows)


def rows_of(tmp_path, *rows, **more):
    return read(write_ods(tmp_path / "a.ods", content(table(HEADER, *rows), **more)))


def value_of(tmp_path, xml, **more):
    """The value of cell A2, whose XML is given."""
    _, rows = rows_of(tmp_path, row(xml, cell("last")), **more)
    return rows[0].cells[0]


def typed(kind, attributes="", text=None):
    inner = "" if text is None else f"<text:p>{text}</text:p>"
    return f'<table:table-cell office:value-type="{kind}" {attributes}>{inner}</table:table-cell>'


NUMBERS = {
    "60": 60,
    "60.5": 60.5,
    "-0.5": -0.5,
    "1.5E2": 150.0,
    "5545974000000393001": 5545974000000393001,
    "5545974000000393000": 5545974000000393000.0,  # as JavaScript writes the rounded number
    "5545974000000393216": 5545974000000393216.0,  # as others do
    "5.54597400000039E+018": 5.54597400000039e18,
    "1E999": CellError("#NUM!"),
    "NaN": CellError("#NUM!"),
}


@pytest.mark.parametrize("kind", ["float", "percentage", "currency"])
@pytest.mark.parametrize("written", NUMBERS)
def test_numbers_are_as_exact_as_they_are_stored(tmp_path, kind, written):
    found = value_of(tmp_path, typed(kind, f'office:value="{written}"'))
    assert (type(found), found) == (type(NUMBERS[written]), NUMBERS[written])


MOMENTS = [
    ("date", "2031-02-03", "d", dt.date(2031, 2, 3)),
    ("date", "2031-02-03", "m", MOMENT.replace(hour=0, minute=0)),
    ("date", "2031-02-03", "child", MOMENT.replace(hour=0, minute=0)),
    ("date", "2031-02-03", "", dt.date(2031, 2, 3)),
    ("date", "2031-02-03T00:00:00", "d", dt.date(2031, 2, 3)),
    ("date", "2031-02-03T00:00:00", "", MOMENT.replace(hour=0, minute=0)),
    ("date", "2031-02-03T10:30:00", "d", MOMENT),
    ("date", "2031-02-03T10:29:59.999999999", "m", MOMENT),
    ("time", "PT10H30M00S", "t", dt.time(10, 30)),
    ("time", "PT10H30M00S", "", dt.time(10, 30)),
    ("time", "PT10H29M59.99999999S", "t", dt.time(10, 30)),
    ("time", "PT10H30M00S", "l", dt.timedelta(hours=10, minutes=30)),
    ("time", "PT26H00M00S", "l", dt.timedelta(hours=26)),
    ("time", "P1DT2H", "", dt.timedelta(hours=26)),
    ("time", "-PT1H", "", -dt.timedelta(hours=1)),
]


@pytest.mark.parametrize(("kind", "written", "style", "wanted"), MOMENTS)
def test_dates_and_times_follow_the_style(tmp_path, kind, written, style, wanted):
    named = f'table:style-name="{style}"' if style else ""
    found = value_of(tmp_path, typed(kind, f'office:{kind}-value="{written}" {named}'))
    assert (type(found), found) == (type(wanted), wanted)


def test_a_date_that_excel_shows_without_a_time_is_one(tmp_path):
    attributes = 'office:date-value="2031-02-03T00:00:00" table:style-name="unknown"'
    assert type(value_of(tmp_path, typed("date", attributes, "03.02.2031"))) is dt.date
    assert type(value_of(tmp_path, typed("date", attributes, "03.02.2031 00:00"))) is dt.datetime


def test_a_date_that_no_calendar_of_ours_has_is_its_text(tmp_path):
    assert value_of(tmp_path, typed("date", 'office:date-value="-0044-03-15"', "15 March 44 BC")) == "15 March 44 BC"


def test_a_style_may_come_from_the_row_the_column_or_the_other_part(tmp_path):
    date = typed("date", 'office:date-value="2031-02-03"')
    columns = (
        '<table:table-column/><table:table-column table:default-cell-style-name="m" table:number-columns-repeated="2"/>'
    )
    rows = [row(date, date), row(date, attributes=' table:default-cell-style-name="m"')]
    _, found = read(write_ods(tmp_path / "a.ods", content(table(columns, HEADER, *rows))))
    assert [type(value) for value in found[0].cells[:2]] == [dt.date, dt.datetime]
    assert type(found[1].cells[0]) is dt.datetime

    elsewhere = (
        content(styles="").replace("document-content", "document-styles").replace("office:spreadsheet", "office:x")
    )
    elsewhere = elsewhere.replace("<office:automatic-styles>", f"<office:automatic-styles>{STYLES}")
    xml = content(table(HEADER, row(typed("date", 'office:date-value="2031-02-03" table:style-name="m"'))), styles="")
    _, found = read(write_ods(tmp_path / "b.ods", xml, styles_xml=elsewhere))
    assert type(found[0].cells[0]) is dt.datetime


FORMULA = 'table:formula="of:=[.B2]+1" '
ERRORS = {
    "LibreOffice": (typed("string", f'{FORMULA} office:string-value="" calcext:value-type="error"', "#N/A"), "#N/A"),
    "LibreOffice, in German": (typed("string", f'{FORMULA} calcext:value-type="error"', "#NV"), "#NV"),
    "LibreOffice, with a number": (typed("string", f'{FORMULA} calcext:value-type="error"', "Err:502"), "Err:502"),
    "OpenOffice": (typed("float", f'{FORMULA} office:value="0"', "#DIV/0!"), "#DIV/0!"),
    "OpenOffice, in German": (typed("float", f'{FORMULA} office:value="0"', "#WERT!"), "#WERT!"),
    "another": (typed("string", FORMULA, "#REF!"), "#REF!"),
}


@pytest.mark.parametrize("program", ERRORS)
def test_error_values_are_no_texts_whoever_wrote_them(tmp_path, program):
    xml, shown = ERRORS[program]
    assert value_of(tmp_path, xml) == CellError(shown)


def test_a_text_that_looks_like_an_error_is_a_text(tmp_path):
    assert value_of(tmp_path, cell("#N/A")) == "#N/A"
    assert value_of(tmp_path, typed("string", FORMULA, "Room:501")) == "Room:501"


def test_a_formula_gives_its_stored_value_or_itself(tmp_path):
    assert value_of(tmp_path, typed("float", f'{FORMULA} office:value="5"', "5")) == 5
    assert value_of(tmp_path, typed("string", f'{FORMULA} office:string-value="x"', "x")) == "x"
    assert value_of(tmp_path, typed("string", FORMULA, "")) is None
    assert value_of(tmp_path, typed("string", f'{FORMULA} office:string-value=""')) is None
    assert value_of(tmp_path, f"<table:table-cell {FORMULA}><text:p/></table:table-cell>") is None  # as of ="" in Calc
    unknown = FormulaWithoutValue("=B2+1")
    assert value_of(tmp_path, f"<table:table-cell {FORMULA}/>") == unknown
    for kind in ("float", "string", "date", "boolean"):
        assert value_of(tmp_path, typed(kind, FORMULA)) == unknown


@pytest.mark.parametrize(("written", "wanted"), [("true", True), ("false", False), ("1.2345", True), ("0", False)])
def test_booleans_are_read_also_as_calc_writes_numbers_that_it_shows_as_such(tmp_path, written, wanted):
    assert value_of(tmp_path, typed("boolean", f'office:boolean-value="{written}"')) is wanted


TEXTS = {
    "a": "a",
    "two  blanks\n and a  line": "two blanks and a line",
    " around ": "around",
    'x<text:s text:c="3"/>y': "x   y",
    "x<text:s/>y": "x y",
    "x<text:tab/>y": "x\ty",
    "x<text:line-break/>y": "x\ny",
    "x</text:p><text:p>y": "x\ny",
    "<text:span>ri</text:span><text:a>ch <text:span>text</text:span></text:a>": "rich text",
    "<text:ruby><text:ruby-base>base</text:ruby-base><text:ruby-text>reading</text:ruby-text></text:ruby>": "base",
    "&#160; ": None,
    "&lt;a&gt; &amp;": "<a> &",
}


@pytest.mark.parametrize("xml", TEXTS)
def test_texts_are_read_as_they_are_shown(tmp_path, xml):
    assert value_of(tmp_path, cell(xml)) == TEXTS[xml]


def test_notes_drawings_and_tables_in_a_cell_are_not_its_text(tmp_path):
    inside = (
        "<office:annotation><dc:date>2031</dc:date><text:p>a note</text:p></office:annotation><text:p>text</text:p>"
        "<draw:frame><draw:text-box><text:p>a box</text:p></draw:text-box></draw:frame>"
        f"{table(row(cell('inner')), row(cell('inner')))}"
    )
    _, rows = rows_of(
        tmp_path, row(f'<table:table-cell office:value-type="string">{inside}</table:table-cell>'), row(number(7))
    )
    assert [(found.number, found.cells[0]) for found in rows] == [(2, "text"), (3, 7)]


def test_what_stands_beside_the_rows_is_no_row(tmp_path):
    shapes = f"<table:shapes><draw:frame>{table(row(cell('in a drawing')), name='inner')}</draw:frame></table:shapes>"
    rows = f"<table:table-rows>{row(number(1))}</table:table-rows>"
    grouped = f"<table:table-header-rows>{HEADER}</table:table-header-rows><table:table-row-group>{rows}"
    grouped += "</table:table-row-group>"
    found, rows = read(write_ods(tmp_path / "a.ods", content(table(shapes, grouped, row(number(2))))))
    assert [(each.number, each.cells[0]) for each in rows] == [(2, 1), (3, 2)]
    assert found.notes == []


def test_repeated_cells_and_rows_are_told_as_often_as_they_are_repeated(tmp_path):
    twice = row(
        number(1, ' table:number-columns-repeated="3"'), cell("end"), attributes=' table:number-rows-repeated="2"'
    )
    gap = row("<table:table-cell/>", attributes=' table:number-rows-repeated="5"')
    _, rows = rows_of(tmp_path, twice, gap, row('<table:table-cell table:number-columns-repeated="2"/>', number(9)))
    assert [(found.number, found.cells[:4]) for found in rows] == [
        (2, (1, 1, 1, "end")),
        (3, (1, 1, 1, "end")),
        (9, (None, None, 9, None)),
    ]


def test_blank_cells_and_rows_to_the_end_of_the_sheet_cost_nothing(tmp_path):
    blank = '<table:table-cell table:style-name="d" table:number-columns-repeated="16384"/>'
    rows = [row(number(1), blank), row(blank, attributes=' table:number-rows-repeated="1048570"'), row(blank)]
    path = write_ods(
        tmp_path / "a.ods",
        content(table(HEADER, *rows, row(blank, attributes=' table:number-rows-repeated="999999999"'))),
    )
    tracemalloc.start()
    begun = time.perf_counter()
    _, found = read(path)
    assert [each.number for each in found] == [2]
    assert time.perf_counter() - begun < 2
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def _rows_one_by_one(path):
    with open_source(path) as opened:
        yield from opened.rows


def test_full_columns_are_read(tmp_path):
    """As a person makes them who fills a column down to the end of the sheet."""
    rows = row(number(1, ' table:number-columns-repeated="3"'), attributes=' table:number-rows-repeated="1048575"')
    path = write_ods(tmp_path / "a.ods", content(table(HEADER, rows)))
    assert sum(1 for _ in _rows_one_by_one(path)) == 1_048_575


def test_hidden_and_merged_cells_are_read_and_noted(tmp_path):
    columns = '<table:table-column table:visibility="collapse"/>'
    merged = cell("both", ' table:number-columns-spanned="2" table:number-rows-spanned="1"')
    covered = (
        '<table:covered-table-cell office:value-type="string"><text:p>left over</text:p></table:covered-table-cell>'
    )
    rows = [row(merged, covered, number(5)), row(number(1), attributes=' table:visibility="filter"')]
    found, read_rows = read(write_ods(tmp_path / "a.ods", content(table(columns, HEADER, *rows))))
    assert read_rows[0].cells[:3] == ("both", None, 5)
    assert read_rows[1].cells[0] == 1
    assert "Some rows and columns in the sheet 'One'" in found.notes[0]
    assert "merged" in found.notes[1]


def test_the_first_visible_sheet_is_read_and_the_others_are_named(tmp_path):
    tables = [
        table(row(cell("s")), name="Secret", attributes=' table:style-name="unseen"'),
        table(row(cell("p")), name="Prices &amp; more"),
        table(row(cell("o"), attributes=' table:visibility="collapse"'), name="Other"),
    ]
    path = write_ods(tmp_path / "a.ods", content(*tables))
    found, _ = read(path)
    assert (found.sheet, found.columns[0].name, found.reading) == ("Prices & more", "p", {"sheet": "Prices & more"})
    assert len(found.notes) == 1
    assert "'Other'" in found.notes[0]
    assert read(path, sheet="secret")[0].columns[0].name == "s"
    with pytest.raises(SourceError, match="'Secret', 'Prices & more', 'Other'"):
        read(path, sheet="None")


def test_a_flat_document_is_the_same(tmp_path):
    found, rows = read(write_fods(tmp_path / "a.fods", table(HEADER, row(number(5)))))
    assert (found.sheet, rows[0].cells[0], found.notes) == ("One", 5, [])
    with pytest.raises(UsageError, match="OpenDocument"):
        read(tmp_path / "a.fods", delimiter=";")


def test_other_prefixes_are_no_matter(tmp_path):
    xml = content(table(HEADER, row(number(5)))).replace("<table:", "<t:").replace("</table:", "</t:")
    xml = xml.replace("xmlns:table=", "xmlns:t=").replace(" table:", " t:")
    assert read(write_ods(tmp_path / "a.ods", xml))[1][0].cells[0] == 5


GOOD = content(table(HEADER, row(number(5))))


def test_one_that_is_called_otherwise_is_read_with_a_note(tmp_path):
    found, _ = read(write_ods(tmp_path / "a.xlsx", GOOD))
    assert "an OpenDocument spreadsheet, although its extension is .xlsx" in found.notes[-1]


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs"], min_codepoint=33), min_size=1, max_size=9
)
values = st.none() | st.integers(-(10**14), 10**14) | st.floats(-1e12, 1e12) | texts.filter(str.isprintable)


@given(st.lists(st.lists(values, min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_table_reads_the_same_whether_or_not_what_repeats_is_written_once(tmp_path_factory, grid):
    grid = [line * 2 for line in grid for _ in range(2)]
    folder = tmp_path_factory.mktemp("grid")
    plain = write_ods(folder / "plain.ods", content(table(HEADER, *(row(*map(_written, line)) for line in grid))))
    short = write_ods(folder / "short.ods", content(table(HEADER, *_shortened(grid))))
    assert [(each.number, each.cells, each.surplus) for each in read(plain)[1]] == [
        (each.number, each.cells, each.surplus) for each in read(short)[1]
    ]


def _written(value, more=""):
    if value is None:
        return f"<table:table-cell{more}/>"
    if isinstance(value, str):
        return cell(value.replace("&", "&amp;").replace("<", "&lt;"), more)
    return number(value, more)


def _shortened(grid):
    for line in grid[::2]:
        cells = []
        for value in line:
            if cells and cells[-1][0] == value and type(cells[-1][0]) is type(value):
                cells[-1][1] += 1
            else:
                cells.append([value, 1])
        yield row(
            *(_written(value, f' table:number-columns-repeated="{times}"') for value, times in cells),
            attributes=' table:number-rows-repeated="2"',
        )
