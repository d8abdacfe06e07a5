"""The benchmark's spreadsheets: services to create, realistic and the same every time, each file written once.

Fifteen columns, about 240 bytes a row. One row in a hundred is wrong, by its name, duration, location or kind of
availability, unless `bad_one_in` is 0. The `Status` is `Not in Use`, so that no limit of active services is reached.
The number at the end of a name is the row's own: a server can tell by it whether a row came twice.

As in most spreadsheets, names, prices and moments differ from row to row, and other columns hold a few different cells.
Where a source is `varied`, hardly two cells are alike in any column that is free to differ.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import xlsxwriter

__all__ = ["COLUMNS", "MEMBERS", "TAXES", "Source", "rows_of"]

COLUMNS = (
    "Service_Name",
    "Duration",
    "Location",
    "Members",
    "Availability_Type",
    "Available_From",
    "Available_Till",
    "Available_Days",
    "Price",
    "Available_Timings",
    "Tax",
    "Status",
    "Unavailable_From",
    "Description",
    "Cost Centre",
)

MEMBERS = {
    "rahul.menon@brighthome.example": "5545974000000393002",
    "aisha.karim@brighthome.example": "5545974000000393003",
    "tom.weber@brighthome.example": "5545974000000393004",
    "mei.tanaka@brighthome.example": "5545974000000393005",
}
TAXES = {
    "5545974000000021001": "Sales Tax - 2.0 %",
    "5545974000000021003": "Vat - 0.8 %",
    "5545974000000021005": "Service Tax - 5.0 %",
}

_VERSION = 1
"""Part of the files' names: another content wants another number."""
_WHAT = ("Gutter Cleaning", "Heat Pump Check", "Chimney Sweep", "Solar Panel Washing", "Boiler Service", "Roof Check")
_WHERE = ("Client Address", "Business Address", "Business Address and Client Address")
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS = ("Mon; Wed", "Tue; Thu; Sat", "Mon; Tue; Wed; Thu; Fri", "Fri")
_HOURS = ("", "10:00-17:30", "09:00-13:00; 14:00-18:00", "09:30-12:30")
_ABOUT = (
    "Up to two floors, ladders are brought along.",
    "Yearly check with a written result, naïve “quotes”, commas and all.",
    "",
    "Before and after the monsoon; call before you come.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file: how it is written, how many rows it has, and how many of them are wrong (one in so many; 0: none).

    `varied` is the worst case for whatever is done once for equal cells.
    """

    form: str
    rows: int
    bad_one_in: int = 100
    varied: bool = False

    @property
    def bad(self) -> int:
        """How many rows are wrong."""
        return self.rows // self.bad_one_in if self.bad_one_in else 0

    @property
    def good(self) -> int:
        """How many rows the organisation takes."""
        return self.rows - self.bad

    @property
    def path(self) -> Path:
        """The file, written now if it is not there yet."""
        folder = Path(tempfile.gettempdir()) / f"bulkzcrm-bench-sources-{_VERSION}"
        folder.mkdir(exist_ok=True)
        kind = "varied" if self.varied else "services"
        path = folder / f"{kind}-{self.rows}-{self.bad_one_in}.{self.form}"
        if not path.exists():
            aside = folder / f"{path.name}.{os.getpid()}"
            _WRITERS[self.form](aside, rows_of(self.rows, self.bad_one_in, varied=self.varied))
            aside.replace(path)
        return path


def rows_of(rows: int, bad_one_in: int = 100, *, varied: bool = False) -> Iterator[list[str]]:
    """Yield the cells of each row."""
    dice = Random(20301)  # noqa: S311 - the same rows every time
    people, taxes = tuple(MEMBERS), tuple(TAXES)
    pick, whole = dice.choice, dice.randrange
    for number in range(rows):
        kind = number % 4
        cells = [
            f"{pick(_WHAT)} {number:07}",
            str(15 * (2 + number % 6)),
            _WHERE[number % 3],
            people[number % 4] if number % 3 else f"{people[number % 4]}; {people[(number + 1) % 4]}",
            "Every Business Days",
            "",
            "",
            "",
            f"{40 + whole(9000)}.{whole(100):02}",
            _HOURS[number // 4 % 4],
            taxes[number % 3] if number % 2 else "",
            "Not in Use",
            f"2024-{1 + number % 12:02}-{1 + number % 28:02}T09:{number % 60:02}:00+05:30",
            _ABOUT[number // 2 % 4],
            f"CC-{2000 + number % 40}",
        ]
        if kind == 1:
            cells[4:7] = ["Specific Date Range", f"2091-0{1 + number % 9}-15", f"2095-1{number % 3}-20"]
        elif kind == 2:
            cells[4], cells[7] = "Specific Day(s)", _DAYS[number // 4 % 4]
        if varied:
            _vary(cells, number, dice)
        if bad_one_in and number % bad_one_in == bad_one_in - 1:
            _spoil(cells, number // bad_one_in)
        yield cells


def _vary(cells: list[str], number: int, dice: Random) -> None:
    """Let each cell that is free to differ do so; which of them are blank stays."""
    whole = dice.randrange
    cells[1] = str(whole(15, 240))
    cells[3] = "; ".join(dice.sample(tuple(MEMBERS), whole(1, 5)))
    if cells[5]:
        cells[5] = (date(2091, 1, 1) + timedelta(days=whole(1400))).isoformat()
        cells[6] = (date(2095, 1, 1) + timedelta(days=whole(1400))).isoformat()
    if cells[7]:
        cells[7] = "; ".join(dice.sample(_WEEK, whole(1, 6)))
    if cells[9]:
        cells[9] = f"0{whole(7, 10)}:{whole(60):02}-{whole(15, 20)}:{whole(60):02}"
    cells[12] = (datetime(2024, 1, 1) + timedelta(seconds=whole(30_000_000))).isoformat() + "+05:30"  # noqa: DTZ001
    if cells[13]:
        cells[13] = f"Visit {number:07}: {whole(1, 9)} rooms, code {whole(10**6)}, “{cells[13]}”"
    cells[14] = f"CC-{number}"


def _spoil(cells: list[str], turn: int) -> None:
    match turn % 4:
        case 0:
            cells[0] = ""
        case 1:
            cells[1] = "soon"
        case 2:
            cells[2] = "On the moon"
        case _:
            cells[4] = "Sometimes"


def _write_csv(path: Path, rows: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _write_jsonl(path: Path, rows: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for cells in rows:
            stream.write(json.dumps(dict(zip(COLUMNS, cells, strict=True)), ensure_ascii=False) + "\n")


def _write_xlsx(path: Path, rows: Iterator[list[str]]) -> None:
    """Write what people keep: durations and prices are numbers, all else is text."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Services")
        for place, name in enumerate(COLUMNS):
            sheet.write_string(0, place, name)
        for line, cells in enumerate(rows, start=1):
            for place, text in enumerate(cells):
                if place in (1, 8) and text[:1].isdigit():
                    sheet.write_number(line, place, float(text))
                elif text:
                    sheet.write_string(line, place, text)


_WRITERS: dict[str, Callable[[Path, Iterator[list[str]]], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "xlsx": _write_xlsx,
}
