"""Workbooks from Excel's imitators and by hand: digits, dates, errors and formulas come out as they are stored."""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from xlsx_parts import HEADER, MAIN, RELATIONS, WORKBOOK, parts, sheet, write_parts

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest import ReadOptions, open_source
from bulkzcrm.model import CellError, FormulaWithoutValue


def read(path, **options):
    with open_source(path, ReadOptions(**options)) as table:
        return table, list(table.rows)


def by_hand(tmp_path, rows="", **changed):
    return write_parts(tmp_path / "hand made.xlsx", parts(rows, **changed))


def cells_of(tmp_path, xml, **changed):
    """The cells of row 2 whose XML is given."""
    return read(by_hand(tmp_path, f'<row r="2">{xml}</row>', **changed))[1][0].cells


@pytest.fixture
def book(tmp_path):
    """Write a workbook with xlsxwriter: `book(fill)` calls `fill(book, sheet)` and returns the path."""

    def write(fill, name="book.xlsx", **options):
        path = tmp_path / name
        made = xlsxwriter.Workbook(str(path), options)
        fill(made, made.add_worksheet("One"))
        made.close()
        return path

    return write


def test_values_keep_their_kind(book):
    def fill(_, one):
        one.write_row(0, 0, ["id", "number", "text", "yes", "blank", "money"])
        one.write_string(1, 0, "5545974000000393001")
        one.write_number(1, 1, 60)
        one.write_string(1, 2, "=1+1")
        one.write_boolean(1, 3, True)
        one.write_string(1, 4, " \u00a0 ")
        one.write_number(1, 5, 19.99)

    table, rows = read(book(fill))
    assert rows[0].cells == ("5545974000000393001", 60, "=1+1", True, None, 19.99)
    assert [type(cell) for cell in rows[0].cells] == [str, int, str, bool, type(None), float]
    assert (table.sheet, table.header_row, table.notes, table.reading) == ("One", 1, [], {})


def test_an_id_stored_as_a_number_is_exact_or_visibly_a_float(tmp_path):
    exact, lost = cells_of(
        tmp_path, '<c r="A2"><v>5545974000000393001</v></c><c r="B2"><v>5.545974000000393E+18</v></c>'
    )
    assert exact == 5545974000000393001
    assert isinstance(lost, float)


def test_dates_follow_the_number_format(book):
    moment = dt.datetime(2031, 2, 3, 10, 30)  # noqa: DTZ001 - cells have no zone

    def fill(made, one):
        one.write_row(0, 0, list("abcdefgh"))
        formats = ["yyyy-mm-dd", "dd/mm/yyyy hh:mm", "h:mm AM/PM", "[h]:mm", '0.00 "days"', "[$-409]mmm d, yyyy;@"]
        one.write_datetime(1, 0, moment.replace(hour=0, minute=0), made.add_format({"num_format": formats[0]}))
        one.write_datetime(1, 1, moment, made.add_format({"num_format": formats[1]}))
        one.write_datetime(1, 2, moment.time(), made.add_format({"num_format": formats[2]}))
        one.write_number(1, 3, 26 / 24, made.add_format({"num_format": formats[3]}))
        one.write_number(1, 4, 1.5, made.add_format({"num_format": formats[4]}))
        one.write_number(1, 5, 47882, made.add_format({"num_format": formats[5]}))
        one.write_datetime(1, 6, moment.replace(hour=0, minute=0), made.add_format({"num_format": formats[1]}))
        one.write_number(1, 7, 99999999, made.add_format({"num_format": formats[0]}))

    _, rows = read(book(fill))
    assert rows[0].cells == (
        dt.date(2031, 2, 3),
        moment,
        dt.time(10, 30),
        dt.timedelta(hours=26),
        1.5,
        dt.date(2031, 2, 3),
        moment.replace(hour=0, minute=0),
        99999999,
    )
    assert type(rows[0].cells[0]) is dt.date
    assert type(rows[0].cells[6]) is dt.datetime


