"""The report as a workbook in which every text stays the text it is: no id becomes a number, nothing runs as a formula.

Only this module imports openpyxl, and nothing imports this module before a workbook is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.writer.excel import ExcelWriter

from bulkzcrm.cells import cell_text, column_letter
from bulkzcrm.defuse import defuse
from bulkzcrm.errors import OutputError
from bulkzcrm.model import CellValue, Column
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportRow, source_cells, typed_result

__all__ = ["ROWS_PER_SHEET", "write_xlsx"]

ROWS_PER_SHEET = 1_048_575
"""What a sheet holds below its header: the format ends at line 1,048,576."""

_MOST_COLUMNS = 16_384
_MOST_UNITS = 32_767
"""What a cell holds, counted in UTF-16 units as spreadsheet programs do."""
_SHORT = _MOST_UNITS // 2
"""A text of at most so many characters fits, whatever they are."""
_NUMBERS = (bool, int, float, Decimal)
_MOST_DIGITS = 14
"""Numbers with more digits are written as text: spreadsheet programs keep 15 and round the rest."""
_LONGEST_TITLE = 31

_UNHELD = r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]"
"""What XML cannot hold, and the carriage return, which XML readers turn into a line feed."""
_TO_ESCAPE = re.compile(rf"_(?=x[0-9A-Fa-f]{{4}}(?:_|{_UNHELD}))|{_UNHELD}")
"""Also the underscore that would make a text look like such an escape."""

_WIDTHS = {"result_message": 60, "result_fix": 60, "result_record_id": 22}
_NARROWEST, _WIDEST = 10, 40

_Sheet: TypeAlias = Any
"""A write-only sheet; the stubs do not know the properties that it shares with ordinary ones."""


@dataclass(slots=True)
class _Cuts:
    """How many texts were too long for a cell, and where the first of them stands."""

    count: int = 0
    first: str = ""


def write_xlsx(
    stream: BinaryIO,
    columns: Sequence[Column],
    rows: Iterable[ReportRow],
    *,
    sheet: str = "results",
    rows_per_sheet: int = ROWS_PER_SHEET,
) -> tuple[str, ...]:
    """Write a header and one line per row, and return sentences for the user about what did not fit.

    Texts are string cells; numbers of up to 14 digits are numbers, and longer ones texts; booleans are booleans, all
    else is text as in the CSV. What XML cannot hold is escaped as the format wants it (`_x0001_`). Rows beyond
    `rows_per_sheet` go to further sheets (`results 2`), each with the header; a text beyond 32,767 characters is cut.
    Raises `OutputError` when the report has more columns than a sheet, 16,384.
    """
    header = [*(column.name for column in columns), *RESULT_COLUMNS]
    if len(header) > _MOST_COLUMNS:
        raise OutputError(
            f"The report has {len(header):,} columns, and a workbook's sheet ends at {_MOST_COLUMNS:,}.",
            "Ask for csv or jsonl instead of xlsx; they hold any number of columns.",
        )
    cuts = _Cuts()
    book = Workbook(write_only=True)
    try:
        current = _begin_sheet(book, sheet, header, cuts)
        line = 1
        for row in rows:
            if line > rows_per_sheet:
                _end_sheet(current, len(header), line)
                current = _begin_sheet(book, sheet, header, cuts)
                line = 1
            line += 1
            current.append(_line(current, line, (*source_cells(columns, row), *typed_result(row)), cuts))
        _end_sheet(current, len(header), line)
        # The library's own `save` leaves the archive open when the disk is full, to fail again at some later moment.
        with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
            ExcelWriter(book, archive).write_data()
    finally:
        _drop_temporary_files(book)
    return _notes(len(book.worksheets), rows_per_sheet, cuts)


def _begin_sheet(book: Workbook, name: str, header: Sequence[str], cuts: _Cuts) -> _Sheet:
    sheet = book.create_sheet(_title(name, len(book.worksheets) + 1))
    sheet.freeze_panes = "A2"
    for index, text in enumerate(header):
        width = _WIDTHS.get(text, min(max(len(text) + 4, _NARROWEST), _WIDEST))
        sheet.column_dimensions[column_letter(index)].width = width
    contents = _line(sheet, 1, header, cuts)
    sheet.append([_bold(sheet, content) for content in contents])
    return sheet


def _end_sheet(sheet: _Sheet, width: int, line: int) -> None:
    sheet.auto_filter.ref = f"A1:{column_letter(width - 1)}{line}"
    sheet.close()


def _title(name: str, number: int) -> str:
    """Return a title that the format allows; from the second sheet on it carries a number."""
    suffix = f" {number}" if number > 1 else ""
    allowed = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name).strip("' ")[: _LONGEST_TITLE - len(suffix)]
    return (allowed or "results") + suffix


_Content: TypeAlias = str | bool | int | float | Decimal | Cell | None


def _line(sheet: _Sheet, line: int, values: Sequence[CellValue], cuts: _Cuts) -> list[_Content]:
    contents: list[_Content] = []
    for index, value in enumerate(values):
        if value is None:
            contents.append(None)
            continue
        if not isinstance(value, str) and isinstance(value, _NUMBERS) and _is_exact(value):
            contents.append(value)
            continue
        text = cell_text(value)
        escaped = _TO_ESCAPE.sub(_escape, text)
        if len(escaped) > _SHORT and _units(escaped) > _MOST_UNITS:
            escaped = _cut(text)
            cuts.count += 1
            cuts.first = cuts.first or f"{column_letter(index)}{line} of sheet {sheet.title}"
        contents.append(_text(sheet, escaped))
    return contents


def _is_exact(value: bool | float | Decimal) -> bool:  # noqa: FBT001 - a cell's value, not a switch
    """Tell whether a spreadsheet program shows the number as it is, with every digit."""
    if isinstance(value, bool):
        return True
    # Infinities and what is no number have letters, and so has a float that no longer counts exactly.
    digits = cell_text(value).removeprefix("-").replace(".", "", 1)
    return len(digits) <= _MOST_DIGITS and digits.isdecimal()


def _text(sheet: _Sheet, escaped: str) -> _Content:
    """Return a text as openpyxl takes it for text: left alone, `=1+1` becomes a formula and `#N/A` an error."""
    if not escaped:
        return None
    if escaped[0].isalnum():
        return escaped
    cell = WriteOnlyCell(sheet, escaped)
    cell.data_type = "s"
    if defuse(escaped) != escaped:
        # So that it stays a text even after somebody has edited the cell in a spreadsheet program.
        cell.quotePrefix = 1
    return cell


def _bold(sheet: _Sheet, content: _Content) -> Cell | None:
    if content is None:
        return None
    cell = content if isinstance(content, Cell) else WriteOnlyCell(sheet, str(content))
    cell.font = Font(bold=True)
    return cell


def _escape(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str) -> str:
    """Return the beginning of the text, escaped, that fits a cell; no escape and no character is cut in two."""
    kept = text[:_MOST_UNITS]
    escaped = _TO_ESCAPE.sub(_escape, kept)
    while (excess := _units(escaped) - _MOST_UNITS) > 0:
        # One character takes up to seven units (`_x0001_`), so this never drops more than it must, but for the last
        # few.
        kept = kept[: -(excess // 7 + 1)]
        escaped = _TO_ESCAPE.sub(_escape, kept)
    return escaped


def _notes(sheets: int, rows_per_sheet: int, cuts: _Cuts) -> tuple[str, ...]:
    notes: list[str] = []
    if sheets > 1:
        notes.append(f"The workbook has {sheets} sheets, because one holds at most {rows_per_sheet:,} rows.")
    if cuts.count:
        which = "One text was" if cuts.count == 1 else f"{cuts.count:,} texts were"
        where = f"in cell {cuts.first}" if cuts.count == 1 else f"first in cell {cuts.first}"
        notes.append(
            f"{which} cut to {_MOST_UNITS:,} characters, the most that a workbook's cell can hold ({where}); "
            "results.csv has everything."
        )
    return tuple(notes)


def _drop_temporary_files(book: Workbook) -> None:
    """Remove what openpyxl keeps until the end of the process when a workbook is given up half-way."""
    for sheet in book.worksheets:
        writer = getattr(sheet, "_writer", None)
        if writer is None:
            continue
        with suppress(Exception):  # whatever it says of the unfinished sheet, the first error is the one to tell
            sheet.close()
        with suppress(OSError, ValueError):  # a finished workbook has removed its files already
            writer.cleanup()
