"""One worksheet's rows, streamed: memory stays flat however long, wide or oddly written the sheet is.

openpyxl's own row reader is not used: it gives up the difference between an error value and a text, needs a second
pass for formulas without values, drops rows that are out of order without a word, warns through the process's filters,
and takes many times as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.plain_rows import PlainRows
from bulkzcrm.ingest.sheet_cells import SheetCells
from bulkzcrm.ingest.stretches import Stretches
from bulkzcrm.ingest.workbook import Workbook

__all__ = ["sheet_lines"]

_MOST_ROWS = 1_048_576


def sheet_lines(stream: IO[bytes], workbook: Workbook, where: str) -> Iterator[Line]:
    """Yield the rows of a sheet that hold a value; cells end at the last value. `where` names file and sheet.

    The sheet's own claim about its dimension is ignored: programs get it wrong. Raises `SourceError` naming the row or
    cell.
    """
    stretches = Stretches(stream, "sheetData", "row", inner=True, where=where)
    cells = SheetCells(workbook, where)
    plain = PlainRows(cells)
    number = 0
    for stretch in stretches:
        if isinstance(stretch, Element):
            number = _row_number(stretch.get("r"), number, where)
            if line := cells.of_row(stretch, number):
                yield number, line
            continue
        before, *rows = stretch.split("<row")
        if before and not before.isspace():
            deque(stretches.parsed(before), 0)  # it holds no row; the parser may refuse it
        for row in rows:
            found = plain.values(row)
            if found is not None:
                number = _row_number(found[0], number, where)
                if found[1]:
                    yield number, found[1]
                continue
            for element in stretches.parsed(f"<row{row}"):
                number = _row_number(element.get("r"), number, where)
                if line := cells.of_row(element, number):
                    yield number, line
            plain.learn(row)


def _row_number(text: str | None, last: int, where: str) -> int:
    cure = "Open the workbook in a spreadsheet program and save it again."
    try:
        number = last + 1 if text is None else int(text)
    except ValueError:
        raise SourceError(f"A row of {where} has the number {text!r}.", cure) from None
    if not last < number <= _MOST_ROWS:
        raise SourceError(f"Row {number} of {where} is out of order or beyond the end of a sheet.", cure)
    return number
