"""Workbooks as libraries write them, and as people fill them: tables lower and further right, texts for numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import xlsxwriter
from awkward_case import NAMES, STATUS_NAMES, Awkward, service

from bulkzcrm.library import RunOptions

DAY = dt.date(2091, 2, 3)
LATER = dt.date(2091, 2, 28)
RANGED = [*NAMES, "Available From", "Available Till"]


def by_xlsxwriter(fill: Callable[..., None], **options: object) -> Callable[[Path], object]:
    """What writes a workbook that `fill(book, sheet)` fills."""

    def write(path: Path) -> None:
        book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd", **options})
        fill(book, book.add_worksheet("One"))
        book.close()

    return write


def by_openpyxl(fill: Callable[..., None]) -> Callable[[Path], object]:
    """The like with openpyxl."""

    def write(path: Path) -> None:
        book = openpyxl.Workbook()
        fill(book, book.active)
        book.save(path)

    return write


def rows_by_openpyxl(*rows: list[object], names: list[str] = NAMES) -> Callable[[Path], object]:
    """What writes these rows below the header."""
    return by_openpyxl(lambda _, one: [one.append(row) for row in (names, *rows)])


def ranged(name: str, first: object, last: object) -> list[object]:
    """A service of a range of dates."""
    cells = service(name)
    cells[4] = "Specific Date Range"
    return [*cells, first, last]


def _lower(_book, one) -> None:
    one.write_row(3, 2, NAMES)
    one.write_row(5, 2, service("A"))
    one.write_row(6, 2, service("B", 5))


def _formatted_to_the_end(book, one) -> None:
    yellow = book.add_format({"bg_color": "yellow"})
    one.write_row(0, 0, NAMES)
    one.write_row(1, 0, service())
    for row in range(2, 150_000):
        one.write_blank(row, 0, None, yellow)


def _far_away(_book, one) -> None:
    one.write_row(0, 0, NAMES)
    one.write_row(1, 0, service())
    one.write(1_048_575, 16_383, "x")


def _shown_otherwise(book, one) -> None:
    one.write_row(0, 0, NAMES)
    for row, code in enumerate(['#,##0.00 "€"', "[$$-409]#,##0.00", '_-"£"* #,##0.00_-', "0.00E+00", "[Red]-0.00"], 1):
        one.write_row(row, 0, service(f"S{row}"))
        one.write_number(row, 5, 1250.5, book.add_format({"num_format": code}))


def _hidden(_book, one) -> None:
    one.write_row(0, 0, NAMES)
    one.write_row(1, 0, service("A"))
    one.write_row(2, 0, service("B", 5))
    one.autofilter(0, 0, 2, 5)
    one.set_row(2, None, None, {"hidden": True})


def _coloured_words(book, one) -> None:
    one.write_row(0, 0, NAMES)
    one.write_row(1, 0, service())
    one.write_rich_string(1, 0, "Pool ", book.add_format({"bold": True}), "cleaning")
    one.write_comment(1, 1, "ask Ann")
    one.write_url(1, 3, "mailto:ann@example.com", string="ann@example.com")
    one.add_table(0, 0, 1, 5, {"columns": [{"header": name} for name in NAMES]})


def _totals(_book, one) -> None:
    one.write_row(0, 0, NAMES)
    one.write_row(1, 0, service("A"))
    one.write_row(2, 0, service("B"))
    one.write_row(3, 0, ["Total", "", "", "", ""])
    one.write_formula(3, 5, "=SUM(F2:F3)", None, 39)


def _charted(book, one) -> None:
    one.write_row(0, 0, NAMES)
    one.write_row(1, 0, service())
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=One!$F$2:$F$2"})
    first = book.add_chartsheet("Chart")
    first.set_chart(chart)
    first.activate()
    first.set_first_sheet()


def _hidden_first(book, one) -> None:
    one.write(0, 0, "lists")
    one.hide()
    second = book.add_worksheet("Services")
    second.write_row(0, 0, NAMES)
    second.write_row(1, 0, service())
    second.activate()


CASES = [
    Awkward(
        file="lower and further right.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_lower),
        rows=2,
        codes={"D7": "INVALID_DATA"},
    ),
    Awkward(
        file="formatted to the end.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_formatted_to_the_end, constant_memory=True),
        rows=1,
    ),
    Awkward(
        file="a value far away.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_far_away),
        rows=2,
        codes={"XFD1048576": "ROW_SHAPE"},
    ),
    Awkward(
        file="amounts as they are shown.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_shown_otherwise),
        rows=5,
        shows={"F2": "1250.5", "F5": "1250.5"},
    ),
    Awkward(
        file="filtered.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_hidden),
        rows=2,
        codes={"B3": "INVALID_DATA"},
        told=["Some rows"],
    ),
    Awkward(
        file="coloured words.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_coloured_words),
        rows=1,
        shows={"A2": "Pool cleaning"},
    ),
    Awkward(
        file="a line of totals.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_totals),
        rows=3,
        codes={"B4": "MANDATORY_NOT_FOUND"},
        shows={"F4": "39"},
    ),
    Awkward(
        file="a sheet of a chart.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_charted),
        rows=1,
        untold=["several sheets"],
    ),
    Awkward(
        file="a hidden sheet first.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(_hidden_first),
        rows=1,
        untold=["several sheets"],
    ),
    Awkward(
        file="the calendar of 1904.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(
            lambda _, one: [one.write_row(n, 0, row) for n, row in enumerate([RANGED, ranged("A", DAY, LATER)])],
            date_1904=True,
        ),
        rows=1,
        shows={"G2": "2091-02-03"},
    ),
    Awkward(
        file="dates of all kinds.xlsx",
        by="openpyxl",
        write=rows_by_openpyxl(
            ranged("A", DAY, dt.datetime(2091, 2, 4)),  # noqa: DTZ001 - cells have no zone
            ranged("B", "2091-02-03", "5 Feb 2091"),
            ranged("C", 69796, LATER),
            ranged("D", "03/04/2091", "05/06/2091"),
            names=RANGED,
        ),
        rows=4,
        codes={"G4": "INVALID_DATA", "G5": "DATE_AMBIGUOUS"},
        shows={"G2": "2091-02-03", "G4": "69796"},
    ),
    Awkward(
        file="durations of all kinds.xlsx",
        by="openpyxl",
        write=rows_by_openpyxl(
            service("A", dt.time(1, 30)),
            service("B", dt.timedelta(minutes=90)),
            service("C", "1h 30m"),
            service("D", 90.0),
            service("E", "90 "),
            service("F", 90.5),
        ),
        rows=6,
        codes={"B7": "INVALID_DATA"},
        shows={"B2": "01:30", "B3": "1:30", "B5": "90"},
    ),
    Awkward(
        file="formulas never computed.xlsx",
        by="openpyxl",
        write=rows_by_openpyxl(service("A", "=30*2")),
        rows=1,
        codes={"B2": "FORMULA_WITHOUT_VALUE"},
        shows={"B2": "'=30*2"},
    ),
    Awkward(
        file="errors.xlsx",
        by="openpyxl",
        write=rows_by_openpyxl(service("A", "#N/A"), service("#REF!")),
        rows=2,
        codes={"B2": "CELL_ERROR", "A3": "CELL_ERROR"},
    ),
    Awkward(
        file="merged cells.xlsx",
        by="openpyxl",
        write=by_openpyxl(
            lambda _, one: [one.append(row) for row in (NAMES, service("A"), service(""))] + [one.merge_cells("A2:A3")]
        ),
        rows=2,
        codes={"A3": "MANDATORY_NOT_FOUND"},
        told=["merged"],
    ),
    Awkward(
        file="ids of all kinds.xlsx",
        by="openpyxl",
        operation="set-service-status",
        write=rows_by_openpyxl(
            ["5545974000000393001", "Available"],
            [5545974000000393002, "Available"],
            [5.545974000000393e18, "Available"],
            [5545974000000393000, "Available"],
            ["5545974000000393003 ", "Available"],
            names=STATUS_NAMES,
        ),
        rows=5,
        codes={"A3": "ID_PRECISION_LOST", "A4": "ID_PRECISION_LOST", "A5": "ID_PRECISION_LOST"},
        shows={"A2": "5545974000000393001"},
    ),
    Awkward(
        file="white space of all kinds.xlsx",
        by="openpyxl",
        write=rows_by_openpyxl(
            ["\u00a0Pool ", " 60", "Client\u00a0Address", "ann@example.com\n", "every business days", "\t5"],
            [" ", "\u00a0"],
        ),
        rows=1,
    ),
    Awkward(
        file="by pandas.xlsx",
        by="pandas",
        write=lambda path: pd.DataFrame([service("A"), service("B", 5)], columns=NAMES).to_excel(path, index=False),
        rows=2,
        codes={"B3": "INVALID_DATA"},
    ),
    Awkward(
        file="by pandas, with its index.xlsx",
        by="pandas",
        write=lambda path: pd.DataFrame([service("A", 5)], columns=NAMES).to_excel(path, engine="xlsxwriter"),
        rows=1,
        codes={"C2": "INVALID_DATA"},
    ),
    Awkward(
        file="names in two rows, by pandas.xlsx",
        by="pandas",
        write=lambda path: pd.DataFrame(
            [service("A")], columns=pd.MultiIndex.from_tuples([("Service", name) for name in NAMES])
        ).to_excel(path),
        refused=["--header-row 2"],
    ),
    Awkward(
        file="blanks of pandas.xlsx",
        by="pandas",
        write=lambda path: pd.DataFrame(
            {**{n: [v, v] for n, v in zip(NAMES, service(), strict=True)}, "Price": [19.5, None]}
        ).to_excel(path, index=False),
        rows=2,
        codes={"F3": "MANDATORY_NOT_FOUND"},
    ),
    Awkward(
        file="really a workbook.csv",
        by="a hand",
        write=lambda path: by_xlsxwriter(_lower)(path.with_suffix(".xlsx")) or path.with_suffix(".xlsx").rename(path),
        rows=2,
        codes={"D7": "INVALID_DATA"},
        told=["although its extension is .csv"],
    ),
    Awkward(
        file="really text.xlsx",
        by="a web page's export",
        write=lambda path: path.write_text("\t".join(NAMES) + "\n" + "\t".join(map(str, service())), encoding="utf-8"),
        rows=1,
        told=["although its extension is .xlsx"],
    ),
    Awkward(
        file="really a web page.xls",
        by="a web page's export",
        write=lambda path: path.write_text(
            "<html><table><tr><td>Service Name</td></tr></table></html>", encoding="utf-8"
        ),
        refused=["web page", "save it as .xlsx"],
    ),
    Awkward(
        file="the second sheet.xlsx",
        by="xlsxwriter",
        write=by_xlsxwriter(lambda book, one: (one.write(0, 0, "Read me"), _lower(book, book.add_worksheet("Data")))),
        options=RunOptions(sheet=" data"),
        rows=2,
        codes={"D7": "INVALID_DATA"},
    ),
]
