"""Cells to mend are seen at once: coloured, and with a comment that says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from desk_of_books import checked, ran
from forwarder import Say
from openpyxl.styles import Alignment, Font, PatternFill
from package_rules import look_over
from report_pages import paged
from terminal import Served, Terminal
from workbooks import (
    COLUMNS,
    MEMBER,
    SUMMARY,
    WRONG,
    WRONG_OVER,
    by_openpyxl,
    by_xlsxwriter,
    coloured,
    comments_of,
    good,
    headers_of,
    in_sheet,
    parts_of,
    results_of,
)

from bulkzcrm.model import Column, Outcome, Problem, Status
from bulkzcrm.report import ReportRow, report_row
from bulkzcrm.report.xlsx_report import write_xlsx
from bulkzcrm.report.xlsx_summary import SheetFacts


def test_each_cell_to_mend_is_coloured_and_nothing_else(terminal: Terminal):
    by_xlsxwriter(terminal.folder / "book.xlsx")
    assert coloured(checked(terminal, "book.xlsx").sheet) == {
        "B3": WRONG,
        "C4": WRONG,
        "F5": WRONG_OVER,
        "B6": WRONG,
        "E6": WRONG,
    }


def test_a_coloured_cell_has_all_else_that_it_had(terminal: Terminal):
    def change(sheet):
        sheet["B3"].font = Font(italic=True, color="FF00AA00")
        sheet["B3"].number_format = "0.0"
        sheet["B3"].alignment = Alignment(horizontal="center")
        sheet["C4"].fill = PatternFill("lightGrid", fgColor="FF0000FF")

    by_openpyxl(terminal.folder / "book.xlsx", change=change)
    cell = checked(terminal, "book.xlsx").sheet["B3"]
    assert (cell.font.i, cell.font.color.rgb, cell.number_format) == (True, "FF00AA00", "0.0")
    assert (cell.alignment.horizontal, cell.value) == ("center", 5000)


def test_a_comment_tells_code_problem_and_remedy(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx")
    author, text = comments_of(checked(terminal, "book.xlsx").sheet)["B3"]
    title, problem, remedy = text.split("\n")
    assert (author, title) == ("bulkzcrm", "bulkzcrm: INVALID_DATA")
    assert problem.startswith("Duration is 5000")
    assert remedy.startswith("Give a whole number")


def test_a_blank_cell_that_the_row_does_not_have_is_made_and_looks_as_its_column_did(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("Empty", Price=None)])
    assert b'"F2"' not in parts_of(terminal.folder / "book.xlsx")["xl/worksheets/sheet1.xml"]
    sheet = checked(terminal, "book.xlsx").sheet
    assert coloured(sheet) == {"F2": WRONG}
    assert sheet["F2"].value is None


def test_a_row_or_column_with_a_colour_lends_it_to_its_blank_cells(terminal: Terminal):
    def change(sheet):
        sheet["J1"].fill = PatternFill("solid", fgColor="FF00FF00")

    path = by_openpyxl(terminal.folder / "book.xlsx", rows=[good("E", Price=None)] * 1, change=change)
    text = parts_of(path)["xl/worksheets/sheet1.xml"].decode()
    assert 'r="J1" s="1"' in text
    in_sheet(path, '<row r="2"', '<row r="2" s="1" customFormat="1"')
    sheet = checked(terminal, "book.xlsx").sheet
    assert coloured(sheet) == {"F2": WRONG_OVER}
    assert sheet["F2"].fill.bgColor.rgb == "FF00FF00"


def test_the_status_of_a_row_to_mend_is_coloured_as_well(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx")
    sheet = checked(terminal, "book.xlsx").sheet
    column = headers_of(sheet)["result_status"]
    fills = {row: sheet.cell(row, column).fill.fgColor.rgb for row in range(2, 8)}
    assert [row for row, colour in fills.items() if colour == WRONG] == [3, 4, 5, 6]


def test_of_merged_cells_the_first_is_marked_where_the_row_has_it(terminal: Terminal):
    def change(sheet):
        sheet.merge_cells("E2:F2")
        sheet.merge_cells("C3:C4")

    rows = [good("A", Price=None), good("B"), good("C", Location=None)]
    by_openpyxl(terminal.folder / "book.xlsx", rows=rows, change=change)
    sheet = checked(terminal, "book.xlsx").sheet
    assert set(comments_of(sheet)) == {"E2"}
    assert sheet["E2"].fill.fgColor.rgb == WRONG
    assert results_of(sheet)[4]["result_cell"] == "C4"


def test_beyond_two_thousand_comments_cells_are_coloured_alone_and_a_note_says_so(terminal: Terminal):
    rows = [good(f"S{number}", Duration=number + 2000) for number in range(2_100)]
    by_openpyxl(terminal.folder / "book.xlsx", rows=rows)
    report = checked(terminal, "book.xlsx")
    assert (
        "The first 2,000 cells to mend have comments in the workbook; 100 more cells are coloured" in report.ended.err
    )
    sheet = report.sheet
    assert len(comments_of(sheet)) == 2_000
    assert len(coloured(sheet)) == 2_100


@pytest.mark.parametrize("source", ["book.csv", "book.jsonl"])
def test_a_report_of_another_source_has_the_same_marks_and_a_summary(terminal: Terminal, source: str):
    if source == "book.csv":
        text = ",".join(COLUMNS) + f"\nA,x,Client Address,{MEMBER},Every Business Days,5,\n"
    else:
        text = f'{{"Service_Name":"A","Duration":"x","Location":"Client Address","Members":"{MEMBER}",'
        text += '"Availability_Type":"Every Business Days","Price":"5"}\n'
    terminal.write(source, text)
    report = checked(terminal, source)
    sheet = report.sheet
    assert coloured(sheet) == {"B2": WRONG}
    assert comments_of(sheet)["B2"][0] == "bulkzcrm"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).coordinate[:-1]}2"
    assert [each.title for each in openpyxl.load_workbook(report.path)] == ["results", SUMMARY]
    assert "is a table of its own" not in report.ended.err


def test_the_summary_counts_outcomes_groups_causes_and_says_what_to_do(terminal: Terminal):
    rows = [good("A"), good("B", Duration=5000), good("C", Duration=6000), good("D", Price=None)]
    by_openpyxl(terminal.folder / "book.xlsx", rows=rows)
    report = ran(terminal, "book.xlsx")
    sheet = openpyxl.load_workbook(report.path)[SUMMARY]
    lines = [[value for value in line if value is not None] for line in sheet.iter_rows(values_only=True)]
    assert ["succeeded", 1, "The API said so, for this row."] in lines
    assert ["all", 4] in lines
    cause = next(line for line in lines if line[:1] == ["INVALID_DATA\nDuration"])
    assert cause[1] == 2
    assert "must lie between 15 and 1440" in cause[2]
    assert cause[4] == "B3 (rows 3, 4)"
    (link,) = [cell.hyperlink for (cell,) in sheet["E1:E40"] if cell.hyperlink and cell.value == cause[4]]
    assert link.location == "'Services'!B3"
    assert lines[-1] == [f"bulkzcrm run create-services '{report.path}' --sandbox --format xlsx"]


def test_a_summary_of_nothing_wrong_says_so(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A")])
    sheet = openpyxl.load_workbook(ran(terminal, "book.xlsx").path)[SUMMARY]
    assert sheet.cell(sheet.max_row, 1).value == "Nothing is left to do."


def test_a_name_that_looks_like_a_formula_breaks_nothing(terminal: Terminal):
    def change(sheet):
        sheet.title = "=1+1 & <more> 'x'"

    by_openpyxl(terminal.folder / "book.xlsx", change=change)
    report = checked(terminal, "book.xlsx")
    assert report.sheet.title == "=1+1 & <more> 'x'"
    assert report.sheet.auto_filter.ref == "A1:Q7"


def test_rows_that_are_not_settled_are_in_another_colour_and_say_that_resume_settles_them(
    connected: Terminal, served: Served
):
    refused = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})
    served.wire.script(refused)
    by_openpyxl(connected.folder / "book.xlsx", rows=[good("A"), good("B", Duration=5000)])
    ending = connected.type("run", "create-services", "book.xlsx", "--yes", "--format", "xlsx", "-o", "out")
    assert ending.status == 3
    look_over(connected.folder / "out/results.xlsx")
    book = openpyxl.load_workbook(connected.folder / "out/results.xlsx")
    sheet = book.worksheets[0]
    status = sheet.cell(2, headers_of(sheet)["result_status"])
    assert (status.value, status.fill.fgColor.rgb) == ("unsent", "FFFFEB9D")
    assert coloured(sheet) == {"B3": WRONG}
    told = [cell.value for row in book[SUMMARY].iter_rows() for cell in row if cell.value]
    assert any(str(text).startswith("bulkzcrm resume ") for text in told)


def test_a_report_on_several_sheets_has_the_marks_on_each(tmp_path: Path):
    columns = (Column(0, "A", "Name"), Column(1, "B", "Duration"))

    def row(number: int) -> ReportRow:
        problem = Problem(code="X", field="Duration", message="No.", remedy="Yes.", cell=f"B{number + 5}")
        outcome = Outcome(status=Status.INVALID, problems=(problem,))
        return report_row(number=number + 5, cells=("a", None), outcome=outcome)

    path = tmp_path / "a.xlsx"
    with path.open("wb") as stream:
        write_xlsx(stream, columns, paged(map(row, range(5))), rows_per_sheet=2, facts=SheetFacts())
    look_over(path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["results", "results 2", "results 3", SUMMARY]
    assert [set(comments_of(sheet)) for sheet in book.worksheets] == [{"B2", "B3"}, {"B2", "B3"}, {"B2"}, set()]


def test_a_number_and_a_text_that_looks_like_a_formula_are_coloured_as_they_are(tmp_path: Path):
    problem = Problem(code="X", field="Duration", message="No.", remedy="Yes.", cell="A2")
    outcome = Outcome(status=Status.INVALID, problems=(problem, replace(problem, cell="B2")))
    columns = (Column(0, "A", "Duration"), Column(1, "B", "Name"))
    path = tmp_path / "a.xlsx"
    with path.open("wb") as stream:
        write_xlsx(stream, columns, paged([report_row(number=2, cells=(5000, "=1+1"), outcome=outcome)]))
    look_over(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert (sheet["A2"].value, sheet["B2"].value, sheet["B2"].data_type) == (5000, "=1+1", "s")
    assert sheet["B2"].quotePrefix
    assert coloured(sheet) == {"A2": WRONG, "B2": WRONG}
