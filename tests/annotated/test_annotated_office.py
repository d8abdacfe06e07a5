"""Another program opens what we write, saves it, and it can still be given back. Needs LibreOffice: `-m office`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from desk_of_books import Report, checked, ran
from terminal import Terminal
from workbooks import (
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

SOFFICE = shutil.which("soffice")
pytestmark = [
    pytest.mark.office,
    pytest.mark.timeout(300),
    # openpyxl says what it leaves out.
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def saved_by_libreoffice(path: Path, into: Path, kind: str = "xlsx") -> Path:
    """Have a workbook opened and saved again, by a LibreOffice with a profile of its own."""
    assert SOFFICE, "LibreOffice is not installed"
    profile = f"-env:UserInstallation={(into / 'profile').as_uri()}"
    words = [SOFFICE, profile, "--headless", "--convert-to", kind, "--outdir", str(into), str(path)]
    subprocess.run(words, check=True, capture_output=True, timeout=240)  # noqa: S603 - a program of the machine
    return into / f"{path.stem}.{kind}"


def saved(report: Report, terminal: Terminal, name: str) -> Path:
    into = terminal.folder / name
    into.mkdir()
    return saved_by_libreoffice(report.path, into)


def test_it_opens_and_shows_all_that_it_shall(terminal: Terminal):
    by_xlsxwriter(terminal.folder / "book.xlsx", table=True)
    first = checked(terminal, "book.xlsx", into="first")
    book = openpyxl.load_workbook(saved(first, terminal, "office"))
    assert book.sheetnames == ["Services & more", "Prices", SUMMARY]
    sheet = book.worksheets[0]
    assert coloured(sheet) == {"B3": WRONG, "C4": WRONG, "F5": WRONG_OVER, "B6": WRONG, "E6": WRONG}
    assert set(comments_of(sheet)) == {"A2", "B3", "C4", "F5", "B6", "E6"}
    assert len(sheet._charts) == 1
    assert list(headers_of(sheet))[-10:] == list(RESULTS)
    assert sheet["F2"].value == "=Prices!A1*2"


def test_saved_there_and_given_back_just_the_rows_are_sent_that_are_not_done(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A"), good("B", Duration=5000), good("C", Price=None)])
    first = ran(terminal, "book.xlsx", into="first")
    path = saved(first, terminal, "office")
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["B3"] = 90
    book.save(path)
    second = ran(terminal, "office/results.xlsx", into="second")
    assert second.is_copy, second.ended.err
    assert second.ended.out.splitlines()[0].endswith("2 rows: 1 succeeded, 1 invalid")
    sheet = second.sheet
    assert coloured(sheet) == {"F4": WRONG}
    assert set(comments_of(sheet)) == {"F4"}
    third = ran(terminal, str(saved(second, terminal, "office again")), into="third")
    assert {row: told["result_status"] for row, told in results_of(third.sheet).items()} == {
        2: "succeeded",
        3: "succeeded",
        4: "invalid",
    }


def test_a_plain_report_opens_as_well(terminal: Terminal):
    header = "Service_Name,Duration,Location,Members,Availability_Type,Price\n"
    terminal.write("book.csv", header + "A,5000,Client Address,tom.weber@brighthome.example,Every Business Days,5\n")
    book = openpyxl.load_workbook(saved(checked(terminal, "book.csv", into="first"), terminal, "office"))
    assert coloured(book.worksheets[0]) == {"B2": WRONG}
    assert set(comments_of(book.worksheets[0])) == {"B2"}
    assert book.sheetnames == ["results", SUMMARY]


def test_a_macro_workbook_and_one_without_its_program_s_habits_open(terminal: Terminal):
    by_xlsxwriter(terminal.folder / "book.xlsm", macros=True)
    first = checked(terminal, "book.xlsm", into="first", suffix="xlsm")
    assert headers_of(openpyxl.load_workbook(saved(first, terminal, "office")).worksheets[0])["result_row"] == 8
