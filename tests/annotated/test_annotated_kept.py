"""The user's own workbook comes back whole: whatever he had in it, and every byte that no outcome concerns."""

from __future__ import annotations

import hashlib
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from desk_of_books import checked
from package_rules import look_over
from terminal import Terminal
from workbooks import (
    COLUMNS,
    RESULTS,
    SUMMARY,
    by_openpyxl,
    by_xlsxwriter,
    comments_of,
    good,
    headers_of,
    in_sheet,
    parts_of,
    results_of,
    rewritten,
)

from bulkzcrm.cells import column_letter
from bulkzcrm.model import Column
from bulkzcrm.report import ReportRow
from bulkzcrm.report.annotated import OwnWorkbook, opened
from bulkzcrm.report.xlsx_summary import SheetFacts

OURS = {
    "[Content_Types].xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/worksheets/sheet1.xml",
    "xl/worksheets/sheet3.xml",
    "xl/comments1.xml",
    "xl/drawings/vmlDrawing1.vml",
}
"""Parts of the workbook of `by_xlsxwriter` that are changed, or added."""


def annotated(terminal: Terminal, book: Path, *words: str, suffix: str = "xlsx") -> Path:
    """Have a workbook checked, and return the annotated one."""
    report = checked(terminal, book.name, *words, suffix=suffix)
    assert report.is_copy, report.ended.err
    return report.path


def test_the_package_that_the_rules_are_tried_on_keeps_them(terminal: Terminal):
    look_over(by_xlsxwriter(terminal.folder / "book.xlsx", table=True))


def test_all_other_parts_are_the_same_bytes_as_they_were_packed(terminal: Terminal):
    book = by_xlsxwriter(terminal.folder / "book.xlsx")
    result = annotated(terminal, book)
    with zipfile.ZipFile(book) as before, zipfile.ZipFile(result) as after:
        assert set(after.namelist()) == set(before.namelist()) | OURS
        for name in set(before.namelist()) - OURS:
            one, other = before.getinfo(name), after.getinfo(name)
            assert (one.CRC, one.compress_size) == (other.CRC, other.compress_size)
            assert before.read(name) == after.read(name)
        assert {"xl/charts/chart1.xml", "xl/media/image1.png", "xl/tables/table1.xml"} <= set(after.namelist())


def test_formulas_widths_validations_formats_and_names_stay(terminal: Terminal):
    result = openpyxl.load_workbook(annotated(terminal, by_xlsxwriter(terminal.folder / "book.xlsx")))
    sheet = result["Services & more"]
    assert sheet["F2"].value == "=Prices!A1*2"
    assert sheet["F2"].number_format == "#,##0.00"
    assert sheet["F2"].fill.fgColor.rgb == "FFFFF2CC"
    assert sheet.column_dimensions["A"].width == pytest.approx(28.7, abs=0.1)
    assert sheet.row_dimensions[6].hidden
    assert [str(each.sqref) for each in sheet.data_validations.dataValidation] == ["C2:C100"]
    assert [str(each.sqref) for each in sheet.conditional_formatting] == ["F2:F100"]
    assert len(sheet._charts) == 1
    assert result.defined_names["Rate"].value == "Prices!$A$1"
    assert [each.title for each in result] == ["Services & more", "Prices", SUMMARY]
    assert result["Prices"]["A2"].value == "=A1+1"
    assert result.active == sheet


def test_macros_stay_and_the_file_is_called_as_programs_want_it(terminal: Terminal):
    book = by_xlsxwriter(terminal.folder / "book.xlsm", macros=True)
    result = annotated(terminal, book, suffix="xlsm")
    assert parts_of(result)["xl/vbaProject.bin"] == parts_of(book)["xl/vbaProject.bin"]
    assert not (result.parent / "results.xlsx").exists()


def test_comments_of_others_stay_and_so_does_what_they_say_of_a_cell_to_mend(terminal: Terminal):
    sheet = openpyxl.load_workbook(annotated(terminal, by_xlsxwriter(terminal.folder / "book.xlsx"))).worksheets[0]
    comments = comments_of(sheet)
    assert comments["A2"][1] == "Mine: keep me"
    assert comments["C4"][1] == "Mine as well"
    assert {at for at, (author, _) in comments.items() if author == "bulkzcrm"} == {"B3", "F5", "B6", "E6"}
    assert "5000" in comments["B3"][1]


def test_threaded_comments_are_left_alone(terminal: Terminal):
    book = by_xlsxwriter(terminal.folder / "book.xlsx")
    threads = b'<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"/>'
    kind = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
    relation = f'<Relationship Id="rIdT" Type="{kind}" Target="../threadedComments/threadedComment1.xml"/>'
    parts = {
        "xl/threadedComments/threadedComment1.xml": threads,
        "xl/worksheets/_rels/sheet1.xml.rels": lambda text: text.replace("</Rel", f"{relation}</Rel"),
    }
    result = parts_of(annotated(terminal, rewritten(book, parts)))
    assert result["xl/threadedComments/threadedComment1.xml"] == threads
    assert relation in result["xl/worksheets/_rels/sheet1.xml.rels"].decode()