def test_dates_of_the_1904_calendar_are_right(book):
    def fill(made, one):
        one.write_row(0, 0, ["a"])
        one.write_datetime(1, 0, dt.date(2031, 2, 3), made.add_format({"num_format": "yyyy-mm-dd"}))

    _, rows = read(book(fill, date_1904=True))
    assert rows[0].cells == (dt.date(2031, 2, 3),)


def test_iso_dates_are_read(tmp_path):
    xml = '<c r="A2" t="d"><v>2031-02-03T10:30:00</v></c><c r="B2" t="d"><v>2031-02-03</v></c>'
    assert cells_of(tmp_path, xml) == (dt.datetime(2031, 2, 3, 10, 30), dt.date(2031, 2, 3))  # noqa: DTZ001 - no zone


def test_error_values_are_no_texts(tmp_path):
    xml = '<c r="A2" t="e"><v>#N/A</v></c><c r="B2" t="inlineStr"><is><t>#N/A</t></is></c>'
    assert cells_of(tmp_path, xml) == (CellError("#N/A"), "#N/A")
    assert cells_of(tmp_path, '<c r="A2"><v>NaN</v></c><c r="B2"><v>1E999</v></c>') == (CellError("#NUM!"),) * 2


def test_a_formula_gives_its_stored_value_or_itself(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    made.active.append(["=B2+1", 1])
    made.save(tmp_path / "no values.xlsx")
    assert read(tmp_path / "no values.xlsx")[1][0].cells == (FormulaWithoutValue("=B2+1"), 1)

    stored = '<c r="A2"><f>B2+1</f><v>5</v></c><c r="B2" t="str"><f>""</f><v></v></c>'
    assert cells_of(tmp_path, stored) == (5, None)


def test_a_shared_formula_without_value_reads_as_in_its_own_cell(tmp_path):
    rows = (
        '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">B2*2</f><v>4</v></c></row>'
        '<row r="3"><c r="A3"><f t="shared" si="0"/></c></row><row r="4"><c r="A4"><f t="shared" si="9"/></c></row>'
    )
    _, read_rows = read(by_hand(tmp_path, rows))
    assert [row.cells[0] for row in read_rows] == [4, FormulaWithoutValue("=B3*2"), FormulaWithoutValue("=")]


def test_escapes_are_resolved_wherever_texts_stand(tmp_path):
    strings = (
        f'<sst xmlns="{MAIN}"><si><t>a_x000D_b</t></si><si><t>_x005F_x000D_</t></si>'
        "<si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>phonetic</t></rPh></si><si><t>x005F_ _xD83D_</t></si></sst>"
    )
    xml = "".join(f'<c r="{letter}2" t="s"><v>{index}</v></c>' for index, letter in enumerate("ABCD"))
    row = f'<row r="2">{xml}<c r="E2" t="str"><v>_x0041_</v></c></row>'
    _, rows = read(by_hand(tmp_path, row, **{"xl/sharedStrings.xml": strings}))
    assert rows[0].cells + rows[0].surplus == ("a\rb", "_x000D_", "rich", "x005F_ _xD83D_", "A")


def test_the_sheets_own_dimension_is_not_believed(tmp_path):
    for claim in ("A1", "A1:XFD1048576"):
        xml = sheet('<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>', f'<dimension ref="{claim}"/>')
        _, rows = read(by_hand(tmp_path, **{"xl/worksheets/sheet1.xml": xml}))
        assert [row.cells for row in rows] == [(1, 2)]


def test_far_cells_cost_neither_time_nor_memory(tmp_path):
    styled = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="XFD{n}" s="0"/></row>' for n in range(2, 2002))
    far = '<row r="500000"><c r="A500000" s="1"/></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = by_hand(tmp_path, styled + far)
    tracemalloc.start()
    begun = time.perf_counter()
    _, rows = read(path)
    seconds = time.perf_counter() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 2001
    assert all(row.surplus == () for row in rows[:-1])
    assert rows[-1].number == 1_048_576
    assert len(rows[-1].cells) + len(rows[-1].surplus) == 16_384
    assert peak < 20_000_000
    assert seconds < 10


def test_memory_stays_flat(tmp_path):
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="str"><v>text {n}</v></c><c r="B{n}"><v>{n}</v></c></row>'
        for n in range(2, 30_000)
    )
    path = by_hand(tmp_path, rows)
    tracemalloc.start()
    with open_source(path) as table:
        count = sum(1 for _ in table.rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 29_998
    assert peak < 5_000_000


def test_rows_and_cells_may_leave_out_their_names(tmp_path):
    _, rows = read(
        by_hand(tmp_path, '<row><c><v>1</v></c><c><v>2</v></c></row><row r="9"><c r="B9"><v>3</v></c></row>')
    )
    assert [(row.number, row.cells) for row in rows] == [(2, (1, 2)), (9, (None, 3))]


@pytest.mark.parametrize("xml", ['<row r="1"/>', '<row r="5"/><row r="4"/>', '<row r="1048577"/>', '<row r="x"/>'])
def test_rows_out_of_order_are_refused_rather_than_dropped(tmp_path, xml):
    with pytest.raises(SourceError, match=r"'One' of .*hand made\.xlsx"):
        read(by_hand(tmp_path, xml))


@pytest.mark.parametrize(
    "xml",
    [
        '<c r="A2" t="s"><v>7</v></c>',
        '<c r="A2"><v>abc</v></c>',
        '<c r="A2" t="q"><v>1</v></c>',
        '<c r="XFE2"><v>1</v></c>',
    ],
)
def test_a_cell_that_cannot_be_read_is_named(tmp_path, xml):
    with pytest.raises(SourceError, match=r"Cell (A|XFE)2 of the sheet 'One'"):
        cells_of(tmp_path, xml)


def test_the_first_visible_sheet_is_read_and_the_others_are_named(tmp_path):
    made = openpyxl.Workbook()
    made.active.title = "Secret"
    made.active.append(["hidden"])
    for name in ("Prices", "Other", "Deep"):
        made.create_sheet(name).append([name])
    made.create_chartsheet("Chart", 0)
    made["Secret"].sheet_state = "hidden"
    made["Deep"].sheet_state = "veryHidden"
    made.active = 2
    made.save(tmp_path / "many.xlsx")

    table, _ = read(tmp_path / "many.xlsx")
    assert (table.sheet, table.columns[0].name, table.reading) == ("Prices", "Prices", {"sheet": "Prices"})
    assert "'Other'" in table.notes[0]
    assert "Secret" not in table.notes[0]

    for asked, found in (("Other", "Other"), ("pRICES", "Prices"), ("Secret", "Secret"), ("Deep", "Deep")):
        table, _ = read(tmp_path / "many.xlsx", sheet=asked)
        assert (table.sheet, table.reading, table.notes) == (found, {}, [])

    for asked in ("Chart", "Price"):
        with pytest.raises(SourceError, match=r"'Secret', 'Prices', 'Other', 'Deep'"):
            read(tmp_path / "many.xlsx", sheet=asked)


def test_what_is_hidden_or_merged_is_read_and_noted(book):
    def fill(made, one):
        one.write_row(0, 0, ["a", "b", "c"])
        one.merge_range(1, 0, 2, 1, "both", made.add_format())
        one.write_row(3, 0, [1, 2, 3])
        one.set_row(3, None, None, {"hidden": True})
        one.set_column(2, 2, None, None, {"hidden": True})

    table, rows = read(book(fill))
    assert [(row.number, row.cells) for row in rows] == [(2, ("both", None, None)), (4, (1, 2, 3))]
    assert "rows and columns" in table.notes[0]
    assert "merged" in table.notes[1]


def test_a_plain_sheet_needs_no_note(book):
    table, _ = read(book(lambda _, one: one.write_row(0, 0, ["hidden", "mergeCell"])))
    assert table.notes == []


def test_the_header_ends_at_its_last_name(book):
    def fill(_, one):
        one.write_row(1, 1, ["b", "", "d"])
        one.write_row(2, 1, [1, 2, 3, "", 5])

    table, rows = read(book(fill))
    assert [(c.letter, c.name) for c in table.columns] == [("A", ""), ("B", "b"), ("C", ""), ("D", "d")]
    assert (table.header_row, rows[0].cells, rows[0].surplus) == (2, (None, 1, 2, 3), (None, 5))


def test_a_title_above_the_header_is_shown_by_the_preview(book):
    def fill(_, one):
        one.write(0, 0, "Our prices")
        one.write_row(2, 0, ["id", 5])

    path = book(fill)
    table, _ = read(path)
    assert table.preview == ((1, ("Our prices",)), (3, ("id", "5")))
    table, _ = read(path, header_row=3)
    assert [column.name for column in table.columns] == ["id", "5"]


def test_an_empty_sheet_is_refused_by_name(book):
    with pytest.raises(SourceError, match="'One'"):
        read(book(lambda _made, _one: None))


def test_macro_workbooks_and_the_strict_form_are_read(tmp_path):
    strict = {
        path: text.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main") for path, text in parts().items()
    }
    assert len(read(write_parts(tmp_path / "strict.xlsm", strict))[0].columns) == 2


def test_prefixed_elements_and_odd_paths_are_read(tmp_path):
    xml = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    changed = {"xl/worksheets/sheet1.xml": None, "XL\\worksheets\\Sheet1.xml": xml}
    assert read(by_hand(tmp_path, **changed))[0].columns[0].name == "1"


def test_leaving_early_closes_the_workbook(book):
    path = book(lambda _, one: one.write_column(0, 0, ["a", 1, 2, 3]))
    with open_source(path) as table:
        next(table.rows)
    path.unlink()


def test_unused_parts_may_be_broken(tmp_path):
    assert read(by_hand(tmp_path, **{"docProps/core.xml": "<broken", "xl/theme/theme1.xml": ""}))[1] == []


def test_a_style_sheet_with_unknown_styles_still_gives_values(tmp_path):
    formats = '<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="30"/></cellXfs>'
    styles = f'<styleSheet xmlns="{MAIN}"><fills><odd/></fills>{formats}</styleSheet>'
    xml = '<c r="A2" s="1"><v>47882</v></c><c r="B2" s="2"><v>47882</v></c>'
    assert cells_of(tmp_path, xml, **{"xl/styles.xml": styles}) == (dt.date(2031, 2, 3),) * 2
    assert cells_of(tmp_path, '<c r="A2" s="99"><v>5</v></c>') == (5, None)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("xl/workbook.xml", None),
        ("xl/workbook.xml", "<broken"),
        ("xl/workbook.xml", "<other/>"),
        ("xl/_rels/workbook.xml.rels", None),
        ("xl/worksheets/sheet1.xml", None),
        ("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{HEADER}'),
        ("xl/sharedStrings.xml", "<sst"),
        ("xl/styles.xml", f'<s xmlns="{MAIN}"><cellXfs><xf numFmtId="x"/></cellXfs></s>'),
        ("xl/workbook.xml", WORKBOOK.replace("rId1", "rId9")),
        ("xl/_rels/workbook.xml.rels", RELATIONS.replace("/worksheet", "/chartsheet")),
    ],
)
def test_a_workbook_with_broken_parts_is_refused(tmp_path, part, text):
    with pytest.raises(SourceError, match=r"hand made\.xlsx"):
        read(by_hand(tmp_path, **{part: text}))


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], min_codepoint=9), min_size=1, max_size=20)
values = (
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.floats(-1e12, 1e12).map(lambda x: round(x, 4))
    | texts
)


@given(st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_another_program_wrote_is_read(tmp_path_factory, grid):
    path = tmp_path_factory.mktemp("grid") / "grid.xlsx"
    made = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    one = made.add_worksheet()
    one.write_row(0, 0, ["a", "b", "c"])
    for number, line in enumerate(grid, 1):
        for column, value in enumerate(line):
            if isinstance(value, str):
                one.write_string(number, column, value)
            elif value is not None:
                one.write(number, column, value)
    made.close()
    wanted = [
        (number, tuple(None if isinstance(value, str) and not value.strip() else value for value in line))
        for number, line in enumerate(grid, 2)
    ]
    found = [(row.number, row.cells) for row in read(path)[1]]
    assert found == [(number, line) for number, line in wanted if any(value is not None for value in line)]
