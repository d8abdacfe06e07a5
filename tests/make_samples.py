"""Writes the workbooks of `samples/`: `python -m tests.make_samples`. A test tells when they are out of date.

Those that have a CSV file of the same name hold its rows, typed as a spreadsheet program would type them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeAlias

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

Cell: TypeAlias = str | int | float | date | time | None

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
_MADE_ON = datetime(2026, 1, 5, 9, 0)  # noqa: DTZ001 - what a workbook says of itself has no offset
_FORMATS = {date: "dd/mm/yyyy", datetime: "dd/mm/yyyy hh:mm", time: "hh:mm", float: "#,##0.00"}


def services() -> Workbook:
    """The rows of services.csv with real dates, times and numbers."""
    header, *rows = _csv_rows("services.csv")
    return _workbook("Services", header, [_typed(header, row) for row in rows])


def services_with_mistakes() -> Workbook:
    """What only a workbook can get wrong, among rows that are right."""
    header = [*_csv_rows("services-with-mistakes.csv")[0]]
    plain: dict[str, Cell] = {
        "Duration": 60,
        "Location": "Client Address",
        "Members": "Tom Weber",
        "Availability Type": "Every Business Days",
        "Price": 850,
        "Job Sheet Required": "No",
    }
    mistakes: Sequence[dict[str, Cell]] = (
        {"Service Name": "Awning Repair", "Description": "This row is as it should be."},
        {
            "Service Name": "Hedge Cutting",
            "Members": 5545974000000393000,
            "Description": "A spreadsheet program has rounded the id: it kept 15 digits.",
        },
        {"Service Name": "Roof Garden", "Price": "#N/A", "Description": "A look-up in the price list found nothing."},
        {"Service Name": "Lawn Care", "Price": "=F2*2", "Description": "The formula's result was never saved."},
        {"Service Name": "Pond Care", "Duration": 37.5, "Description": "Half a minute too much."},
        {
            "Service Name": "Leaf Clearing",
            "Availability Type": "Specific Date Range",
            "Available From": date(2099, 9, 30),
            "Available Till": date(2099, 9, 15),
            "Description": "The range ends before it begins.",
        },
        {
            "Service Name": "Tree Check",
            "Status": "Not in Use",
            "Unavailable From": datetime(2099, 3, 25, 10, 0),  # noqa: DTZ001 - cells have no offset
            "Description": "Unavailable from a day to come.",
        },
        {"Service Name": "Well Check", "Price": "eight hundred", "Description": "Words where an amount should be."},
    )
    filled: list[dict[str, Cell]] = [
        {**plain, "Cost Centre": f"CC-22{number:02}", **row} for number, row in enumerate(mistakes, start=1)
    ]
    book = _workbook("Services", header, [[row.get(name) for name in header] for row in filled])
    notes = book.create_sheet("Notes")
    notes.append(["This sheet is not read: the first visible one is, unless --sheet names another."])
    return book


def update_services_with_mistakes() -> Workbook:
    """Ids as text, where they are whole, and as numbers, where they are lost."""
    header = ["Record Id", "Service Name", "Price", "Reason"]
    return _workbook(
        "Prices",
        header,
        [
            ["5545974000002183001", None, 245, "This row is as it should be."],
            [5545974000002183000, None, 130, "The id is stored as a number, and has lost its last digits."],
            [None, "#REF!", 90, "The name came from a sheet that was deleted."],
            ["5545974000002183010", None, "=C2*1.1", "The formula's result was never saved."],
        ],
    )


WORKBOOKS: dict[str, Callable[[], Workbook]] = {
    "services.xlsx": services,
    "services-with-mistakes.xlsx": services_with_mistakes,
    "update-services-with-mistakes.xlsx": update_services_with_mistakes,
}


def _csv_rows(name: str) -> list[list[str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _typed(header: Sequence[str], row: Sequence[str]) -> list[Cell]:
    return [_cell(name, text) for name, text in zip(header, row, strict=True)]


def _cell(name: str, text: str) -> Cell:
    if not text:
        return None
    if name in ("Available From", "Available Till"):
        return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - cells have no offset
    if name in ("Unavailable From", "Unavailable Till"):
        return datetime.strptime(text, "%d/%m/%Y %H:%M")  # noqa: DTZ007 - the same
    if name == "Price":
        amount = float(re.sub(r"[^0-9.]", "", text))
        return int(amount) if amount.is_integer() else amount
    if name == "Duration" and text.isdigit():
        return int(text)
    if name == "Duration" and re.fullmatch(r"\d:\d\d", text):
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - the same
    return text


def _workbook(title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Workbook:
    book = Workbook()
    book.properties.created = book.properties.modified = _MADE_ON
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    for row in (header, *rows):
        sheet.append(list(row))
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            cell.number_format = _FORMATS.get(type(cell.value), "@" if isinstance(cell.value, str) else "General")
    sheet.freeze_panes = "A2"
    return book


if __name__ == "__main__":
    for file_name, make in WORKBOOKS.items():
        make().save(SAMPLES / file_name)
