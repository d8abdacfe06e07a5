"""One worksheet's rows, streamed: memory stays flat however long, wide or oddly written the sheet is.

openpyxl's own row reader is not used: it gives up the difference between an error value and a text, needs a second
pass for formulas without values, drops rows that are out of order without a word, warns through the process's filters,
and takes many times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.plain_rows import PlainRows
from bulkzcrm.ingest.sheet_cells import SheetCells
from bulkzcrm.ingest.stretches import Stretches
from bulkzcrm.ingest.workbook import Workbook
from bulkzcrm.ingest.xml_text import whole
from bulkzcrm.model import CellValue

__all__ = ["sheet_lines"]

_MOST_ROWS = 1_048_576


def sheet_lines(stream: IO[bytes], workbook: Workbook, where: str) -> Iterator[Line]:
    """Yield the rows of a sheet that hold a value; cells end at the last value. `where` names file and sheet.

    The sheet's own claim about its dimension is ignored: programs get it wrong. Raises `SourceError` naming the row or
    cell.
    """
    cells = SheetCells(workbook, where)
    number = 0
    for row in _rows(Stretches(stream, "sheetData", "row", inner=True, where=where), PlainRows(cells)):
        if isinstance(row, Element):
            number = _row_number(row.get("r"), number, where)
            line = cells.of_row(row, number)
        else:
            text, line = row
            number = _row_number(text, number, where)
        if line:
            yield number, line


def _rows(stretches: Stretches, plain: PlainRows) -> Iterator[Element | tuple[str, list[CellValue]]]:
    """Yield every row: its number and values where it is known what they are, else as the parser reads it."""
    for stretch in stretches:
        if isinstance(stretch, Element):
            yield stretch
            continue
        before, *rows = stretch.split("<row")
        if before and not before.isspace() and not _is_whole(stretches, before):
            stretches.leave(stretch)
            continue
        for place, row in enumerate(rows):
            found = plain.values(row)
            if found is not None:
                yield found
                continue
            try:
                elements = stretches.parsed(f"<row{row}")
            except ParseError:
                stretches.leave("".join(f"<row{each}" for each in rows[place:]))
                break
            yield from elements
            if elements:
                plain.learn(row)


def _is_whole(stretches: Stretches, text: str) -> bool:
    try:
        stretches.parsed(text)
    except ParseError:
        return False
    return True


def _row_number(text: str | None, last: int, where: str) -> int:
    cure = "Open the workbook in a spreadsheet program and save it again."
    try:
        number = last + 1 if text is None else whole(text)
    except ValueError:
        raise SourceError(f"A row of {where} has the number {text!r}.", cure) from None
    if not last < number <= _MOST_ROWS:
        raise SourceError(f"Row {number} of {where} is out of order or beyond the end of a sheet.", cure)
    return number