def test_the_results_stand_right_of_the_table_on_the_header_and_each_row(terminal: Terminal):
    sheet = openpyxl.load_workbook(annotated(terminal, by_xlsxwriter(terminal.folder / "book.xlsx"))).worksheets[0]
    assert list(headers_of(sheet)) == [*COLUMNS, *RESULTS]
    assert {row: values["result_status"] for row, values in results_of(sheet).items()} == {
        2: "valid",
        3: "invalid",
        4: "invalid",
        5: "invalid",
        6: "invalid",
        7: "valid",
    }
    assert results_of(sheet)[3]["result_cell"] == "B3"
    assert results_of(sheet)[3]["result_row"] == 3
    header, other = sheet["H1"], sheet["A1"]
    assert header.font.b == other.font.b
    assert header.fill.fgColor.rgb == other.fill.fgColor.rgb
    assert [sheet.column_dimensions[letter].width > 20 for letter in "MN"] == [True, True]


def test_the_header_is_frozen_and_can_be_filtered(terminal: Terminal):
    result = annotated(terminal, by_xlsxwriter(terminal.folder / "book.xlsx"))
    sheet = openpyxl.load_workbook(result).worksheets[0]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:Q7")
    assert "_xlnm._FilterDatabase" in parts_of(result)["xl/workbook.xml"].decode()


def test_a_pane_that_somebody_has_chosen_stays(terminal: Terminal):
    def change(sheet):
        sheet.freeze_panes = "C4"

    result = annotated(terminal, by_openpyxl(terminal.folder / "book.xlsx", change=change))
    assert openpyxl.load_workbook(result).worksheets[0].freeze_panes == "C4"


def test_a_filter_that_is_there_keeps_what_is_filtered_and_reaches_over_the_results(terminal: Terminal):
    def change(sheet):
        sheet.auto_filter.ref = "B1:G5"
        sheet.auto_filter.add_filter_column(1, ["Nowhere"])

    result = annotated(terminal, by_openpyxl(terminal.folder / "book.xlsx", change=change))
    found = openpyxl.load_workbook(result).worksheets[0].auto_filter
    assert (found.ref, found.filterColumn[0].colId) == ("B1:Q5", 1)
    assert "'Services'!$B$1:$Q$5" in parts_of(result)["xl/workbook.xml"].decode()


def test_a_table_that_ends_where_the_results_begin_takes_them_in(terminal: Terminal):
    result = annotated(terminal, by_xlsxwriter(terminal.folder / "book.xlsx", table=True))
    sheet = openpyxl.load_workbook(result).worksheets[0]
    assert sheet.tables["Mine"].ref == "A1:Q7"
    assert sheet.tables["Mine"].autoFilter.ref == "A1:Q7"
    assert sheet.auto_filter.ref is None


def test_a_protected_sheet_stays_protected(terminal: Terminal):
    def change(sheet):
        sheet.protection.sheet = True
        sheet.protection.password = "made up"

    result = annotated(terminal, by_openpyxl(terminal.folder / "book.xlsx", change=change))
    assert openpyxl.load_workbook(result).worksheets[0].protection.sheet


def test_what_stands_right_of_the_table_stays_and_the_results_stand_right_of_it(terminal: Terminal):
    def change(sheet):
        sheet["J3"] = "a word of mine"
        sheet.merge_cells("J5:L5")

    result = annotated(terminal, by_openpyxl(terminal.folder / "book.xlsx", change=change))
    sheet = openpyxl.load_workbook(result).worksheets[0]
    assert sheet["J3"].value == "a word of mine"
    assert headers_of(sheet)["result_row"] == 13
    assert [str(each) for each in sheet.merged_cells.ranges] == ["J5:L5"]


def test_blank_cells_that_merely_have_a_format_make_room(terminal: Terminal):
    def change(sheet):
        for column in range(8, 30):
            sheet.cell(3, column).number_format = "0.00"

    sheet = openpyxl.load_workbook(
        annotated(terminal, by_openpyxl(terminal.folder / "book.xlsx", change=change))
    ).worksheets[0]
    assert headers_of(sheet)["result_row"] == 8
    assert sheet["I3"].value == "invalid"
    assert sheet["AA3"].number_format == "0.00"


def test_title_rows_above_the_header_stay_as_they_are(terminal: Terminal):
    def change(sheet):
        sheet.insert_rows(1, 3)
        sheet["A1"] = "Services of next year"
        sheet.merge_cells("A1:M1")

    result = annotated(terminal, by_openpyxl(terminal.folder / "book.xlsx", change=change), "--header-row", "4")
    sheet = openpyxl.load_workbook(result).worksheets[0]
    assert sheet["A1"].value == "Services of next year"
    assert headers_of(sheet, 4)["result_row"] == 8
    assert sheet.freeze_panes == "A5"
    assert sheet.auto_filter.ref == "A4:Q10"


