"""Mended in place and given back: just the mended rows are sent, and the workbook tells the newest of every row."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from desk_of_books import Report, checked, ran
from forwarder import Heard, Say
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.table import Table
from terminal import Ended, Served, Terminal
from workbooks import (
    MEMBER,
    RESULTS,
    SUMMARY,
    WRONG,
    WRONG_OVER,
    by_openpyxl,
    by_xlsxwriter,
    coloured,
    comments_of,
    good,
    headers_of,
    results_of,
)


def mended(report: Report, folder: Path, change: Callable[[Any], None], name: str = "mended.xlsx") -> str:
    """Do in the annotated workbook what a person does, and save it."""
    book = openpyxl.load_workbook(report.path)
    change(book.worksheets[0])
    book.save(folder / name)
    return name


def mend_some(sheet: Any) -> None:
    sheet["B3"] = 90
    sheet["C4"] = "Business Address"


def test_only_mended_rows_are_sent_and_the_others_keep_what_they_had(connected: Terminal, served: Served):
    by_openpyxl(connected.folder / "book.xlsx")
    words = ("run", "create-services", "book.xlsx", "--yes", "--format", "xlsx", "-o", "first")
    assert connected.type(*words).status == 1
    first = Report(connected.type("runs"), connected.folder / "first/results.xlsx")
    before = results_of(first.sheet)
    mended(first, connected.folder, mend_some)
    ending = connected.type(
        "run", "create-services", "mended.xlsx", "--yes", "--format", "xlsx", "-o", "second", "--json"
    )
    assert {name: ending.object[name] for name in ("rows", "succeeded", "invalid")} == {
        "rows": 4,
        "succeeded": 2,
        "invalid": 2,
    }
    assert sorted(served.created) == ["Dry", "Polish", "Wash", "Wax"]
    assert "2 rows are left out: 2 done already (succeeded or unchanged)" in ending.err
    sheet = openpyxl.load_workbook(connected.folder / "second/results.xlsx").worksheets[0]
    after = results_of(sheet)
    assert (after[2], after[7]) == (before[2], before[7])
    assert [after[row]["result_status"] for row in (3, 4, 5, 6)] == ["succeeded", "succeeded", "invalid", "invalid"]
    assert (connected.folder / "second/results.csv").read_text("utf-8-sig").count("\n") == 5


def test_results_are_put_in_place_of_the_old_ones_and_marks_of_mended_cells_are_taken_away(terminal: Terminal):
    by_xlsxwriter(terminal.folder / "book.xlsx")
    first = checked(terminal, "book.xlsx", into="first")

    def change(sheet):
        mend_some(sheet)
        sheet["F2"] = 50  # openpyxl forgets what formulas came to

    second = checked(terminal, mended(first, terminal.folder, change), into="second")
    assert second.is_copy, second.ended.err
    sheet = second.sheet
    assert len(headers_of(sheet)) == 7 + len(RESULTS)
    assert coloured(sheet) == {"F5": WRONG_OVER, "B6": WRONG, "E6": WRONG}
    ours = {at for at, (author, _) in comments_of(sheet).items() if author == "bulkzcrm"}
    assert ours == {"F5", "B6", "E6"}
    assert {"A2", "C4"} <= set(comments_of(sheet))
    assert openpyxl.load_workbook(second.path).sheetnames == ["Services & more", "Prices", SUMMARY]


def test_a_colour_that_a_cell_had_comes_back(terminal: Terminal):
    def change(sheet):
        sheet["B3"].fill = PatternFill("solid", fgColor="FF00FF00")

    by_openpyxl(terminal.folder / "book.xlsx", change=change)
    first = checked(terminal, "book.xlsx", into="first")
    assert coloured(first.sheet)["B3"] == WRONG_OVER
    again = checked(terminal, mended(first, terminal.folder, mend_some), into="second")
    assert again.sheet["B3"].fill.fgColor.rgb == "FF00FF00"
    assert again.sheet["C4"].fill.patternType is None


def test_styles_do_not_grow_from_one_report_to_the_next(terminal: Terminal):
    name = by_xlsxwriter(terminal.folder / "book.xlsx").name
    sizes = []
    for number in range(4):
        report = checked(terminal, name, into=f"report {number}")
        name = f"report {number}/results.xlsx"
        sizes.append(len(openpyxl.load_workbook(report.path)._cell_styles))
    assert sizes[1] == sizes[2] == sizes[3]


def test_a_comment_that_somebody_adds_to_ours_is_his(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx")

    def change(sheet):
        sheet["B3"].comment = Comment("I am asking Tom.", "Ada")

    first = checked(terminal, "book.xlsx", into="first")
    sheet = checked(terminal, mended(first, terminal.folder, change), into="second").sheet
    assert comments_of(sheet)["B3"] == ("Ada", "I am asking Tom.")
    assert coloured(sheet)["B3"] == WRONG


def test_columns_that_were_moved_or_deleted_are_filled_where_they_are(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx")

    def change(sheet):
        places = headers_of(sheet)
        sheet.delete_cols(places["result_fix"])
        sheet.insert_cols(1)
        for row in range(1, 8):
            sheet.cell(row, 1).value = sheet.cell(row, places["result_status"] + 1).value
        sheet.delete_cols(places["result_status"] + 1)

    first = checked(terminal, "book.xlsx", into="first")
    sheet = checked(terminal, mended(first, terminal.folder, change), into="second").sheet
    places = headers_of(sheet)
    assert places["result_status"] == 1
    assert places["result_fix"] == max(places.values())
    assert results_of(sheet)[3]["result_status"] == "invalid"
    assert results_of(sheet)[3]["result_cell"] == "C3"


def test_rows_that_were_sorted_are_told_by_what_they_hold(connected: Terminal, served: Served):
    by_openpyxl(connected.folder / "book.xlsx", rows=[good("A"), good("B", Duration=5000), good("C")])
    words = ("--yes", "--format", "xlsx")
    connected.type("run", "create-services", "book.xlsx", "-o", "first", *words)

    def change(sheet):
        rows = [[cell.value for cell in row] for row in sheet["A2:Q4"]]
        rows[1][1] = 60
        for number, row in enumerate(reversed(rows), start=2):
            for column, value in enumerate(row, start=1):
                sheet.cell(number, column).value = value

    mended(Report(connected.type("runs"), connected.folder / "first/results.xlsx"), connected.folder, change)
    connected.type("run", "create-services", "mended.xlsx", "-o", "second", *words)
    assert served.created == ["A", "C", "B"]


def test_a_row_whose_status_is_cleared_is_taken_again(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A"), good("B")])
    first = ran(terminal, "book.xlsx", into="first")

    def change(sheet):
        sheet.cell(2, headers_of(sheet)["result_status"]).value = None

    second = ran(terminal, mended(first, terminal.folder, change), into="second")
    assert second.ended.out.splitlines()[0].endswith("1 row: 1 succeeded")


def test_a_row_whose_own_cells_are_cleared_is_no_row(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A"), good("B", Duration=5000)])
    first = ran(terminal, "book.xlsx", into="first")

    def change(sheet):
        for column in range(1, 8):
            sheet.cell(3, column).value = None

    second = ran(terminal, mended(first, terminal.folder, change), into="second")
    assert "0 rows" in second.ended.out
    assert "has a header and no rows" not in second.ended.err


def test_the_summary_is_never_the_sheet_that_is_read(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A", Duration=5000)])
    first = checked(terminal, "book.xlsx", into="first")
    book = openpyxl.load_workbook(first.path)
    book.move_sheet(SUMMARY, -1)
    book.active = 0
    book.save(terminal.folder / "moved.xlsx")
    ending = terminal.type("check", "create-services", "moved.xlsx")
    assert "check finished: 1 row: 1 invalid" in ending.out
    assert "several sheets" not in ending.err


def test_formulas_in_the_result_columns_are_not_overwritten(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A", Duration=5000)])
    first = checked(terminal, "book.xlsx", into="first")

    def change(sheet):
        sheet["N2"] = '=IF(A2="","",A2)'

    second = checked(terminal, mended(first, terminal.folder, change), into="second")
    assert "no copy of mended.xlsx. There are formulas in the result columns of row 2." in second.ended.err


def test_a_plain_report_is_given_back_and_annotated_like_any_workbook(terminal: Terminal):
    header = "Service_Name,Duration,Location,Members,Availability_Type,Price\n"
    row = f"A,5000,Client Address,{MEMBER},Every Business Days,5\n"
    terminal.write("book.csv", header + row + row.replace("A,5000", "B,60"))
    first = ran(terminal, "book.csv", into="first")

    def change(sheet):
        sheet["B2"] = 60

    second = ran(terminal, mended(first, terminal.folder, change), into="second")
    assert second.is_copy, second.ended.err
    assert {line: told["result_status"] for line, told in results_of(second.sheet).items()} == {
        2: "succeeded",
        3: "succeeded",
    }
    assert coloured(second.sheet) == {}
    assert comments_of(second.sheet) == {}
    assert openpyxl.load_workbook(second.path).sheetnames == ["results", SUMMARY]
    unmended = ran(terminal, "first/results.xlsx", into="third")
    assert unmended.is_copy
    assert coloured(unmended.sheet) == {"B2": WRONG}


def test_a_workbook_that_is_mended_and_given_back_bit_by_bit_makes_nothing_twice(connected: Terminal, served: Served):
    by_openpyxl(connected.folder / "book.xlsx", rows=[good("A"), good("B", Price=None), good("C", Price=None)])
    words = ("--yes", "--format", "xlsx")
    connected.type("run", "create-services", "book.xlsx", "-o", "first", *words)
    path = connected.folder / "first/results.xlsx"

    def save(cell: str) -> None:
        book = openpyxl.load_workbook(path)
        book.worksheets[0][cell] = 9
        book.save(path)

    save("F3")
    second = connected.type("run", "create-services", "first/results.xlsx", "-o", "second", "--json", *words)
    assert served.created == ["A", "B"]
    save("F4")
    third = connected.type("run", "create-services", "first/results.xlsx", "-o", "third", *words)
    assert (third.status, served.created) == (2, ["A", "B"])
    assert f"1 row of first/results.xlsx, first row 3, was given back before, to the run {second.object['run']}" in (
        third.why
    )
    assert f"bulkzcrm report {second.object['run']}" in third.why
    assert "--again" in third.why
    book = openpyxl.load_workbook(connected.folder / "second/results.xlsx")
    book.worksheets[0]["F4"] = 9
    book.save(connected.folder / "second/results.xlsx")
    assert connected.type("run", "create-services", "second/results.xlsx", "-o", "fourth", *words).status == 0
    assert served.created == ["A", "B", "C"]


def test_of_reports_that_come_from_each_other_none_gives_a_row_twice(connected: Terminal, served: Served):
    """Whichever of them is mended, and however differently, once more."""
    header = "Service_Name,Duration,Location,Members,Availability_Type,Price\n"
    row = f"A,60,Client Address,{MEMBER},Every Business Days,5\n"
    connected.write("rows.csv", header + row + row.replace("A,60", "B,5") + row.replace("A,60", "C,5"))

    def run(source: str, into: str) -> Ended:
        return connected.type("run", "create-services", source, "-o", into, "--yes")

    def mend(source: str, name: str, minutes: int) -> None:
        path = connected.folder / source
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(re.sub(rf"(?m)^{name},\d+", f"{name},{minutes}", text), encoding="utf-8")

    run("rows.csv", "first")
    run("first/failed.csv", "second")
    mend("second/failed.csv", "B", 30)
    assert run("second/failed.csv", "third").status == 1
    assert served.created == ["A", "B"]
    mend("first/failed.csv", "B", 45)
    again = run("first/failed.csv", "fourth")
    assert (again.status, served.created) == (2, ["A", "B"])
    assert "1 row of first/failed.csv" in again.why
    path = connected.folder / "first/failed.csv"
    path.write_text(re.sub(r"(?m)^B,.*\n", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    mend("first/failed.csv", "C", 45)
    assert run("first/failed.csv", "fifth").status == 0
    mend("third/failed.csv", "C", 30)
    assert (run("third/failed.csv", "sixth").status, served.created) == (2, ["A", "B", "C"])


def test_a_folder_that_is_used_again_does_not_make_two_sources_one(connected: Terminal, served: Served):
    header = "Service_Name,Duration,Location,Members,Availability_Type,Price\n"
    row = f"A,60,Client Address,{MEMBER},Every Business Days,5\n"
    connected.write("jan.csv", header + row + row.replace("A,60", "B,5"))
    connected.write("feb.csv", header + row.replace("A,", "X,") + row.replace("A,60", "B,5").replace(",5\n", ",7\n"))

    def run(source: str, into: str, *more: str) -> int:
        return connected.type("run", "create-services", source, "-o", into, "--yes", *more).status

    def mend(source: str) -> None:
        path = connected.folder / source
        path.write_text(path.read_text(encoding="utf-8-sig").replace("B,5,", "B,30,"), encoding="utf-8")

    run("jan.csv", "out")
    mend("out/failed.csv")
    assert run("out/failed.csv", "fixed") == 0
    for name in ("out", "fixed"):
        (connected.folder / name).rename(connected.folder / f"january {name}")
    run("feb.csv", "fixed")
    mend("fixed/failed.csv")
    assert run("fixed/failed.csv", "february fixed") == 0
    assert served.created == ["A", "B", "X", "B"]


def test_another_spelling_of_a_folder_is_the_same_folder(connected: Terminal, served: Served):
    header = "Service_Name,Duration,Location,Members,Availability_Type,Price\n"
    row = f"A,60,Client Address,{MEMBER},Every Business Days,5\n"
    connected.write("rows.csv", header + row + row.replace("A,60", "B,5"))
    connected.type("run", "create-services", "rows.csv", "-o", "first", "--yes")
    connected.type("run", "create-services", "first/failed.csv", "-o", "second", "--yes")
    (connected.folder / "link").symlink_to(connected.folder / "second", target_is_directory=True)
    for source, minutes in (("link/failed.csv", 30), ("first/failed.csv", 45)):
        path = connected.folder / source
        path.write_text(path.read_text(encoding="utf-8-sig").replace("B,5,", f"B,{minutes},"), encoding="utf-8")
    assert connected.type("run", "create-services", "link/failed.csv", "-o", "third", "--yes").status == 0
    assert connected.type("run", "create-services", "first/failed.csv", "-o", "fourth", "--yes").status == 2
    assert served.created == ["A", "B"]


def test_a_workbook_that_was_given_back_to_a_run_that_stopped_is_left_to_it(connected: Terminal, served: Served):
    by_openpyxl(connected.folder / "book.xlsx", rows=[good("A", Price=None), good("B", Price=None)])
    words = ("--yes", "--format", "xlsx")
    connected.type("run", "create-services", "book.xlsx", "-o", "first", *words)
    path = connected.folder / "first/results.xlsx"

    def save(cell: str) -> None:
        book = openpyxl.load_workbook(path)
        book.worksheets[0][cell] = 9
        book.save(path)

    save("F2")
    refusal = {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}

    async def refuse(heard: Heard) -> Say | None:
        return Say(403, refusal) if heard.is_write else None

    served.wire.interfere = refuse
    stopped = connected.type("run", "create-services", "first/results.xlsx", "-o", "second", *words)
    assert stopped.status == 3
    served.wire.script()
    save("F3")
    third = connected.type("run", "create-services", "first/results.xlsx", "-o", "third", *words)
    assert (third.status, served.created) == (2, [])
    assert stopped.last.removeprefix("bulkzcrm: ") in third.why


def test_what_somebody_has_put_on_the_summary_is_gone_with_it(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A"), good("B", Duration=5000)])
    first = checked(terminal, "book.xlsx", into="first")
    book = openpyxl.load_workbook(first.path)
    book[SUMMARY]["A1"].comment = Comment("look here", "somebody")
    book[SUMMARY].add_table(Table(displayName="Mine", ref="G1:H2"))
    book[SUMMARY]["G1"], book[SUMMARY]["H1"] = "a", "b"
    book.save(terminal.folder / "mended.xlsx")
    second = checked(terminal, "mended.xlsx", into="second")
    assert second.is_copy, second.ended.err
    assert comments_of(openpyxl.load_workbook(second.path)[SUMMARY]) == {}
