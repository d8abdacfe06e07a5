"""What nobody can beat: the readers and writers alone, without anything of ours, or anything done to the rows."""

from __future__ import annotations

import csv
from itertools import cycle, islice
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter
from openpyxl import load_workbook

from .sources import rows_of
from .stopwatch import Stopwatch

__all__ = ["read_csv_alone", "read_workbook_alone", "report_lines", "write_by_hand", "write_by_xlsxwriter"]

_HEADER = 1


def read_csv_alone(watch: Stopwatch, *, source: str) -> int:
    """`csv.reader`, and nothing else."""
    watch.start()
    with Path(source).open(encoding="utf-8", newline="") as stream:
        rows = sum(1 for _ in csv.reader(stream))
    return rows - _HEADER


def read_workbook_alone(watch: Stopwatch, *, source: str) -> int:
    """openpyxl, read-only, values only, the way its documentation advises."""
    watch.start()
    book = load_workbook(source, read_only=True)
    rows = sum(1 for _ in book.worksheets[0].iter_rows(values_only=True))
    book.close()
    return rows - _HEADER


_Line = list[str | int | None]
_FIRST_ID = 5545974000009000001


def write_by_xlsxwriter(watch: Stopwatch, *, rows: int) -> int:
    """xlsxwriter with constant memory."""
    lines = islice(cycle(report_lines()), rows)
    watch.start()
    with xlsxwriter.Workbook("alone.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate(lines):
            for place, value in enumerate(cells):
                if isinstance(value, str):
                    sheet.write_string(line, place, value)
                elif value is not None:
                    sheet.write_number(line, place, value)
    return rows


_PAGE = 500


def write_by_hand(watch: Stopwatch, *, rows: int, level: int = 1) -> int:
    """A workbook written by hand, straight into the archive: texts in the cells, nothing that a format might want."""
    lines = islice(cycle(report_lines()), rows)
    watch.start()
    with ZipFile("alone.xlsx", "w", ZIP_DEFLATED, compresslevel=level) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            stream.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            while page := "".join(map(_row, islice(lines, _PAGE))):
                stream.write(page.encode())
            stream.write(b"</sheetData></worksheet>")
    return rows


def _row(cells: _Line) -> str:
    row = ["<row>"]
    for value in cells:
        if value is None:
            row.append("<c/>")
        elif type(value) is str:
            text = value if "&" not in value and "<" not in value else escape(value)
            row.append(f'<c t="inlineStr"><is><t>{text}</t></is></c>')
        else:
            row.append(f"<c><v>{value}</v></c>")
    row.append("</row>")
    return "".join(row)


def report_lines() -> list[_Line]:
    """What the report says of a thousand rows that succeeded: their cells, and our ten."""
    lines: list[_Line] = []
    for number, cells in enumerate(rows_of(1000, bad_one_in=0)):
        result = (
            number + 2,
            "succeeded",
            "SUCCESS",
            None,
            None,
            None,
            None,
            f"{_FIRST_ID + number}",
            number // 100 + 1,
        )
        lines.append([*(cell or None for cell in cells), *result, 1])
    return lines


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="results" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
