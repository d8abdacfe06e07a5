"""Corrections that somebody makes in the workbook of a report are never overwritten, whatever is reported again."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from forwarder import Say
from terminal import Ended, Served, Terminal

REFUSED = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})


def source(terminal: Terminal, name: str = "a.xlsx") -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Service Name", "Duration", "Location", "Members", "Availability Type", "Price"])
    for service, minutes in (("A", 60), ("B", 5)):
        sheet.append(
            [service, minutes, "Client Address", "patricia.boyle@brighthome.example", "Every Business Days", 5]
        )
    book.save(terminal.folder / name)
    return name


def stopped(terminal: Terminal, served: Served, name: str) -> Ended:
    terminal.environ = served.environ
    served.wire.script(REFUSED)
    ending = terminal.type("run", "create-services", name, "--yes", "--output", "out", "--format", "xlsx", "--json")
    assert ending.status == 3, ending.err
    return ending


def corrected(path: Path) -> bytes:
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["B3"] = 75
    book.save(path)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["workbook", "csv"])
def test_what_nobody_has_changed_is_replaced(terminal: Terminal, served: Served, form: str):
    name = source(terminal)
    if form == "csv":
        rows = openpyxl.load_workbook(terminal.folder / name).active
        assert rows is not None
        text = "".join(",".join(map(str, row)) + "\n" for row in rows.iter_rows(values_only=True))
        name = terminal.write("a.csv", text)
    run = stopped(terminal, served, name).object["run"]
    assert terminal.type("report", run).status == 0
    assert terminal.type("resume", "--yes").status == 1
    assert [path.name for path in (terminal.folder / "out").glob("results*.xlsx")] == ["results.xlsx"]


@pytest.mark.parametrize("again", [("report",), ("resume", "--yes")], ids=["report", "resume"])
def test_corrections_stay_and_the_new_workbook_stands_beside_them(
    terminal: Terminal, served: Served, again: tuple[str, ...]
):
    run = stopped(terminal, served, source(terminal)).object["run"]
    out = terminal.folder / "out"
    mended = corrected(out / "results.xlsx")
    ending = terminal.type(again[0], run, *again[1:], "--json")
    assert ending.status in (0, 1), ending.err
    assert (out / "results.xlsx").read_bytes() == mended
    assert ending.object["files"]["results_xlsx"] == str(out / "results (2).xlsx")
    assert "results (2).xlsx" in ending.err
    # The new one is the run's own again.
    assert terminal.type("report", run).status == 0
    assert sorted(path.name for path in out.glob("results*.xlsx")) == ["results (2).xlsx", "results.xlsx"]


def test_the_new_workbook_names_itself_in_its_command(terminal: Terminal, served: Served):
    run = stopped(terminal, served, source(terminal)).object["run"]
    out = terminal.folder / "out"
    corrected(out / "results.xlsx")
    assert terminal.type("resume", run, "--yes").status == 1
    told = [
        str(cell.value)
        for row in openpyxl.load_workbook(out / "results (2).xlsx")["bulkzcrm summary"].iter_rows()
        for cell in row
        if cell.value
    ]
    assert any("results (2).xlsx" in text for text in told)


def test_the_corrections_can_be_given_back_all_the_same(terminal: Terminal, served: Served):
    run = stopped(terminal, served, source(terminal)).object["run"]
    out = terminal.folder / "out"
    assert terminal.type("resume", run, "--yes").status == 1
    corrected(out / "results.xlsx")
    ending = terminal.type("run", "create-services", str(out / "results.xlsx"), "--yes", "--json")
    assert (ending.status, ending.object["rows"], served.created) == (0, 1, ["A", "B"])
