"""One sheet of a binary workbook (.xlsb), streamed; its records are those of [MS-XLSB] 2.3."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import isfinite
from typing import IO, TypeAlias

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.number_formats import Shape, moment_of, shortest
from bulkzcrm.ingest.sheet_cells import put
from bulkzcrm.ingest.workbook import Workbook
from bulkzcrm.ingest.xlsb_records import records, text_at
from bulkzcrm.ingest.xml_text import visible
from bulkzcrm.model import CellError, CellValue

__all__ = ["xlsb_lines", "xlsb_oddities"]

_Read: TypeAlias = Callable[["_Cells", bytes, int, int], CellValue]
"""Makes a value of a cell's record, the place in it where the value begins, and the cell's style."""

_ROW = 0
_END_OF_ROWS = 146
_COLUMNS = 60
_MERGED = 176
_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_STYLE_BITS = 0xFF_FFFF

_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""[MS-XLSB] 2.5.97.2 (BErr)."""


def xlsb_lines(stream: IO[bytes], workbook: Workbook, where: str) -> Iterator[Line]:
    """Yield the rows of a sheet that hold a value; cells end at the last value. `where` names file and sheet.

    Raises `SourceError` naming the row or cell, `EOFError` or `struct.error` for a part that breaks off.
    """
    cells = _Cells(workbook, where)
    number = 0
    for kind, data in records(stream, where):
        if kind == _ROW:
            if cells.values:
                yield number, cells.values
            number = cells.number = _row_number(data, number, where)
            cells.values, cells.column = [], -1
        elif kind in _READERS:
            cells.take(kind, data)
        elif kind == _END_OF_ROWS:
            if cells.values:
                yield number, cells.values
            return
    raise EOFError


def xlsb_oddities(stream: IO[bytes], where: str) -> set[str]:
    """Read a sheet once, which proves that it unpacks whole, and tell what it hides or merges (see `sheet_table`)."""
    found: set[str] = set()
    for kind, data in records(stream, where):
        if kind == _ROW:
            if struct.unpack_from("<B", data, 11)[0] & 0x10:  # 2.4.726 (BrtRowHdr), fDyZero
                found.add("row")
        elif kind == _COLUMNS:
            if struct.unpack_from("<B", data, 16)[0] & 1:  # 2.4.331 (BrtColInfo), fHidden
                found.add("col")
        elif kind == _MERGED:
            found.add("merged")
    return found


def _row_number(data: bytes, last: int, where: str) -> int:
    number: int = struct.unpack_from("<I", data)[0] + 1
    if not last < number <= _MOST_ROWS:
        cure = "Open the workbook in a spreadsheet program and save it again."
        raise SourceError(f"Row {number} of {where} is out of order or beyond the end of a sheet.", cure)
    return number


class _Cells:
    """The values of the row that is being read."""

    def __init__(self, workbook: Workbook, where: str) -> None:
        self.values: list[CellValue] = []
        self.column = -1
        self.number = 0
        self.strings = workbook.strings
        self._shapes = workbook.shapes
        self._where = where
        epoch = workbook.epoch
        self._moment = lru_cache(4096)(lambda number, shape: moment_of(number, shape, epoch))

    def take(self, kind: int, data: bytes) -> None:
        is_short, read = _READERS[kind]
        if is_short:  # it stands to the right of the one before
            start = 0
            self.column += 1
        else:
            start = 4
            (self.column,) = struct.unpack_from("<I", data)
        (style,) = struct.unpack_from("<I", data, start)
        if self.column >= _MOST_COLUMNS:
            raise self._unreadable()
        try:
            value = read(self, data, start + 4, style & _STYLE_BITS)
        except (IndexError, ValueError, OverflowError):
            raise self._unreadable() from None
        put(self.values, self.column, value)

    def number_of(self, number: float, style: int) -> CellValue:
        if not isfinite(number):
            return CellError("#NUM!")
        shape = self._shapes[style] if style < len(self._shapes) else Shape.NUMBER
        return shortest(number) if shape is Shape.NUMBER else self._moment(number, shape)

    def _unreadable(self) -> SourceError:
        cure = "Open the workbook in a spreadsheet program, look at that cell, and save it again."
        at = f"{column_letter(min(self.column, _MOST_COLUMNS))}{self.number}"
        return SourceError(f"Cell {at} of {self._where} cannot be read.", cure)


def _blank(_cells: _Cells, _data: bytes, _start: int, _style: int) -> CellValue:
    return None


def _packed_number(cells: _Cells, data: bytes, start: int, style: int) -> CellValue:
    """Read 2.5.122 (RkNumber): thirty bits of a whole number, or of a binary fraction, perhaps of a hundredth."""
    (bits,) = struct.unpack_from("<i", data, start)
    number: float = bits >> 2 if bits & 2 else struct.unpack("<d", struct.pack("<xxxxi", bits & ~3))[0]
    return cells.number_of(float(number / 100 if bits & 1 else number), style)


def _number(cells: _Cells, data: bytes, start: int, style: int) -> CellValue:
    return cells.number_of(struct.unpack_from("<d", data, start)[0], style)


def _error(_cells: _Cells, data: bytes, start: int, _style: int) -> CellValue:
    return CellError(_ERRORS.get(data[start], "#ERROR!"))


def _boolean(_cells: _Cells, data: bytes, start: int, _style: int) -> CellValue:
    return bool(data[start])


def _text(_cells: _Cells, data: bytes, start: int, _style: int) -> CellValue:
    return visible(text_at(data, start)[0])


def _rich_text(_cells: _Cells, data: bytes, start: int, _style: int) -> CellValue:
    return visible(text_at(data, start + 1)[0])


def _shared_text(cells: _Cells, data: bytes, start: int, _style: int) -> CellValue:
    return cells.strings[struct.unpack_from("<I", data, start)[0]]


_READERS: dict[int, tuple[bool, _Read]] = {
    1: (False, _blank),
    2: (False, _packed_number),
    3: (False, _error),
    4: (False, _boolean),
    5: (False, _number),
    6: (False, _text),
    7: (False, _shared_text),
    8: (False, _text),  # 8 to 11 are formulas, with their values
    9: (False, _number),
    10: (False, _boolean),
    11: (False, _error),
    12: (True, _blank),
    13: (True, _packed_number),
    14: (True, _error),
    15: (True, _boolean),
    16: (True, _number),
    17: (True, _text),
    18: (True, _shared_text),
    62: (False, _rich_text),
}
"""How the record of that number is read, and whether it leaves out its column."""