def test_hidden_columns_at_the_end_do_not_hide_the_results(terminal: Terminal):
    book = in_sheet(
        by_openpyxl(terminal.folder / "book.xlsx"),
        "<sheetData>",
        '<cols><col min="1" max="3" width="20" customWidth="1"/><col min="8" max="16384" width="9" hidden="1"/></cols>'
        "<sheetData>",
    )
    sheet = openpyxl.load_workbook(annotated(terminal, book)).worksheets[0]
    assert [sheet.column_dimensions[letter].hidden for letter in ("H", "Q", "R")] == [False, False, True]


def test_the_sheet_that_was_named_is_the_one_that_is_annotated(terminal: Terminal):
    book = openpyxl.Workbook()
    book.create_sheet("It's mine").append(COLUMNS)
    book.worksheets[1].append(("A", "x", "Client Address", "tom@x.example", "Every Business Days", 5, ""))
    book.worksheets[0]["A1"] = "elsewhere"
    book.save(terminal.folder / "book.xlsx")
    result = openpyxl.load_workbook(annotated(terminal, terminal.folder / "book.xlsx", "--sheet", "It's mine"))
    assert headers_of(result["It's mine"])["result_row"] == 8
    assert result.worksheets[0]["A1"].value == "elsewhere"
    assert result.worksheets[0].max_column == 1


def test_a_chart_over_the_results_stays_and_a_note_says_so(terminal: Terminal):
    with xlsxwriter.Workbook(terminal.folder / "book.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, good("A"))
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Sheet1!$F$2:$F$2"})
        sheet.insert_chart("I2", chart)
    report = checked(terminal, "book.xlsx")
    assert report.is_copy
    assert "A chart or picture lies over the result columns" in report.ended.err
    assert len(report.sheet._charts) == 1
    by_xlsxwriter(terminal.folder / "other.xlsx")
    assert "A chart or picture" not in checked(terminal, "other.xlsx", into="other").ended.err


def test_the_copy_of_a_template_is_a_workbook(terminal: Terminal):
    book = by_openpyxl(terminal.folder / "book.xltx")
    kind = "spreadsheetml.template.main+xml"
    rewritten(book, {"[Content_Types].xml": lambda text: text.replace("spreadsheetml.sheet.main+xml", kind)})
    report = checked(terminal, "book.xltx")
    assert report.is_copy
    assert b"template" not in parts_of(report.path)["[Content_Types].xml"]


def test_memory_does_not_grow_with_the_number_of_rows(terminal: Terminal):
    def peak(rows: int) -> int:
        name = f"{rows}.xlsx"
        with xlsxwriter.Workbook(terminal.folder / name, {"constant_memory": True}) as book:
            sheet = book.add_worksheet("S")
            for number in range(rows + 1):
                sheet.write_row(number, 0, COLUMNS if number == 0 else good(f"S{number}"))
        path = terminal.folder / name
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        own = OwnWorkbook(path=path, sha256=digest, sheet="S", header_row=1, result_columns={})
        columns = tuple(Column(place, column_letter(place), text) for place, text in enumerate(COLUMNS))
        outcomes = (
            ReportRow((None,) * 7, (number + 2, "succeeded", "SUCCESS", "", "", "", "", "5", 1, 1))
            for number in range(rows)
        )
        tracemalloc.start()
        with opened(own) as annotation, (terminal.folder / "result.xlsx").open("wb") as stream:
            annotation.write(stream, columns, outcomes, SheetFacts())
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(8_000) < peak(2_000) + 400_000


EXCEL = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac xr"'
    ' xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac"'
    ' xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision"'
    ' xr:uid="{01234567-89AB-CDEF-0123-456789ABCDEF}">'
)
"""How Excel begins a sheet."""


def test_what_excel_alone_writes_stays(terminal: Terminal):
    """Prefixes that attributes speak of have to stay declared, or Excel calls the file damaged."""
    book = by_xlsxwriter(terminal.folder / "book.xlsx")
    in_sheet(book, "<worksheet[^>]*>", EXCEL)
    in_sheet(book, r'<row r="([0-9]+)"', r'<row r="\1" x14ac:dyDescent="0.25"')
    in_sheet(
        book,
        '<sheetView tabSelected="1" workbookViewId="0"/>',
        (
            '<sheetView tabSelected="1" zoomScale="85" topLeftCell="A3" workbookViewId="0">'
            '<selection activeCell="B5" sqref="B5:C7"/></sheetView>'
        ),
    )
    chain = (
        b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="F2" i="1"/></calcChain>'
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
    relation = f'<Relationship Id="rIdC" Type="{kind}" Target="calcChain.xml"/></Relationships>'
    rewritten(
        book,
        {
            "xl/calcChain.xml": chain,
            "xl/_rels/workbook.xml.rels": lambda text: text.replace("</Relationships>", relation),
        },
    )
    parts = parts_of(annotated(terminal, book))
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    assert EXCEL in sheet
    assert sheet.count('x14ac:dyDescent="0.25"') == 7
    assert "spans=" not in sheet
    assert 'zoomScale="85"' in sheet
    assert '<selection pane="bottomLeft" activeCell="B5" sqref="B5:C7"/>' in sheet
    assert parts["xl/calcChain.xml"] == chain
