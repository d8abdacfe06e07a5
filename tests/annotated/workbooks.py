"""Workbooks of users, as programs write them: with all that a user would miss if a report dropped it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

COLUMNS = ("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price", "Remark")
MEMBER = "tom.weber@brighthome.example"
RESULTS = (
    "result_row",
    "result_status",
    "result_code",
    "result_field",
    "result_cell",
    "result_message",
    "result_fix",
    "result_record_id",
    "result_batch",
    "result_attempts",
)
WRONG = "FFFFC7CD"
WRONG_OVER = "FFFFC7CB"
SUMMARY = "bulkzcrm summary"

Row = tuple[Any, ...]


def good(name: str, **changed: Any) -> Row:
    """A row that nothing is wrong with, but for what is changed."""
    whole = dict(zip(COLUMNS, (name, 60, "Client Address", MEMBER, "Every Business Days", 50, "fine"), strict=True))
    return tuple((whole | changed).values())


ROWS: Sequence[Row] = (
    good("Wash"),
    good("Polish", Duration=5000),
    good("Wax", Location="Nowhere"),
    good("Empty", Price=None),
    good("Two faults", Duration="x", Availability_Type="Sometimes"),
    good("Dry"),
)
"""Rows 2 to 7 of a sheet; wrong are B3, C4, F5, B6 and E6."""


def picture() -> bytes:
    """A small PNG."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    dots = b"".join(b"\0" + b"\x33\x66\xcc" * 8 for _ in range(8))
    size = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", size) + part(b"IDAT", zlib.compress(dots)) + part(b"IEND", b"")


def by_xlsxwriter(path: Path, *, macros: bool = False, rows: Sequence[Row] = ROWS, table: bool = False) -> Path:
    """A workbook with everything."""
    with xlsxwriter.Workbook(path) as book:
        sheet, other = book.add_worksheet("Services & more"), book.add_worksheet("Prices")
        head = book.add_format({"bold": 1, "bg_color": "#1F4E78", "font_color": "#FFFFFF"})
        money = book.add_format({"num_format": "#,##0.00", "bg_color": "#FFF2CC"})
        sheet.write_row(0, 0, COLUMNS, head)
        sheet.set_column(0, 0, 28)
        sheet.set_column(6, 30, 18)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                sheet.write(number, column, value, money if column == 5 else None)
        sheet.write_formula(1, 5, "=Prices!A1*2", money, 50)
        sheet.data_validation("C2:C100", {"validate": "list", "source": ["Client Address", "Business Address"]})
        sheet.conditional_format("F2:F100", {"type": "data_bar"})
        sheet.write_comment("A2", "Mine: keep me")
        sheet.write_comment("C4", "Mine as well")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "='Services & more'!$F$2:$F$7"})
        sheet.insert_chart("A14", chart)
        sheet.insert_image("E14", "a.png", {"image_data": io.BytesIO(picture())})
        sheet.set_row(5, None, None, {"hidden": True})
        other.write(0, 0, 25)
        other.write_formula(1, 0, "=A1+1", None, 26)
        other.write_comment("A1", "On another sheet")
        other.add_table("C1:D4", {"columns": [{"header": "a"}, {"header": "b"}]})
        if table:
            sheet.add_table(0, 0, len(rows), 6, {"columns": [{"header": name} for name in COLUMNS], "name": "Mine"})
        book.define_name("Rate", "=Prices!$A$1")
        if macros:
            book.add_vba_project(io.BytesIO(b"\xd0\xcf\x11\xe0 no real macros"), is_stream=True)
    return path


def by_openpyxl(path: Path, *, rows: Sequence[Row] = ROWS, change: Callable[[Any], None] = lambda _: None) -> Path:
    """A plain workbook, and what a caller makes of its sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Services"
    sheet.append(COLUMNS)
    for row in rows:
        sheet.append(row)
    change(sheet)
    book.save(path)
    return path


def parts_of(path: Path) -> dict[str, bytes]:
    """The parts of a workbook, unpacked."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, change: Mapping[str, Callable[[str], str] | bytes]) -> Path:
    """Change or add parts of a workbook."""
    parts = parts_of(path)
    for name, how in change.items():
        parts[name] = how if isinstance(how, bytes) else how(parts[name].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def in_sheet(path: Path, pattern: str, new: str, part: str = "xl/worksheets/sheet1.xml") -> Path:
    """Replace what a pattern finds in a sheet, which must find something."""

    def change(text: str) -> str:
        changed, count = re.subn(pattern, new, text, flags=re.DOTALL)
        assert count
        return changed

    return rewritten(path, {part: change})


def headers_of(sheet: Any, row: int = 1) -> dict[str, int]:
    """The columns of a sheet by their headers, as openpyxl counts them."""
    return {str(cell.value): cell.column for cell in sheet[row] if cell.value is not None}


def results_of(sheet: Any, header: int = 1) -> dict[int, dict[str, Any]]:
    """The result cells of each row that has some."""
    places = headers_of(sheet, header)
    found = {}
    for row in range(header + 1, sheet.max_row + 1):
        values = {name: sheet.cell(row, places[name]).value for name in RESULTS if name in places}
        if any(value is not None for value in values.values()):
            found[row] = values
    return found


def coloured(sheet: Any) -> dict[str, str]:
    """The cells in a colour of ours, but for the statuses."""
    status = headers_of(sheet).get("result_status")
    return {
        cell.coordinate: cell.fill.fgColor.rgb
        for row in sheet.iter_rows()
        for cell in row
        if cell.fill.patternType == "solid" and cell.fill.fgColor.rgb in {WRONG, WRONG_OVER} and cell.column != status
    }


def comments_of(sheet: Any) -> dict[str, tuple[str, str]]:
    """The comments of a sheet: author and text."""
    return {
        cell.coordinate: (cell.comment.author, cell.comment.text)
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None
    }
