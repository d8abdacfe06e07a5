"""What there is to know of a sheet before its first row is written again: how far its cells reach."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bulkzcrm.cells import column_index
from bulkzcrm.report.annotated.sheet_text import RowText, SheetText

__all__ = ["Shape", "shape_of"]

_LAST = re.compile(rb"""<(?:[\w.-]+:)?c\s+r="([A-Z]{1,3})[0-9]""")


@dataclass(slots=True)
class Shape:
    """From the header on: the last column with a content, the last one with any cell, and the last row with a content.

    Columns are counted from 0.
    """

    content: int = -1
    widest: int = -1
    last_row: int = 0
    tail: bytes = b""
    """What follows the rows."""


def shape_of(text: SheetText, header_row: int) -> Shape:
    """Read a sheet to its end."""
    shape = Shape()
    begin, end = b"<" + text.prefix + b"c ", b"</" + text.prefix + b"c>"
    for row in text.rows():
        if row.number < header_row or not row.cells:
            continue
        last = row.cells.rfind(begin)
        widest = _LAST.match(row.cells, last) if last >= 0 else None
        closed = row.cells.rfind(end)
        filled = _LAST.match(row.cells, row.cells.rfind(begin, 0, closed)) if closed >= 0 else None
        if widest is None or (closed >= 0 and filled is None) or b"<" + text.prefix + b"c>" in row.cells:
            _look_closely(shape, text, row)
            continue
        shape.widest = max(shape.widest, column_index(widest[1].decode()))
        if filled is not None:
            shape.content = max(shape.content, column_index(filled[1].decode()))
            shape.last_row = row.number
    shape.tail = text.tail
    return shape


def _look_closely(shape: Shape, text: SheetText, row: RowText) -> None:
    for cell in text.cells(row)[0]:
        shape.widest = max(shape.widest, cell.column)
        if not cell.text.rstrip().endswith(b"/>"):
            shape.content = max(shape.content, cell.column)
            shape.last_row = row.number
